package dev.doorbell.linux;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// This kernel, or the hardware below it, does not have what was asked for. The refusal's type says what.
public final class KernelLacks extends LinuxException {
  private static final long serialVersionUID = 1L;

  private KernelLacks(String type, String message, Source source, String advice) {
    super(
        new Refusal(
            type,
            message,
            Optional.empty(),
            Optional.empty(),
            List.of("the kernel"),
            source,
            advice));
  }

  /// @param reason which part is missing
  static KernelLacks dirtyTracking(String reason, Source source, String advice) {
    return new KernelLacks("NoDirtyTracking", reason, source, advice);
  }

  static KernelLacks windows() {
    return new KernelLacks(
        "NoMoreWindows",
        "this container's IOMMU has no windows that can be made: all that it translates is there already",
        Source.rule("Linux VFIO_IOMMU_SPAPR_TCE_CREATE"),
        "map within the container's IOVA ranges");
  }
}
