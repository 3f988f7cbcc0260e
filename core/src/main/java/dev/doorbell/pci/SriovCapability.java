package dev.doorbell.pci;

import java.util.OptionalInt;

/// The SR-IOV capability of a PF.
///
/// @param offset of its header
/// @param enabled whether its VFs exist
/// @param vfs NumVFs
/// @param totalVfs the most it can have
/// @param firstOffset First VF Offset, at the ARI setting of the moment
/// @param stride VF Stride
/// @param vfDevice Device ID of its VFs
/// @param ariHierarchy whether VFs may use function numbers above 7 of the PF's bus
public record SriovCapability(
    int offset,
    boolean enabled,
    int vfs,
    int totalVfs,
    int firstOffset,
    int stride,
    int vfDevice,
    boolean ariHierarchy) {

  /// {@return the capability whose header lies at an offset}
  public static SriovCapability at(ConfigSpace config, int offset) {
    ConfigAccess at = new ConfigAccess(config, offset);
    return new SriovCapability(
        offset,
        at.isSet(SriovLayout.CONTROL, SriovLayout.VF_ENABLE),
        (int) at.read(SriovLayout.NUM_VFS),
        (int) at.read(SriovLayout.TOTAL_VFS),
        (int) at.read(SriovLayout.FIRST_VF_OFFSET),
        (int) at.read(SriovLayout.VF_STRIDE),
        (int) at.read(SriovLayout.VF_DEVICE_ID),
        at.isSet(SriovLayout.CONTROL, SriovLayout.ARI_HIERARCHY));
  }

  /// {@return the VF of an index, which may lie on a later bus; empty past the last one or past bus 255}
  ///
  /// @param index 0 for the first VF
  public OptionalInt requesterId(Sbdf pf, int index) {
    if (index < 0 || index >= totalVfs || firstOffset == 0 || index > 0 && stride == 0) {
      return OptionalInt.empty();
    }
    int rid = pf.requesterId() + firstOffset + index * stride;
    return rid > 0xffff ? OptionalInt.empty() : OptionalInt.of(rid);
  }

  /// {@return how far the requester id of its last possible VF lies above the first one of its bus}
  public int lastRequesterOffset(Sbdf pf) {
    return (pf.requesterId() & 0xff) + firstOffset + (totalVfs - 1) * stride;
  }

  /// {@return which VF a requester id is, when VFs are enabled}
  public OptionalInt indexOf(Sbdf pf, int requesterId) {
    if (!enabled || firstOffset == 0) {
      return OptionalInt.empty();
    }
    int past = requesterId - pf.requesterId() - firstOffset;
    if (past == 0 && vfs > 0) {
      return OptionalInt.of(0);
    }
    if (past < 0 || stride == 0 || past % stride != 0 || past / stride >= vfs) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(past / stride);
  }
}
