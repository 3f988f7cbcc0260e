package dev.doorbell.pci;

/// The bus numbers of a bridge.
///
/// @param primary bus above
/// @param secondary bus below; 0 before it is configured
/// @param subordinate last bus below
public record BridgeRegisters(int primary, int secondary, int subordinate) {
  /// {@return the bus numbers of a type 1 header}
  public static BridgeRegisters of(ConfigSpace config) {
    ConfigAccess at = ConfigAccess.header(config);
    return new BridgeRegisters(
        (int) at.read(BridgeHeaderLayout.PRIMARY_BUS),
        (int) at.read(BridgeHeaderLayout.SECONDARY_BUS),
        (int) at.read(BridgeHeaderLayout.SUBORDINATE_BUS));
  }

  /// {@return whether a bus lies below this bridge}
  public boolean leadsTo(int bus) {
    return secondary != 0 && bus >= secondary && bus <= subordinate;
  }
}
