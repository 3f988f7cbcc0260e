package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The part of a message that carries open files, and the message's own header.
///
/// **Source**: `cmsg(3)`, `unix(7)` SCM_RIGHTS
final class ControlMessage {
  private static final long HEADER = SystemLayout.CMSGHDR.bytes();

  private ControlMessage() {}

  /// {@return room for some descriptors, `CMSG_SPACE` bytes, its header filled in}
  static MemorySegment room(Arena arena, int descriptors) {
    long payload = (long) descriptors * Integer.BYTES;
    long space = HEADER + Math.ceilDiv(payload, Long.BYTES) * Long.BYTES;
    MemorySegment c = arena.allocate(space, Long.BYTES);
    SystemLayout.CMSG_LEN.set(c, HEADER + payload);
    SystemLayout.CMSG_LEVEL.set(c, KernelConstants.SOL_SOCKET);
    SystemLayout.CMSG_TYPE.set(c, KernelConstants.SCM_RIGHTS);
    return c;
  }

  static void put(MemorySegment control, int index, int fd) {
    control.set(JAVA_INT, HEADER + (long) index * Integer.BYTES, fd);
  }

  /// {@return a message's header over its bytes and its control part}
  static MemorySegment message(Arena arena, MemorySegment data, MemorySegment control) {
    MemorySegment v = SystemLayout.IOVEC.allocate(arena);
    SystemLayout.IOVEC_BASE.set(v, data.address());
    SystemLayout.IOVEC_LEN.set(v, data.byteSize());
    MemorySegment m = SystemLayout.MSGHDR.allocate(arena);
    SystemLayout.MSG_IOV.set(m, v.address());
    SystemLayout.MSG_IOVLEN.set(m, 1);
    if (control.address() != 0) {
      SystemLayout.MSG_CONTROL.set(m, control.address());
      SystemLayout.MSG_CONTROLLEN.set(m, control.byteSize());
    }
    return m;
  }

  /// {@return numbers of the descriptors in a message that was received}
  static List<Integer> descriptors(MemorySegment message, MemorySegment control) {
    List<Integer> out = new ArrayList<>();
    long filled = SystemLayout.MSG_CONTROLLEN.get(message);
    long at = 0;
    while (at + HEADER <= filled) {
      long length = SystemLayout.CMSG_LEN.get(control, at);
      if (length < HEADER || length > filled - at) {
        break;
      }
      if (SystemLayout.CMSG_LEVEL.get(control, at) == KernelConstants.SOL_SOCKET
          && SystemLayout.CMSG_TYPE.get(control, at) == KernelConstants.SCM_RIGHTS) {
        for (long i = HEADER; i + Integer.BYTES <= length; i += Integer.BYTES) {
          out.add(control.get(JAVA_INT, at + i));
        }
      }
      at += Math.ceilDiv(length, Long.BYTES) * Long.BYTES;
    }
    return out;
  }
}
