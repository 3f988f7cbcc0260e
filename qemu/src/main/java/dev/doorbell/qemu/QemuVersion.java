package dev.doorbell.qemu;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A version of QEMU.
public record QemuVersion(int major, int minor, int micro) implements Comparable<QemuVersion> {
  /// The oldest that Doorbell drives.
  public static final QemuVersion LEAST = new QemuVersion(7, 2, 0);

  private static final Pattern TOLD =
      Pattern.compile("QEMU emulator version (\\d{1,4})\\.(\\d{1,4})\\.(\\d{1,4})");

  /// {@return the version in what `--version` prints}
  static Optional<QemuVersion> in(String text) {
    Matcher m = TOLD.matcher(text);
    return m.find()
        ? Optional.of(
            new QemuVersion(
                Integer.parseInt(m.group(1)),
                Integer.parseInt(m.group(2)),
                Integer.parseInt(m.group(3))))
        : Optional.empty();
  }

  /// {@return whether this one is that one or newer}
  public boolean isAtLeast(int majorLeast, int minorLeast) {
    return compareTo(new QemuVersion(majorLeast, minorLeast, 0)) >= 0;
  }

  @Override
  public int compareTo(QemuVersion other) {
    int byMajor = Integer.compare(major, other.major);
    int byMinor = Integer.compare(minor, other.minor);
    return byMajor != 0 ? byMajor : byMinor != 0 ? byMinor : Integer.compare(micro, other.micro);
  }

  @Override
  public String toString() {
    return "%d.%d.%d".formatted(major, minor, micro);
  }
}
