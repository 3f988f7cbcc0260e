package dev.doorbell.pci;

import dev.doorbell.explain.Oddity;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// One PCI function: its address, its configuration space and what that says.
///
/// Made once and read many times; facts that live hardware changes (bus numbers, ACS control, MSI state) are read when asked for.
public final class PciFunction {
  private static final int NO_FUNCTION = 0xffff;
  private static final int BRIDGE_BASE_CLASS = 6;

  private final Sbdf sbdf;
  private final ConfigSpace config;
  private final Capabilities capabilities;
  private final Optional<Sbdf> physicalFunction;

  private PciFunction(
      Sbdf sbdf, ConfigSpace config, String where, Optional<Sbdf> physicalFunction) {
    this.sbdf = sbdf;
    this.config = config;
    this.capabilities = Capabilities.of(config, where);
    this.physicalFunction = physicalFunction;
  }

  /// {@return a function}
  ///
  /// @param where the file or device its space was read from, for the sources of oddities
  public static PciFunction of(Sbdf sbdf, ConfigSpace config, String where) {
    return new PciFunction(sbdf, config, where, Optional.empty());
  }

  /// {@return a VF}
  public static PciFunction virtual(
      Sbdf sbdf, ConfigSpace config, String where, Sbdf physicalFunction) {
    return new PciFunction(sbdf, config, where, Optional.of(physicalFunction));
  }

  public Sbdf sbdf() {
    return sbdf;
  }

  public ConfigSpace config() {
    return config;
  }

  public Capabilities capabilities() {
    return capabilities;
  }

  /// {@return of a VF, its PF, when whoever made this knew it}
  public Optional<Sbdf> physicalFunction() {
    return physicalFunction;
  }

  /// {@return the Vendor ID; a VF's reads 0xffff, and is its PF's}
  public int vendor() {
    return config.read16((int) ConfigHeaderLayout.VENDOR.offset());
  }

  /// {@return the Device ID; a VF's reads 0xffff, and is told by its PF's SR-IOV capability}
  public int device() {
    return config.read16((int) ConfigHeaderLayout.DEVICE.offset());
  }

  /// {@return base class, sub-class and programming interface as 24 bits}
  public int classCode() {
    int high = config.read16((int) ConfigHeaderLayout.CLASS_HIGH.offset());
    return high << Byte.SIZE | config.read8((int) ConfigHeaderLayout.CLASS_LOW.offset());
  }

  /// {@return the header layout: 0, 1 (bridge) or 2 (CardBus); empty when it cannot be seen}
  public Seen<Integer> headerLayout() {
    ConfigAccess header = ConfigAccess.header(config);
    return header.sees(ConfigHeaderLayout.HEADER_TYPE)
        ? new Seen.There<>(
            (int) header.get(ConfigHeaderLayout.HEADER_TYPE, ConfigHeaderLayout.HEADER_LAYOUT))
        : new Seen.NotVisible<>("only %d bytes of the header are there".formatted(config.size()));
  }

  /// {@return whether it says of itself that its device has several functions}
  public boolean saysMultiFunction() {
    ConfigAccess header = ConfigAccess.header(config);
    return header.sees(ConfigHeaderLayout.HEADER_TYPE)
        && header.isSet(ConfigHeaderLayout.HEADER_TYPE, ConfigHeaderLayout.MULTI_FUNCTION);
  }

  /// {@return whether this is a PCI-PCI bridge or a PCIe port, by its header}
  public boolean isBridge() {
    return headerLayout().thing().filter(h -> h == 1).isPresent();
  }

  /// {@return whether its class is host bridge}
  public boolean isHostBridge() {
    return config.size() > ConfigHeaderLayout.CLASS_HIGH.offset() + 1
        && classCode() >>> Byte.SIZE == BRIDGE_BASE_CLASS << Byte.SIZE;
  }

  /// {@return whether nothing answered when the space was read}
  public boolean isAbsent() {
    return config.size() >= 2 * Short.BYTES
        && vendor() == NO_FUNCTION
        && device() == NO_FUNCTION
        && physicalFunction.isEmpty();
  }

  /// {@return the bus numbers of a bridge}
  public Seen<BridgeRegisters> bridge() {
    return headerLayout().flatMap(layout -> layout == 1 ? busNumbers() : new Seen.NotThere<>());
  }

  private Seen<BridgeRegisters> busNumbers() {
    return ConfigAccess.header(config).sees(BridgeHeaderLayout.SUBORDINATE_BUS)
        ? new Seen.There<>(BridgeRegisters.of(config))
        : new Seen.NotVisible<>(
            "the bus numbers lie outside the %d bytes that are there".formatted(config.size()));
  }

  /// {@return what kind of PCI Express function it is; not there for a conventional one}
  public Seen<PortType> portType() {
    return within(
        capabilities.find(CapabilityLayout.PCI_EXPRESS),
        (int) PcieLayout.CAPABILITIES.offset() + PcieLayout.CAPABILITIES.bytes(),
        c ->
            PortType.of(
                (int)
                    new ConfigAccess(config, c.offset())
                        .get(PcieLayout.CAPABILITIES, PcieLayout.TYPE)));
  }

  /// {@return whether a downstream port forwards ARI function numbers at the moment}
  public boolean forwardsAri() {
    return capabilities
        .find(CapabilityLayout.PCI_EXPRESS)
        .thing()
        .map(c -> new ConfigAccess(config, c.offset()))
        .filter(a ->
            a.sees(PcieLayout.DEVICE_CONTROL_2)
                && a.get(PcieLayout.CAPABILITIES, PcieLayout.VERSION) >= 2)
        .map(a -> a.isSet(PcieLayout.DEVICE_CONTROL_2, PcieLayout.ARI_FORWARDING))
        .orElse(false);
  }

  /// {@return whether it has the ARI capability}
  public Seen<Boolean> ari() {
    return capabilities.findExtended(CapabilityLayout.EXTENDED_ARI).map(c -> true);
  }

  public Seen<MsiCapability> msi() {
    Seen<Capability> found = capabilities.find(CapabilityLayout.MSI);
    if (found instanceof Seen.There<Capability>(Capability c)) {
      if (c.offset() + MsiLayout.CONTROL.offset() + MsiLayout.CONTROL.bytes() <= config.size()) {
        MsiCapability msi = MsiCapability.at(sbdf.toString(), config, c.offset());
        if (msi.isVisible()) {
          return new Seen.There<>(msi);
        }
      }
      return new Seen.NotVisible<>(
          "the MSI capability at 0x%x runs past the %d bytes that are there"
              .formatted(c.offset(), config.size()));
    }
    return found.map(c -> MsiCapability.at(sbdf.toString(), config, c.offset()));
  }

  public Seen<MsixCapability> msix() {
    return within(
        capabilities.find(CapabilityLayout.MSIX),
        (int) MsixLayout.MAP.bytes(),
        c -> MsixCapability.at(sbdf.toString(), config, c.offset()));
  }

  public Seen<AcsCapability> acs() {
    return within(
        capabilities.findExtended(CapabilityLayout.EXTENDED_ACS),
        (int) ExtendedLayout.ACS_CONTROL.offset() + ExtendedLayout.ACS_CONTROL.bytes(),
        c -> AcsCapability.at(config, c.offset()));
  }

  public Seen<SriovCapability> sriov() {
    return within(
        capabilities.findExtended(CapabilityLayout.EXTENDED_SRIOV),
        (int) SriovLayout.MAP.bytes(),
        c -> SriovCapability.at(config, c.offset()));
  }

  /// {@return the BARs as they stand}
  public BarDecode.Bars bars() {
    return BarDecode.read(config, sbdf.toString());
  }

  /// {@return what is wrong with its capability lists}
  public List<Oddity> oddities() {
    return capabilities.oddities();
  }

  private <T> Seen<T> within(Seen<Capability> found, int bytes, Function<Capability, T> read) {
    if (found instanceof Seen.There<Capability>(Capability c)
        && c.offset() + bytes > config.size()) {
      return new Seen.NotVisible<>(
          "the capability at 0x%x runs past the %d bytes that are there"
              .formatted(c.offset(), config.size()));
    }
    return found.map(read);
  }

  @Override
  public String toString() {
    return sbdf.toString();
  }
}
