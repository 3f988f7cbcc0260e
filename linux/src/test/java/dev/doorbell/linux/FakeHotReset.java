package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// `vfio_pci_ioctl_get_pci_hot_reset_info` and `vfio_pci_ioctl_pci_hot_reset` of Linux, as far as ownership goes.
final class FakeHotReset {
  private static final int DEV_ID = 1;
  private static final int INVALID = FakeFile.INVALID;

  private FakeHotReset() {}

  /// With too little room only the number of functions is told.
  static int info(FakeDeviceFile d, MemorySegment argument) {
    MemorySegment s = FakeFile.in(argument, VfioLayout.HOT_RESET_INFO);
    long room = VfioLayout.HOT_RESET_INFO_ARGSZ.get(s);
    if (room < s.byteSize()) {
      return INVALID;
    }
    List<FakeFunction> all = d.kernel.resetTogether(d.function);
    VfioLayout.HOT_RESET_INFO_FLAGS.set(s, d.bound == null ? 0 : DEV_ID);
    VfioLayout.HOT_RESET_INFO_COUNT.set(s, all.size());
    long needed = s.byteSize() + (long) all.size() * VfioLayout.DEPENDENT_DEVICE.bytes();
    if (room < needed) {
      return -Errno.ENOSPC.number();
    }
    MemorySegment w = FakeFile.wide(argument, needed);
    long at = s.byteSize();
    for (FakeFunction f : all) {
      VfioLayout.DEPENDENT_GROUP.set(w, at, f.group);
      VfioLayout.DEPENDENT_SEGMENT.set(w, at, f.sbdf.segment());
      VfioLayout.DEPENDENT_BUS.set(w, at, f.sbdf.bus());
      VfioLayout.DEPENDENT_DEVFN.set(w, at, f.sbdf.requesterId() & 0xff);
      at += VfioLayout.DEPENDENT_DEVICE.bytes();
    }
    return 0;
  }

  static int perform(FakeDeviceFile d, MemorySegment argument) {
    MemorySegment s = FakeFile.in(argument, VfioLayout.HOT_RESET);
    int count = VfioLayout.HOT_RESET_COUNT.getInt(s);
    long needed = s.byteSize() + (long) count * Integer.BYTES;
    List<FakeFunction> all = d.kernel.resetTogether(d.function);
    if (VfioLayout.HOT_RESET_ARGSZ.get(s) < needed
        || VfioLayout.HOT_RESET_FLAGS.get(s) != 0
        || count > all.size()
        || (count == 0) != (d.bound != null)) {
      return INVALID;
    }
    Set<Integer> owned = new HashSet<>();
    for (int i = 0; i < count; i++) {
      long at = s.byteSize() + (long) i * Integer.BYTES;
      int fd = FakeFile.wide(argument, needed).get(JAVA_INT, at);
      if (!(d.kernel.files.get(fd) instanceof FakeFile.GroupFile g)) {
        return INVALID;
      }
      owned.add(g.function.group);
    }
    for (FakeFile f : d.kernel.files.values()) {
      if (f instanceof FakeDeviceFile o && o.bound != null && o.bound == d.bound) {
        owned.add(o.function.group);
      }
    }
    if (!all.stream().allMatch(f -> owned.contains(f.group))) {
      return INVALID;
    }
    d.function.provenBy = count;
    all.forEach(FakeFunction::reset);
    return 0;
  }
}
