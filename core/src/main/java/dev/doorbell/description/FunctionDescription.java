package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// A PCI function.
///
/// @param config its config space as captured
/// @param resources BARs as the kernel placed them (sysfs `resource`), by BAR number
/// @param physicalFunction of a VF, its PF
/// @param driver the driver that the capture shows bound
/// @param hypothetical added by `--with`, not captured
public record FunctionDescription(
    Sbdf sbdf,
    ConfigSpace config,
    List<Bar> resources,
    Optional<Sbdf> physicalFunction,
    Optional<String> driver,
    OptionalInt recordedGroup,
    boolean hypothetical,
    Source source) {
  /// A placed BAR.
  ///
  /// @param index 0 to 5, 6 for the expansion ROM, 7 to 12 for VF BARs
  public record Bar(int index, AddressRange range, boolean io) {}

  public FunctionDescription {
    resources = List.copyOf(resources);
  }
}
