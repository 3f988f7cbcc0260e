package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.doorbell.pci.Sbdf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The reset of a bus or slot with all its functions.
///
/// **Source**: Linux `include/uapi/linux/vfio.h`, `VFIO_DEVICE_GET_PCI_HOT_RESET_INFO`, `VFIO_DEVICE_PCI_HOT_RESET`
final class HotReset {
  private HotReset() {}

  /// {@return functions that are reset together}
  static List<Sbdf> together(Descriptor device) {
    return affected(device).stream().map(Affected::function).toList();
  }

  /// A function that is reset.
  ///
  /// @param owner its group, or its device id with iommufd
  private record Affected(Sbdf function, int owner) {}

  private static List<Affected> affected(Descriptor device) {
    try (Arena arena = Arena.ofConfined()) {
      int room = 0;
      while (true) {
        MemorySegment s =
            VfioLayout.HOT_RESET_INFO.allocate(
                arena, (long) room * VfioLayout.DEPENDENT_DEVICE.bytes());
        VfioLayout.HOT_RESET_INFO_ARGSZ.set(s, s.byteSize());
        int answer = device.tryIoctl(VfioLayout.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, s);
        if (answer == -Errno.ENOSPC.number()) {
          room = Math.max(room + 1, VfioLayout.HOT_RESET_INFO_COUNT.getInt(s));
          continue;
        }
        Kernel.check(answer, VfioLayout.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO.name(), device.name());
        return read(s);
      }
    }
  }

  private static List<Affected> read(MemorySegment s) {
    List<Affected> out = new ArrayList<>();
    for (int i = 0; i < VfioLayout.HOT_RESET_INFO_COUNT.getInt(s); i++) {
      long at =
          VfioLayout.HOT_RESET_INFO_DEVICES.offset()
              + (long) i * VfioLayout.DEPENDENT_DEVICE.bytes();
      int rid =
          (int)
              (VfioLayout.DEPENDENT_BUS.get(s, at) << Byte.SIZE
                  | VfioLayout.DEPENDENT_DEVFN.get(s, at));
      out.add(
          new Affected(
              Sbdf.of((int) VfioLayout.DEPENDENT_SEGMENT.get(s, at), rid),
              (int) VfioLayout.DEPENDENT_GROUP.get(s, at)));
    }
    return out;
  }

  /// Resets. With containers the groups' files prove that the caller owns what is reset; with iommufd the device's own does.
  static void perform(Descriptor device, DmaSpace space) {
    List<Descriptor> proof =
        space.proof(affected(device).stream().map(Affected::owner).distinct().toList());
    List<Descriptor> held = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = VfioLayout.HOT_RESET.allocate(arena, (long) proof.size() * Integer.BYTES);
      VfioLayout.HOT_RESET_ARGSZ.set(s, s.byteSize());
      VfioLayout.HOT_RESET_COUNT.set(s, proof.size());
      for (Descriptor d : proof) {
        s.set(
            JAVA_INT,
            VfioLayout.HOT_RESET_GROUP_FDS.offset() + (long) held.size() * Integer.BYTES,
            d.acquire());
        held.add(d);
      }
      device.ioctl(
          VfioLayout.VFIO_DEVICE_PCI_HOT_RESET,
          s,
          e ->
              e.equals(Errno.EINVAL) || e.equals(Errno.EPERM)
                  ? new Because(
                      "functions outside this container would be reset, too: " + together(device),
                      "attach their groups to this container first")
                  : Because.general(e));
    } finally {
      held.forEach(Descriptor::release);
    }
  }

  /// {@return why a function cannot be reset by itself}
  static Because noneOfItsOwn(Errno e) {
    return switch (e.name()) {
      case "EINVAL", "ENOTTY" ->
          new Because(
              "the function has no reset of its own, or is gone",
              "reset the bus or slot with all its functions (hot reset), or close it where `dmesg` says that it is gone");
      case "EAGAIN" ->
          new Because(
              "the host is taking the function away, or resets it",
              "close it where the host asks for it back (its request interrupt), else try again");
      default -> Because.general(e);
    };
  }
}
