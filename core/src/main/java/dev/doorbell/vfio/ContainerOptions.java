package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import java.util.List;
import java.util.Optional;

/// How a container is made.
///
/// @param unsafeInterrupts whether groups are taken whose functions could forge others' vectors
/// @param automaticWindow whether the first group brings an MSI window with it where none is registered
/// @param granule the smallest mapping; empty for the IOMMU's smallest
/// @param iovas IOVAs that the user will map. A group behind whose IOMMU they cannot be mapped is refused; where windows are to be chosen (POWER) they are
///     made for these. Empty for what is usual
public record ContainerOptions(
    boolean unsafeInterrupts,
    boolean automaticWindow,
    Optional<Granule> granule,
    List<AddressRange> iovas) {
  /// Isolated interrupts only, with an automatic window.
  public static final ContainerOptions USUAL =
      new ContainerOptions(false, true, Optional.empty(), List.of());

  public ContainerOptions {
    iovas = List.copyOf(iovas);
  }

  public ContainerOptions withUnsafeInterrupts() {
    return new ContainerOptions(true, automaticWindow, granule, iovas);
  }

  /// {@return options without an automatic window: one is registered, or there is none}
  public ContainerOptions withoutAutomaticWindow() {
    return new ContainerOptions(unsafeInterrupts, false, granule, iovas);
  }

  public ContainerOptions withGranule(Granule wanted) {
    return new ContainerOptions(unsafeInterrupts, automaticWindow, Optional.of(wanted), iovas);
  }

  public ContainerOptions withIovas(List<AddressRange> wanted) {
    return new ContainerOptions(unsafeInterrupts, automaticWindow, granule, wanted);
  }
}
