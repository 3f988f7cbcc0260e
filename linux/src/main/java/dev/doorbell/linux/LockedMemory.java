package dev.doorbell.linux;

import dev.doorbell.explain.Refusal.Figure;
import java.util.Optional;
import java.util.OptionalLong;

/// How much memory of this process may stay locked, and how much is. What a device reaches is locked, so that a mapping ends at this limit
/// long before memory does.
///
/// @param limit bytes of `RLIMIT_MEMLOCK`; empty when there is none, or it is not seen
/// @param locked bytes that are locked already
///
/// **Source**: `proc(5)`: `limits` "Max locked memory", `status` VmLck (VFIO containers count there) and VmPin (iommufd counts there)
record LockedMemory(OptionalLong limit, long locked) {
  static LockedMemory of(HostFiles files) {
    return new LockedMemory(
        files
            .field("proc/self/limits", "Max locked memory")
            .filter(t -> t.matches("[0-9]{1,18}"))
            .map(t -> OptionalLong.of(Long.parseLong(t)))
            .orElse(OptionalLong.empty()),
        kibibytes(files, "VmLck:") + kibibytes(files, "VmPin:"));
  }

  private static long kibibytes(HostFiles files, String field) {
    return files
            .field("proc/self/status", field)
            .filter(HostFiles::isCount)
            .map(Long::parseLong)
            .orElse(0L)
        * 1024;
  }

  /// {@return why more cannot be locked}
  ///
  /// @param bytes that were to be locked
  Because refused(long bytes) {
    String what = "0x%x bytes cannot be locked: ".formatted(bytes);
    if (limit.isEmpty()) {
      return new Because(
          what + "the process has no limit of locked memory, or it is not seen, so memory is short",
          "free memory; of iommufd the limit counts all processes of this user");
    }
    long left = Math.max(0, limit.getAsLong() - locked);
    return new Because(
        what
            + "the limit of locked memory (RLIMIT_MEMLOCK) is %d bytes, of which %d are locked"
                .formatted(limit.getAsLong(), locked),
        "raise it (`ulimit -l`, or LimitMEMLOCK= of the service), or map less at a time",
        Optional.of(Figure.bytes(bytes)),
        Optional.of(Figure.bytes(left)));
  }

  /// {@return why a mapping of this process's memory is refused, whichever interface was asked}
  static Because because(Errno e, HostFiles files, long bytes) {
    return switch (e.name()) {
      case "ENOMEM" -> of(files).refused(bytes);
      case "EFAULT" ->
          new Because(
              "part of the memory is not this process's own pages (a device's BAR, or unmapped)",
              "map memory that a container allocated, or leave peer-to-peer off");
      default -> Because.general(e);
    };
  }
}
