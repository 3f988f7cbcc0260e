package dev.doorbell.vfio;

import dev.doorbell.address.Granule;
import java.util.Optional;

/// How a container is made.
///
/// @param unsafeInterrupts whether groups are taken whose functions could forge others' vectors
/// @param automaticWindow whether the first group brings an MSI window with it where none is registered
/// @param granule the smallest mapping; empty for the IOMMU's smallest
public record ContainerOptions(
    boolean unsafeInterrupts, boolean automaticWindow, Optional<Granule> granule) {
  /// Isolated interrupts only, with an automatic window.
  public static final ContainerOptions USUAL = new ContainerOptions(false, true, Optional.empty());

  public ContainerOptions withUnsafeInterrupts() {
    return new ContainerOptions(true, automaticWindow, granule);
  }

  /// {@return options without an automatic window: one is registered, or there is none}
  public ContainerOptions withoutAutomaticWindow() {
    return new ContainerOptions(unsafeInterrupts, false, granule);
  }

  public ContainerOptions withGranule(Granule wanted) {
    return new ContainerOptions(unsafeInterrupts, automaticWindow, Optional.of(wanted));
  }
}
