package dev.doorbell.pci;

/// How ACS control bits that are off in a capture are read. Linux turns ACS on wherever it can as soon as the machine has an IOMMU.
public enum AcsAssumption {
  /// As the capture has them: its kernel ran with an IOMMU.
  AS_CAPTURED,
  /// As a kernel with an IOMMU would leave them: what the capability offers counts as on.
  KERNEL_ENABLES;

  /// {@return the assumption that fits a capture: when some isolating service is on, a kernel (or firmware) has decided}
  public static AcsAssumption fitting(PciTopology topology) {
    boolean some =
        topology.functions().stream()
            .flatMap(f -> f.acs().thing().stream())
            .anyMatch(a -> a.enabled().stream().anyMatch(AcsService.ISOLATION::contains));
    return some ? AS_CAPTURED : KERNEL_ENABLES;
  }

  /// {@return the assumption as a sentence for people}
  public String sentence() {
    return switch (this) {
      case AS_CAPTURED -> "ACS control bits count as captured";
      case KERNEL_ENABLES ->
          "no function of the capture has ACS turned on; counted as a kernel with an IOMMU would leave it, with all that the capabilities offer turned on";
    };
  }
}
