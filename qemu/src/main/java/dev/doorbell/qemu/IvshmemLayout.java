package dev.doorbell.qemu;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The registers of QEMU's shared memory device `ivshmem-doorbell` (1af4:1110), BAR 0.
///
/// **Source**: QEMU 10.0, `docs/specs/ivshmem-spec.rst`, Device Specification.
public final class IvshmemLayout {
  public static final int VENDOR = 0x1af4;
  public static final int DEVICE = 0x1110;

  private static final RegisterMap.Builder M = RegisterMap.named("ivshmem BAR 0", 0x100);
  private static final Layout WORD_L = Layout.lsb0("word", 4);
  private static final Layout DOORBELL_L = Layout.lsb0("Doorbell", 4);

  // spotless:off
  public static final Field WORD   = WORD_L.bits("value", 31, 0);
  public static final Field VECTOR = DOORBELL_L.bits("vector", 15, 0);
  public static final Field PEER   = DOORBELL_L.bits("peer", 31, 16);

  public static final Register INTERRUPT_MASK = M.register("Interrupt Mask", 0x00, Access.RW, WORD_L.seal());
  public static final Register INTERRUPT_STATUS = M.register("Interrupt Status", 0x04, Access.RW, WORD_L);
  /// The device's own id; minus one before it has one.
  public static final Register IV_POSITION = M.register("IVPosition", 0x08, Access.RO, WORD_L);
  public static final Register DOORBELL = M.register("Doorbell", 0x0c, Access.WO, DOORBELL_L.seal());
  // spotless:on

  public static final RegisterMap MAP = M.seal();

  private IvshmemLayout() {}
}
