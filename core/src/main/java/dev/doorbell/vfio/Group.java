package dev.doorbell.vfio;

import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// Functions that can only be assigned together.
public interface Group {
  int id();

  /// {@return every function of the group, bridges and ports included}
  List<Sbdf> functions();

  /// {@return why they are one group, a sentence a reason}
  List<String> because();

  Viability viability();

  /// {@return IOVAs that some function of the group cannot use}
  List<ReservedRegion> reserved();

  /// {@return whether no function of the group can raise another device's vectors}
  boolean isolatedMsi();

  Optional<Container> container();

  /// Opens a function.
  ///
  /// @throws NoSuchFunction when the group has it not, or it is a bridge
  /// @throws NotAttached when the group is in no container
  /// @throws InUse when it is open
  Device open(Sbdf function);
}
