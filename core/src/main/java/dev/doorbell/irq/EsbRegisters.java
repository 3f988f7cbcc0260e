package dev.doorbell.irq;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// An event state buffer (ESB): the page of 64 KiB with which one interrupt of a POWER machine is managed, a bridge's or one that a hypervisor gives, by
/// 8-byte loads that answer PQ and change it.
///
/// Big-endian words; bit 0 is the least significant of the value that a CPU sees.
///
/// **Source**: skiboot 7.1 `include/xive.h` (`XIVE_ESB_*`), `hw/phb4.c` (`PHB_CTRLR.IRQ_PGSZ_64K`); Linux 6.12 `arch/powerpc/include/asm/xive-regs.h`.
public final class EsbRegisters {
  /// Bytes of a page.
  public static final long BYTES = 0x1_0000;

  /// P 0, Q 0: nothing has happened.
  public static final int RESET = 0;

  /// P 0, Q 1: triggers are dropped.
  public static final int OFF = 1;

  /// P 1, Q 0: an event was sent and its end not yet told.
  public static final int PENDING = 2;

  /// P 1, Q 1: another trigger came meanwhile.
  public static final int QUEUED = 3;

  private static final Layout L = Layout.lsb0("ESB", 8);

  // spotless:off
  public static final Field PQ      = L.bits("PQ", 1, 0, ValueNames.of(RESET, "reset", OFF, "off", PENDING, "pending", QUEUED, "queued"));
  public static final Layout LAYOUT = L.res0(63, 2).seal();

  private static final RegisterMap.Builder B = RegisterMap.named("ESB page", BYTES);
  public static final Register EOI       = B.register("LOAD_EOI",   0x000, Access.RW, LAYOUT);
  public static final Register GET       = B.register("GET",        0x800, Access.RO, LAYOUT);
  public static final Register SET_PQ_00 = B.register("SET_PQ_00",  0xc00, Access.RO, LAYOUT);
  public static final Register SET_PQ_01 = B.register("SET_PQ_01",  0xd00, Access.RO, LAYOUT);
  public static final Register SET_PQ_10 = B.register("SET_PQ_10",  0xe00, Access.RO, LAYOUT);
  public static final Register SET_PQ_11 = B.register("SET_PQ_11",  0xf00, Access.RO, LAYOUT);
  public static final RegisterMap MAP = B.seal();
  // spotless:on

  private EsbRegisters() {}

  /// {@return where a register of an interrupt's page is in the window of them all}
  public static long at(int number, Register register) {
    return number * BYTES + register.offset();
  }

  /// {@return the register that sets PQ}
  public static Register setting(int pq) {
    return switch (pq) {
      case RESET -> SET_PQ_00;
      case OFF -> SET_PQ_01;
      case PENDING -> SET_PQ_10;
      default -> SET_PQ_11;
    };
  }
}
