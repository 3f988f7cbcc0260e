package dev.doorbell.linux;

import dev.doorbell.explain.Refusal.Figure;
import java.util.Optional;

/// Huge pages that the administrator set aside.
///
/// @param bytes of one
/// @param free how many nobody has
///
/// **Source**: `proc(5)`, `meminfo`; Linux `Documentation/admin-guide/mm/hugetlbpage.rst`
record HugePages(long bytes, long free) {
  /// Where the kernel does not tell, as one without CONFIG_HUGETLBFS: 2 MiB, none free.
  static HugePages of(HostFiles files) {
    return new HugePages(
        number(files, "Hugepagesize:").orElse(2048L) * 1024,
        number(files, "HugePages_Free:").orElse(0L));
  }

  private static Optional<Long> number(HostFiles files, String field) {
    return files.field("proc/meminfo", field).filter(HostFiles::isCount).map(Long::parseLong);
  }

  /// {@return why memory in huge pages is refused}
  Because refused(Errno e, long needed) {
    return e.equals(Errno.ENOMEM)
        ? new Because(
            "0x%x bytes need %d huge pages of 0x%x bytes, and %d are free"
                .formatted(needed, needed / bytes, bytes, free),
            "set more aside (sysctl vm.nr_hugepages), or take ordinary memory",
            Optional.of(Figure.bytes(needed)),
            Optional.of(Figure.bytes(free * bytes)))
        : Because.general(e);
  }
}
