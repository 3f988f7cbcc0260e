package dev.doorbell.diff;

import java.util.Arrays;
import java.util.Optional;

/// What is put to the test.
public enum Hardware {
  /// IOMMU, with messages to memory.
  SMMUV3("smmuv3"),
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

  /// {@return the hardware of a name}
  public static Optional<Hardware> of(String id) {
    return Arrays.stream(values()).filter(h -> h.id.equals(id)).findFirst();
  }
}
