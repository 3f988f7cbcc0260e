package dev.doorbell.vfio;

import dev.doorbell.pci.Sbdf;
import java.util.List;

/// Access to devices from a program: seam A. Implementations are Doorbell's own stack ({@link OwnStack}) and operating systems.
/// Safe for use from many threads.
public interface Vfio extends AutoCloseable {
  /// {@return the groups whose functions can be assigned}
  List<Group> groups();

  /// {@return the group of a function}
  ///
  /// @throws NoSuchFunction when no IOMMU has such a function
  Group group(Sbdf function);

  /// {@return an empty container}
  Container open(ContainerOptions options);

  /// Hands on interrupts that have arrived. Where they arrive by themselves this does nothing.
  ///
  /// {@return how many there were}
  int deliver();

  /// Lets go of the host.
  ///
  /// @throws InUse when a container is open
  @Override
  void close();
}
