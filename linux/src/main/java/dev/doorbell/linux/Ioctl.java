package dev.doorbell.linux;

/// A request of `ioctl(2)`: its name and its number on the architecture that this process runs on.
///
/// @param name as the kernel's headers spell it
/// @param number direction, size, type and number as the architecture packs them
///
/// **Source**: Linux `include/uapi/asm-generic/ioctl.h`; `arch/powerpc/include/uapi/asm/ioctl.h`
public record Ioctl(String name, int number) {
  private enum Direction {
    NONE,
    WRITE,
    READ,
    READ_WRITE
  }

  /// `_IO`: no argument, or one whose size the number does not tell.
  public static Ioctl io(String name, int type, int nr) {
    return new Ioctl(name, IoctlNumberLayout.HERE.number(0, type, nr, 0));
  }

  /// `_IOW`: the kernel reads the argument.
  public static Ioctl iow(String name, int type, int nr, int bytes) {
    return new Ioctl(
        name, IoctlNumberLayout.HERE.number(Direction.WRITE.ordinal(), type, nr, bytes));
  }

  /// `_IOR`: the kernel writes the argument.
  public static Ioctl ior(String name, int type, int nr, int bytes) {
    return new Ioctl(
        name, IoctlNumberLayout.HERE.number(Direction.READ.ordinal(), type, nr, bytes));
  }

  /// `_IOWR`: both.
  public static Ioctl iowr(String name, int type, int nr, int bytes) {
    return new Ioctl(
        name, IoctlNumberLayout.HERE.number(Direction.READ_WRITE.ordinal(), type, nr, bytes));
  }
}
