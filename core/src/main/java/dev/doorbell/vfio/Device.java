package dev.doorbell.vfio;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// An open function. Safe for use from many threads.
public interface Device extends AutoCloseable {
  Sbdf function();

  /// {@return all regions, in VFIO's order, those that the function has not with size 0}
  List<RegionInfo> regions();

  /// {@return a region's registers}
  ///
  /// The MSI-X table in a BAR is the user's own copy: it reads back as written and never reaches the function.
  ///
  /// @throws IllegalArgumentException when the function has not this region
  RegisterBus region(RegionType type);

  /// {@return the configuration space as the user sees it}
  ///
  /// BARs, the MSI and MSI-X capabilities and the switches that belong to the host are the user's own copy. Bus Master Enable reaches
  /// the function.
  ///
  /// Values that a user writes into its copy are kept and nothing more.
  ConfigSpace config();

  /// Lets the function send, or not: without Bus Master Enable neither DMA nor messages leave it.
  default void busMaster(boolean enabled) {
    ConfigAccess.header(config())
        .set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE, enabled ? 1 : 0);
  }

  /// {@return all kinds of interrupts, in VFIO's order}
  List<IrqInfo> irqs();

  /// Enables vectors from 0 up, one for each trigger, or as many as can be had.
  ///
  /// {@link IrqType#ERR} and {@link IrqType#REQ} are no vectors of the function: they stand beside whatever is enabled, until the device
  /// closes, and enabling one again gives it another trigger.
  ///
  /// {@return vectors enabled; triggers beyond are not used}
  ///
  /// @param min the fewest that will do, above 0
  /// @throws NoSuchIrqs when the function has none of this type
  /// @throws InUse when vectors of some type are enabled
  /// @throws dev.doorbell.irq.TooFewVectors when it has fewer than the minimum
  /// @throws dev.doorbell.irq.NoMsiController when nothing receives its messages
  /// @throws dev.doorbell.irq.VectorsExhausted when the host has fewer than the minimum
  /// @throws dev.doorbell.irq.MessageOutOfReach when the function cannot send to the doorbell
  /// @throws dev.doorbell.iommu.MsiWindowExhausted when the MSI window has no room
  int enable(IrqType type, int min, List<? extends Trigger> triggers);

  /// Takes all vectors back. Does nothing when none is enabled, or the device is closed.
  void disable();

  /// Adds a vector, or gives one another trigger.
  ///
  /// @throws VectorsFixed when vectors are taken together
  void add(int vector, Trigger trigger);

  /// Takes a vector back, the others undisturbed.
  ///
  /// @throws VectorsFixed when vectors are taken together
  void remove(int vector);

  /// {@return whom a vector signals; empty when it is not enabled, or the function is closed}
  Optional<Trigger> trigger(int vector);

  /// {@return one vector, enabled or not}
  default DeviceVector vector(int number) {
    return new DeviceVector(this, number);
  }

  /// Holds a vector back; what arrives meanwhile fires once it is let through.
  ///
  /// @throws IllegalArgumentException when it is not enabled
  void mask(int vector, boolean masked);

  /// Signals a vector's trigger as if the function had raised it.
  ///
  /// @throws IllegalArgumentException when it is not enabled
  void loopback(int vector);

  /// Resets the function. Enabled vectors stay enabled; the user's copies of its registers are as after a reset.
  void reset();

  /// Takes vectors back, stops the function's DMA and lets it go.
  @Override
  void close();
}
