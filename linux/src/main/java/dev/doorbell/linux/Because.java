package dev.doorbell.linux;

import dev.doorbell.explain.Refusal.Figure;
import java.util.Optional;

/// Why a call was refused, and what to do.
///
/// @param reason in our words; lower case, no period
/// @param needed what the call needs, where it is a quantity
/// @param available what there is of it
public record Because(
    String reason, String advice, Optional<Figure> needed, Optional<Figure> available) {
  public Because(String reason, String advice) {
    this(reason, advice, Optional.empty(), Optional.empty());
  }

  /// Says why a call fails, where more is known than the errno's general meaning.
  @FunctionalInterface
  public interface Teller {
    Because of(Errno errno);
  }

  /// {@return what an errno says by itself}
  public static Because general(Errno errno) {
    return new Because(errno.meaning(), advice(errno));
  }

  /// {@return the same, said of something by name}
  Because of(String what) {
    return new Because(what + ": " + reason, advice, needed, available);
  }

  private static String advice(Errno errno) {
    return switch (errno.name()) {
      case "EPERM", "EACCES" -> "run as root, or give this user access to the file";
      case "ENOENT" -> "load the module that makes it, or mount the file system that holds it";
      case "EBUSY" -> "find who uses it (`fuser` or `lsof`) and let that go first";
      case "EMFILE" -> "raise the limit of open files (`ulimit -n`)";
      case "ENFILE" -> "raise fs.file-max";
      case "ENOMEM" -> "free memory, or raise the limit of locked memory (`ulimit -l`)";
      case "ENOTTY", "ENOSYS", "EOPNOTSUPP" ->
          "use a newer kernel, or one with this option built in";
      case "ENODEV", "ENXIO" -> "look at `dmesg`: the device is gone, or its driver let it go";
      default -> "look at the end of `dmesg`, where the kernel often says more";
    };
  }
}
