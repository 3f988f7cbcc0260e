package dev.doorbell.linux;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// How an architecture packs the number of an `ioctl`.
///
/// @param direction codes of: none, the kernel reads, the kernel writes, both
///
/// **Source**: Linux `include/uapi/asm-generic/ioctl.h`; `arch/powerpc/include/uapi/asm/ioctl.h`
record IoctlNumberLayout(Field nr, Field type, Field size, Field dir, Codes direction) {
  /// Codes of the direction.
  record Codes(int none, int write, int read) {
    int of(int which) {
      return switch (which) {
        case 0 -> none;
        case 1 -> write;
        case 2 -> read;
        default -> write | read;
      };
    }
  }

  static final IoctlNumberLayout GENERIC = of(14, new Codes(0, 1, 2));
  static final IoctlNumberLayout POWER = of(13, new Codes(1, 4, 2));
  static final IoctlNumberLayout HERE =
      System.getProperty("os.arch").startsWith("ppc") ? POWER : GENERIC;

  private static IoctlNumberLayout of(int sizeBits, Codes codes) {
    Layout l = Layout.lsb0("ioctl number", Integer.BYTES);
    IoctlNumberLayout out =
        new IoctlNumberLayout(
            l.bits("nr", 7, 0),
            l.bits("type", 15, 8),
            l.bits("size", 15 + sizeBits, 16),
            l.bits("dir", 31, 16 + sizeBits),
            codes);
    l.seal();
    return out;
  }

  /// @param which 0 none, 1 the kernel reads, 2 the kernel writes, 3 both
  int number(int which, int typeCode, int number, int bytes) {
    return (int)
        (nr.place(number)
            | type.place(typeCode)
            | size.place(bytes)
            | dir.place(direction.of(which)));
  }
}
