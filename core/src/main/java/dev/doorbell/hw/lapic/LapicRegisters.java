package dev.doorbell.hw.lapic;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The registers of a local APIC in its page, and the model-specific registers that lead to them.
///
/// In x2APIC mode the register at offset n of the page is MSR 800h + n / 16, ICR's halves are one, and DFR is absent.
///
/// **Source** Intel SDM volume 3, 11.4.1 (Table 11-1, Local APIC Register Address Map), 11.12.1.2 (Table 11-6, x2APIC).
public final class LapicRegisters {
  /// Bytes of the page.
  public static final long BYTES = 0x1000;

  /// IA32_APIC_BASE.
  public static final int MSR_APIC_BASE = 0x1b;

  /// The first MSR of x2APIC mode.
  public static final int FIRST_X2APIC_MSR = 0x800;

  /// The last one.
  public static final int LAST_X2APIC_MSR = 0x8ff;

  /// Bytes of the page that stand for one MSR.
  public static final int BYTES_PER_MSR = 16;

  /// Vectors that one element of ISR, TMR and IRR has.
  public static final int VECTORS_PER_REGISTER = 32;

  /// Vectors below are not to be sent.
  public static final int FIRST_LEGAL_VECTOR = 16;

  /// DFR.Model: each bit of LDR is a processor.
  public static final int FLAT = 0xf;

  /// DFR.Model: LDR's upper half is a cluster, each bit of its lower half a processor.
  public static final int CLUSTER = 0x0;

  private static final ValueNames SHORTHANDS =
      ValueNames.of(0, "none", 1, "self", 2, "all", 3, "all but self");
  private static final Layout BASE_L = Layout.lsb0("IA32_APIC_BASE", 8);
  private static final Layout ID_L = Layout.lsb0("ID", 4);
  private static final Layout X2ID_L = Layout.lsb0("x2APIC ID", 4);
  private static final Layout VERSION_L = Layout.lsb0("Version", 4);
  private static final Layout PRIORITY_L = Layout.lsb0("TPR, APR, PPR", 4);
  private static final Layout EOI_L = Layout.lsb0("EOI", 4);
  private static final Layout LDR_L = Layout.lsb0("LDR", 4);
  private static final Layout X2LDR_L = Layout.lsb0("x2APIC LDR", 4);
  private static final Layout MDA_L = Layout.lsb0("message destination address", 4);
  private static final Layout DFR_L = Layout.lsb0("DFR", 4);
  private static final Layout SVR_L = Layout.lsb0("SVR", 4);
  private static final Layout BITS_L = Layout.lsb0("ISR, TMR, IRR", 4);
  private static final Layout ESR_L = Layout.lsb0("ESR", 4);
  private static final Layout ICR_L = Layout.lsb0("ICR[31:0]", 4);
  private static final Layout ICR_HIGH_L = Layout.lsb0("ICR[63:32]", 4);
  private static final Layout X2ICR_L = Layout.lsb0("x2APIC ICR", 8);
  private static final Layout LVT_L = Layout.lsb0("LVT", 4);
  private static final Layout TIMER_L = Layout.lsb0("Timer", 4);

  // spotless:off
  public static final Field BSP           = BASE_L.bit    ("BSP",                       8);
  public static final Field EXTD          = BASE_L.bit    ("EXTD",                     10);
  public static final Field EN            = BASE_L.bit    ("EN",                       11);
  public static final Field APIC_BASE     = BASE_L.address("APIC Base",                51, 12);
  public static final Field APIC_ID       = ID_L.bits     ("APIC ID",                  31, 24);
  public static final Field X2APIC_ID     = X2ID_L.bits   ("x2APIC ID",                31,  0);
  public static final Field ID_CLUSTER    = MDA_L.bits    ("cluster",                  31, 16);
  public static final Field ID_MEMBERS    = MDA_L.bits    ("members",                  15,  0);
  public static final Field VERSION_VALUE = VERSION_L.bits("Version",                   7,  0);
  public static final Field MAX_LVT       = VERSION_L.bits("Max LVT Entry",            23, 16);
  public static final Field SUPPRESS_EOI  = VERSION_L.bit ("EOI-broadcast suppression", 24);
  public static final Field SUB_CLASS     = PRIORITY_L.bits("sub-class",                3,  0);
  public static final Field CLASS         = PRIORITY_L.bits("class",                    7,  4);
  public static final Field LOGICAL_ID    = LDR_L.bits    ("Logical APIC ID",          31, 24);
  public static final Field X2_CLUSTER    = X2LDR_L.bits  ("cluster",                  31, 16);
  public static final Field X2_MEMBER     = X2LDR_L.bits  ("logical id in the cluster", 15, 0);
  public static final Field MODEL         = DFR_L.bits    ("Model",                    31, 28);
  public static final Field SPURIOUS      = SVR_L.bits    ("Spurious Vector",           7,  0);
  public static final Field ENABLE        = SVR_L.bit     ("APIC Software Enable",      8);
  public static final Field FOCUS         = SVR_L.bit     ("Focus Processor Checking",  9);
  public static final Field SUPPRESS      = SVR_L.bit     ("EOI-Broadcast Suppression", 12);
  public static final Field SEND_ILLEGAL  = ESR_L.bit     ("Send Illegal Vector",       5);
  public static final Field RECEIVE_ILLEGAL = ESR_L.bit   ("Received Illegal Vector",   6);
  public static final Field ILLEGAL_REGISTER = ESR_L.bit  ("Illegal Register Address",  7);
  public static final Field ICR_VECTOR    = ICR_L.bits    ("Vector",                    7,  0);
  public static final Field ICR_MODE      = ICR_L.bits    ("Delivery Mode",            10,  8);
  public static final Field ICR_LOGICAL   = ICR_L.bit     ("Destination Mode",         11);
  public static final Field ICR_STATUS    = ICR_L.bit     ("Delivery Status",          12);
  public static final Field ICR_LEVEL     = ICR_L.bit     ("Level",                    14);
  public static final Field ICR_TRIGGER   = ICR_L.bit     ("Trigger Mode",             15);
  public static final Field SHORTHAND     = ICR_L.bits    ("Destination Shorthand",    19, 18, SHORTHANDS);
  public static final Field ICR_DESTINATION = ICR_HIGH_L.bits("Destination",           31, 24);
  public static final Field X2ICR_COMMAND = X2ICR_L.bits  ("command",                  31,  0);
  public static final Field X2ICR_DESTINATION = X2ICR_L.bits("Destination",            63, 32);
  public static final Field LVT_VECTOR    = LVT_L.bits    ("Vector",                    7,  0);
  public static final Field LVT_MODE      = LVT_L.bits    ("Delivery Mode",            10,  8);
  public static final Field LVT_STATUS    = LVT_L.bit     ("Delivery Status",          12);
  public static final Field LVT_POLARITY  = LVT_L.bit     ("Polarity",                 13);
  public static final Field LVT_REMOTE    = LVT_L.bit     ("Remote IRR",               14);
  public static final Field LVT_TRIGGER   = LVT_L.bit     ("Trigger Mode",             15);
  public static final Field LVT_MASK      = LVT_L.bit     ("Mask",                     16);
  public static final Field LVT_TIMER     = LVT_L.bits    ("Timer Mode",               18, 17);

  public static final Layout BASE_LAYOUT     = BASE_L.res0(7, 0).res0(9, 9).res0(63, 52).seal();
  public static final Layout ID_LAYOUT       = ID_L.res0(23, 0).seal();
  public static final Layout X2ID_LAYOUT     = X2ID_L.seal();
  public static final Layout VERSION_LAYOUT  = VERSION_L.res0(15, 8).res0(31, 25).seal();
  public static final Layout PRIORITY_LAYOUT = PRIORITY_L.res0(31, 8).seal();
  public static final Layout EOI_LAYOUT      = EOI_L.ignored(31, 0).seal();
  public static final Layout LDR_LAYOUT      = LDR_L.res0(23, 0).seal();
  public static final Layout X2LDR_LAYOUT    = X2LDR_L.seal();
  public static final Layout MDA_LAYOUT      = MDA_L.seal();
  public static final Layout DFR_LAYOUT      = DFR_L.res1(27, 0).seal();
  public static final Layout SVR_LAYOUT      = SVR_L.res0(11, 10).res0(31, 13).seal();
  public static final Layout BITS_LAYOUT     = BITS_L.impdef(31, 0).seal();
  public static final Layout ESR_LAYOUT      = ESR_L.res0(4, 0).res0(31, 8).seal();
  public static final Layout ICR_LAYOUT      = ICR_L.res0(13, 13).res0(17, 16).res0(31, 20).seal();
  public static final Layout ICR_HIGH_LAYOUT = ICR_HIGH_L.res0(23, 0).seal();
  public static final Layout X2ICR_LAYOUT    = X2ICR_L.seal();
  public static final Layout LVT_LAYOUT      = LVT_L.res0(11, 11).res0(31, 19).seal();
  public static final Layout TIMER_LAYOUT    = TIMER_L.impdef(31, 0).seal();

  private static final Access TPR_BITS = Access.rw(CLASS.mask() | SUB_CLASS.mask());
  private static final Access SVR_BITS = Access.rw(SPURIOUS.mask() | ENABLE.mask() | FOCUS.mask());
  private static final Access LVT_BITS =
      Access.rw(LVT_VECTOR.mask() | LVT_MODE.mask() | LVT_POLARITY.mask() | LVT_TRIGGER.mask() | LVT_MASK.mask() | LVT_TIMER.mask());
  private static final Access ICR_BITS =
      Access.rw(ICR_VECTOR.mask() | ICR_MODE.mask() | ICR_LOGICAL.mask() | ICR_LEVEL.mask() | ICR_TRIGGER.mask() | SHORTHAND.mask());
  private static final long MASKED = LVT_MASK.mask();
  private static final long NO_VECTOR = SPURIOUS.mask();
  private static final long ALL_ONES = 0xffff_ffffL;

  private static final RegisterMap.Builder B = RegisterMap.named("local APIC", BYTES);
  public static final Register ID       = B.register("ID",        0x020, Access.RO, ID_LAYOUT);
  public static final Register VERSION  = B.register("Version",   0x030, Access.RO, VERSION_LAYOUT);
  public static final Register TPR      = B.register("TPR",       0x080, TPR_BITS,  PRIORITY_LAYOUT);
  public static final Register APR      = B.register("APR",       0x090, Access.RO, PRIORITY_LAYOUT);
  public static final Register PPR      = B.register("PPR",       0x0a0, Access.RO, PRIORITY_LAYOUT);
  public static final Register EOI      = B.register("EOI",       0x0b0, Access.WO, EOI_LAYOUT);
  public static final Register LDR      = B.register("LDR",       0x0d0, Access.rw(LOGICAL_ID.mask()), LDR_LAYOUT);
  public static final Register DFR      = B.register("DFR",       0x0e0, Access.rw(MODEL.mask()), DFR_LAYOUT, ALL_ONES);
  public static final Register SVR      = B.register("SVR",       0x0f0, SVR_BITS,  SVR_LAYOUT, NO_VECTOR);
  public static final Register ISR      = B.array   ("ISR",       0x100, 8, BYTES_PER_MSR, Access.RO, BITS_LAYOUT);
  public static final Register TMR      = B.array   ("TMR",       0x180, 8, BYTES_PER_MSR, Access.RO, BITS_LAYOUT);
  public static final Register IRR      = B.array   ("IRR",       0x200, 8, BYTES_PER_MSR, Access.RO, BITS_LAYOUT);
  public static final Register ESR      = B.register("ESR",       0x280, Access.RW, ESR_LAYOUT);
  public static final Register CMCI     = B.register("LVT CMCI",  0x2f0, LVT_BITS,  LVT_LAYOUT, MASKED);
  public static final Register ICR_LOW  = B.register("ICR[31:0]", 0x300, ICR_BITS,  ICR_LAYOUT);
  public static final Register ICR_HIGH = B.register("ICR[63:32]", 0x310, Access.rw(ICR_DESTINATION.mask()), ICR_HIGH_LAYOUT);
  public static final Register TIMER    = B.register("LVT Timer", 0x320, LVT_BITS,  LVT_LAYOUT, MASKED);
  public static final Register THERMAL  = B.register("LVT Thermal Monitor", 0x330, LVT_BITS, LVT_LAYOUT, MASKED);
  public static final Register COUNTERS = B.register("LVT Performance Counter", 0x340, LVT_BITS, LVT_LAYOUT, MASKED);
  public static final Register LINT0    = B.register("LVT LINT0", 0x350, LVT_BITS,  LVT_LAYOUT, MASKED);
  public static final Register LINT1    = B.register("LVT LINT1", 0x360, LVT_BITS,  LVT_LAYOUT, MASKED);
  public static final Register ERROR    = B.register("LVT Error", 0x370, LVT_BITS,  LVT_LAYOUT, MASKED);
  public static final Register INITIAL  = B.register("Initial Count", 0x380, Access.RW, TIMER_LAYOUT);
  public static final Register CURRENT  = B.register("Current Count", 0x390, Access.RO, TIMER_LAYOUT);
  public static final Register DIVIDE   = B.register("Divide Configuration", 0x3e0, Access.rw(0b1011), TIMER_LAYOUT);
  public static final RegisterMap MAP   = B.seal();
  // spotless:on

  private LapicRegisters() {}
}
