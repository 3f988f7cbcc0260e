package dev.doorbell.hw.hpet;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The registers of a High Precision Event Timer.
///
/// **Source** IA-PC HPET Specification 1.0a, 2.3.4 to 2.3.9.
public final class HpetRegisters {
  /// Bytes of the window.
  public static final long BYTES = 0x400;

  /// Timers that the window has room for and GCAP_ID can count.
  public static final int MOST_TIMERS = 24;

  /// Bytes from one timer's registers to the next one's.
  public static final int TIMER_BYTES = 0x20;

  private static final ValueNames TRIGGERS = ValueNames.of(0, "edge", 1, "level");
  private static final Layout CAP_L = Layout.lsb0("GCAP_ID", 8);
  private static final Layout CONF_L = Layout.lsb0("GEN_CONF", 8);
  private static final Layout STATUS_L = Layout.lsb0("GINTR_STA", 8);
  private static final Layout COUNTER_L = Layout.lsb0("MAIN_CNT", 8);
  private static final Layout TIMER_L = Layout.lsb0("TN_CONF", 8);
  private static final Layout COMPARATOR_L = Layout.lsb0("TN_COMP", 8);
  private static final Layout ROUTE_L = Layout.lsb0("TN_FSB", 8);

  // spotless:off
  public static final Field REVISION      = CAP_L.bits ("REV_ID",           7,  0);
  public static final Field LAST_TIMER    = CAP_L.bits ("NUM_TIM_CAP",     12,  8);
  public static final Field WIDE_COUNTER  = CAP_L.bit  ("COUNT_SIZE_CAP",  13);
  public static final Field LEGACY_CAP    = CAP_L.bit  ("LEG_RT_CAP",      15);
  public static final Field VENDOR        = CAP_L.bits ("VENDOR_ID",       31, 16);
  public static final Field PERIOD        = CAP_L.bits ("COUNTER_CLK_PERIOD", 63, 32);
  public static final Field ENABLE        = CONF_L.bit ("ENABLE_CNF",       0);
  public static final Field LEGACY        = CONF_L.bit ("LEG_RT_CNF",       1);
  public static final Field ACTIVE        = STATUS_L.bits("TN_INT_STS",    31,  0);
  public static final Field COUNTER       = COUNTER_L.bits("MAIN_COUNTER_VAL", 63, 0);
  public static final Field LEVEL         = TIMER_L.bit("TN_INT_TYPE_CNF",  1, TRIGGERS);
  public static final Field INTERRUPTS    = TIMER_L.bit("TN_INT_ENB_CNF",   2);
  public static final Field PERIODIC      = TIMER_L.bit("TN_TYPE_CNF",      3);
  public static final Field PERIODIC_CAP  = TIMER_L.bit("TN_PER_INT_CAP",   4);
  public static final Field SIZE_CAP      = TIMER_L.bit("TN_SIZE_CAP",      5);
  public static final Field SET_VALUE     = TIMER_L.bit("TN_VAL_SET_CNF",   6);
  public static final Field NARROW        = TIMER_L.bit("TN_32MODE_CNF",    8);
  public static final Field ROUTE         = TIMER_L.bits("TN_INT_ROUTE_CNF", 13, 9);
  public static final Field FSB           = TIMER_L.bit("TN_FSB_EN_CNF",   14);
  public static final Field FSB_CAP       = TIMER_L.bit("TN_FSB_INT_DEL_CAP", 15);
  public static final Field ROUTE_CAP     = TIMER_L.bits("TN_INT_ROUTE_CAP", 63, 32);
  public static final Field VALUE         = COMPARATOR_L.bits("TN_COMP_VAL", 63, 0);
  public static final Field FSB_VALUE     = ROUTE_L.bits("TN_FSB_INT_VAL", 31,  0);
  public static final Field FSB_ADDRESS   = ROUTE_L.bits("TN_FSB_INT_ADDR", 63, 32);

  public static final Layout CAP_LAYOUT        = CAP_L.res0(14, 14).seal();
  public static final Layout CONF_LAYOUT       = CONF_L.res0(63, 2).seal();
  public static final Layout STATUS_LAYOUT     = STATUS_L.res0(63, 32).seal();
  public static final Layout COUNTER_LAYOUT    = COUNTER_L.seal();
  public static final Layout TIMER_LAYOUT      = TIMER_L.res0(0, 0).res0(7, 7).res0(31, 16).seal();
  public static final Layout COMPARATOR_LAYOUT = COMPARATOR_L.seal();
  public static final Layout ROUTE_LAYOUT      = ROUTE_L.seal();

  private static final Access TIMER_BITS =
      Access.rw(LEVEL.mask() | INTERRUPTS.mask() | ROUTE.mask() | FSB.mask());

  private static final RegisterMap.Builder B = RegisterMap.named("HPET", BYTES);
  public static final Register CAP        = B.register("GCAP_ID",   0x000, Access.RO, CAP_LAYOUT);
  public static final Register CONF       = B.register("GEN_CONF",  0x010, Access.rw(ENABLE.mask()), CONF_LAYOUT);
  public static final Register STATUS     = B.register("GINTR_STA", 0x020, Access.W1C, STATUS_LAYOUT);
  public static final Register MAIN       = B.register("MAIN_CNT",  0x0f0, Access.RW, COUNTER_LAYOUT);
  public static final RegisterMap MAP     = B.seal();

  private static final RegisterMap.Builder T = RegisterMap.named("HPET timer", TIMER_BYTES);
  public static final Register TIMER      = T.register("TN_CONF",   0x00, TIMER_BITS, TIMER_LAYOUT);
  public static final Register COMPARATOR = T.register("TN_COMP",   0x08, Access.RW, COMPARATOR_LAYOUT);
  public static final Register MESSAGE    = T.register("TN_FSB",    0x10, Access.RW, ROUTE_LAYOUT);
  public static final RegisterMap TIMERS  = T.seal();
  // spotless:on

  /// Where the first timer's registers lie.
  public static final long FIRST_TIMER = 0x100;

  private HpetRegisters() {}

  /// {@return where a register of a timer lies in the window}
  public static long offset(Register register, int timer) {
    return FIRST_TIMER + (long) timer * TIMER_BYTES + register.offset();
  }
}
