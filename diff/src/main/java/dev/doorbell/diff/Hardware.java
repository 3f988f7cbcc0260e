package dev.doorbell.diff;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/// What is put to the test.
public enum Hardware {
  /// IOMMU, with messages to memory.
  SMMUV3("smmuv3"),
  /// The same with devices that read memory, too, and with the SMMU's wired interrupts.
  SMMUV3_FULL("smmuv3-full"),
  /// ITS with a GICv3's Redistributors, with messages to GITS_TRANSLATER.
  ITS("its"),
  /// Message frame with a GICv2.
  GICV2M("gicv2m");

  private final String id;

  Hardware(String id) {
    this.id = id;
  }

  /// {@return the name on the command line and in scripts}
  public String id() {
    return id;
  }

  /// {@return whether it is an SMMU, with whatever around it}
  boolean isSmmu() {
    return this == SMMUV3 || this == SMMUV3_FULL;
  }

  /// {@return the names, for people}
  public static String names() {
    return Arrays.stream(values()).map(Hardware::id).collect(Collectors.joining("|"));
  }

  /// {@return the hardware of a name}
  public static Optional<Hardware> of(String id) {
    return Arrays.stream(values()).filter(h -> h.id.equals(id)).findFirst();
  }
}
