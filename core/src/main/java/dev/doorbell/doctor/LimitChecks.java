package dev.doorbell.doctor;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Sysroot;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How much memory may be pinned, and in how many mappings.
///
/// **Source**: getrlimit(2); capabilities(7), CAP_IPC_LOCK; Linux drivers/vfio/vfio_iommu_type1.c, `dma_entry_limit`.
final class LimitChecks implements Checks {
  private static final String LIMITS = "proc/self/limits";
  private static final String STATUS = "proc/self/status";
  private static final int LIMIT = 64 * 1024;
  private static final int USUAL_ENTRIES = 65_535;
  private static final long MIB = 1024L * 1024;
  private static final long HUGE_PAGE_MIB = 2;
  private static final long FEW_MIB = 1024;
  private static final Pattern LOCKED =
      Pattern.compile("Max locked memory\\s+(\\S+)\\s+(\\S+)\\s+bytes.*");
  private static final Pattern EFFECTIVE = Pattern.compile("CapEff:\\s*([0-9a-f]{1,16})");

  private static final Layout CAPABILITIES = Layout.lsb0("CapEff", 8);
  private static final Field IPC_LOCK = CAPABILITIES.bit("CAP_IPC_LOCK", 14);

  static {
    CAPABILITIES.software(0, 13).software(15, 63).seal();
  }

  @Override
  public void check(Evidence e, Chart chart) {
    locked(e.sysroot(), chart);
    entries(e, chart);
  }

  private static void locked(Sysroot root, Chart chart) {
    Optional<String> line =
        root.text(LIMITS, LIMIT)
            .flatMap(t -> t.lines().filter(l -> l.startsWith("Max locked memory")).findFirst());
    Matcher m = LOCKED.matcher(line.orElse(""));
    if (!m.matches()) {
      return;
    }
    Optional<Long> capabilities =
        root.text(STATUS, LIMIT)
            .map(EFFECTIVE::matcher)
            .filter(Matcher::find)
            .map(c -> Long.parseUnsignedLong(c.group(1), 16));
    if (capabilities.map(IPC_LOCK::isSet).orElse(false)) {
      chart.fine(
          "limit.memlock",
          "this user has CAP_IPC_LOCK: guest memory of any size may be pinned (the limit of %s bytes does not count)"
              .formatted(m.group(1)),
          Source.file(STATUS));
    } else if (m.group(1).equals("unlimited")) {
      chart.fine("limit.memlock", "memory of any size may be pinned", Source.file(LIMITS));
    } else if (m.group(1).matches("[0-9]{1,18}")) {
      long mib = Long.parseLong(m.group(1)) / MIB;
      chart.add(
          "limit.memlock",
          mib < FEW_MIB ? Severity.WARNS : Severity.FINE,
          "this user may pin %d MiB (RLIMIT_MEMLOCK); all of a guest's memory is pinned, and VFIO_IOMMU_MAP_DMA fails with ENOMEM beyond that"
              .formatted(mib),
          Source.file(LIMITS),
          "ulimit -l unlimited (LimitMEMLOCK=infinity in a systemd unit, --ulimit memlock=-1 for a container)");
    }
  }

  private static void entries(Evidence e, Chart chart) {
    Optional<String> text = e.modules().parameter("vfio_iommu_type1", "dma_entry_limit");
    if (text.isEmpty() || !text.get().matches("[0-9]{1,9}")) {
      return;
    }
    int entries = Integer.parseInt(text.get());
    Source source = Source.file(Modules.path("vfio_iommu_type1", "dma_entry_limit"));
    String figure =
        "a container holds %d mappings: %d GiB when each is of 2 MiB"
            .formatted(entries, entries * HUGE_PAGE_MIB / 1024);
    if (entries < USUAL_ENTRIES) {
      chart.warns(
          "limit.dma-entries",
          figure,
          source,
          "modprobe -r vfio_iommu_type1 && modprobe vfio_iommu_type1 dma_entry_limit=65535");
    } else {
      chart.fine("limit.dma-entries", figure, source);
    }
  }
}
