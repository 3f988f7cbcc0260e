package dev.doorbell.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/// A VFIO information structure that may have capabilities behind it: asked twice, with the room that the kernel named.
final class InfoCaps {
  private static final int MOST_CAPS = 64;

  private InfoCaps() {}

  /// {@return the whole answer}
  ///
  /// @param prepare fills in what the request needs besides the size
  static MemorySegment ask(
      Arena arena,
      Descriptor of,
      Ioctl request,
      Struct struct,
      java.util.function.Consumer<MemorySegment> prepare) {
    // Every such structure begins with argsz.
    long room = struct.bytes();
    while (true) {
      MemorySegment s = arena.allocate(room, Long.BYTES);
      VfioLayout.DEVICE_ARGSZ.set(s, room);
      prepare.accept(s);
      of.ioctl(request, s);
      long needs = VfioLayout.DEVICE_ARGSZ.get(s);
      if (needs <= room) {
        return s;
      }
      room = needs;
    }
  }

  /// {@return where a capability begins}
  ///
  /// @param first its structure's own offset of the first one
  /// @throws IllegalStateException when the list leads outside the structure or never ends
  static OptionalLong find(MemorySegment info, long first, int id) {
    List<Long> passed = new ArrayList<>();
    long at = first;
    while (at != 0) {
      if (at > info.byteSize() - VfioLayout.CAP_HEADER.bytes() || passed.size() > MOST_CAPS) {
        throw new IllegalStateException(
            "the kernel's list of capabilities leads to 0x%x, in %d bytes"
                .formatted(at, info.byteSize()));
      }
      if (VfioLayout.CAP_ID.get(info, at) == id) {
        return OptionalLong.of(at);
      }
      passed.add(at);
      at = VfioLayout.CAP_NEXT.get(info, at);
    }
    return OptionalLong.empty();
  }
}
