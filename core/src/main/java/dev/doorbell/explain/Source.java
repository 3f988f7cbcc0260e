package dev.doorbell.explain;

/// Where a fact was read: a file of a sysroot and an offset in it, a register, or a rule of a manual.
///
/// @param where a path relative to the sysroot, a register's name, or a manual with section
/// @param offset byte offset in a file or table, or -1 when there is none
public record Source(String where, long offset) {
  public static Source file(String path) {
    return new Source(path, -1);
  }

  public static Source at(String path, long offset) {
    return new Source(path, offset);
  }

  /// {@return a rule, such as `PCIe 6.12 ACS` or `IHI 0069 5.3.9`}
  public static Source rule(String manualAndSection) {
    return new Source(manualAndSection, -1);
  }

  @Override
  public String toString() {
    return offset < 0 ? where : where + "+0x" + Long.toHexString(offset);
  }
}
