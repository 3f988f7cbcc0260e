package dev.doorbell.hw.pcie;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The registers of QEMU's teaching device `edu` (1234:11e8), BAR 0, as far as interrupts and DMA go.
///
/// **Source**: QEMU 10.0, `docs/specs/edu.rst`.
public final class EduLayout {
  public static final int VENDOR = 0x1234;
  public static final int DEVICE = 0x11e8;

  /// Where its 4096 bytes of memory appear to its own DMA.
  public static final long BUFFER = 0x40000;

  public static final int BUFFER_BYTES = 0x1000;

  private static final RegisterMap.Builder M = RegisterMap.named("edu BAR 0", 0x100000);
  private static final Layout ID_L = Layout.lsb0("identification", 4);
  private static final Layout WORD_L = Layout.lsb0("word", 4);
  private static final Layout STATUS_L = Layout.lsb0("status", 4);
  private static final Layout ADDRESS_L = Layout.lsb0("DMA address", 8);
  private static final Layout COMMAND_L = Layout.lsb0("DMA command", 8);

  // spotless:off
  public static final Field MAJOR      = ID_L.bits("major", 31, 24);
  public static final Field MINOR      = ID_L.bits("minor", 23, 16);
  public static final Field SIGNATURE  = ID_L.bits("edu", 15, 0);
  public static final Field WORD       = WORD_L.bits("value", 31, 0);
  public static final Field COMPUTING  = STATUS_L.bit("computing", 0);
  public static final Field FACTORIAL_INTERRUPT = STATUS_L.bit("raise interrupt", 7);
  public static final Field ADDRESS    = ADDRESS_L.bits("value", 63, 0);
  public static final Field START      = COMMAND_L.bit("start transfer", 0);
  /// Clear: memory to the device; set: device to memory.
  public static final Field FROM_DEVICE = COMMAND_L.bit("direction", 1);
  public static final Field INTERRUPT  = COMMAND_L.bit("raise interrupt 0x100 after finishing", 2);

  public static final Register IDENTIFICATION = M.register("identification", 0x00, Access.RO, ID_L.seal(), 0x010000edL);
  public static final Register LIVENESS = M.register("card liveness check", 0x04, Access.RW, WORD_L.seal());
  public static final Register FACTORIAL = M.register("factorial computation", 0x08, Access.RW, WORD_L);
  public static final Register STATUS  = M.register("status", 0x20, Access.rw(0x80), STATUS_L.res0(6, 1).res0(31, 8).seal());
  public static final Register INTERRUPT_STATUS = M.register("interrupt status", 0x24, Access.RO, WORD_L);
  public static final Register RAISE   = M.register("interrupt raise", 0x60, Access.WO, WORD_L);
  public static final Register ACKNOWLEDGE = M.register("interrupt acknowledge", 0x64, Access.WO, WORD_L);
  public static final Register DMA_SOURCE = M.register("DMA source address", 0x80, Access.RW, ADDRESS_L.seal());
  public static final Register DMA_DESTINATION = M.register("DMA destination address", 0x88, Access.RW, ADDRESS_L);
  public static final Register DMA_COUNT = M.register("DMA transfer count", 0x90, Access.RW, ADDRESS_L);
  public static final Register DMA_COMMAND = M.register("DMA command", 0x98, Access.RW, COMMAND_L.res0(63, 3).seal());
  // spotless:on

  public static final RegisterMap MAP = M.seal();

  private EduLayout() {}
}
