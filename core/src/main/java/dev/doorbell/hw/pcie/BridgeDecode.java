package dev.doorbell.hw.pcie;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ExtendedLayout;
import dev.doorbell.pci.PcieLayout;
import java.util.Optional;

/// The registers of a bridge that routing needs, as one value. A window whose start is above its last address is closed.
///
/// **Source**: PCI Express Base 6.0, 7.5.1.3.6 to 7.5.1.3.10 (bus numbers and windows), 7.7.11 (ACS).
record BridgeDecode(
    boolean memory,
    boolean master,
    int secondary,
    int subordinate,
    long start,
    long last,
    long prefetchableStart,
    long prefetchableLast,
    boolean sourceValidation,
    boolean redirect,
    boolean upstreamForwarding,
    boolean ari) {
  /// Windows are whole MiBs.
  static final int MEMORY_UNIT_BITS = 20;

  private static final long WITHIN_UNIT = (1L << MEMORY_UNIT_BITS) - 1;

  /// {@return what the registers say now}
  ///
  /// @param expressAt offset of the PCI Express capability, 0 for none
  /// @param acsAt offset of the ACS capability, 0 for none
  static BridgeDecode of(ConfigStorage storage, int expressAt, int acsAt) {
    long command = storage.get(0, ConfigHeaderLayout.COMMAND);
    long control = acsAt == 0 ? 0 : storage.get(acsAt, ExtendedLayout.ACS_CONTROL);
    long express = expressAt == 0 ? 0 : storage.get(expressAt, PcieLayout.DEVICE_CONTROL_2);
    return new BridgeDecode(
        ConfigHeaderLayout.MEMORY_SPACE_ENABLE.isSet(command),
        ConfigHeaderLayout.BUS_MASTER_ENABLE.isSet(command),
        (int) storage.get(0, BridgeHeaderLayout.SECONDARY_BUS),
        (int) storage.get(0, BridgeHeaderLayout.SUBORDINATE_BUS),
        window(storage, BridgeHeaderLayout.MEMORY_BASE),
        window(storage, BridgeHeaderLayout.MEMORY_LIMIT) | WITHIN_UNIT,
        prefetchable(
            storage,
            BridgeHeaderLayout.PREFETCHABLE_BASE,
            BridgeHeaderLayout.PREFETCHABLE_BASE_UPPER),
        prefetchable(
                storage,
                BridgeHeaderLayout.PREFETCHABLE_LIMIT,
                BridgeHeaderLayout.PREFETCHABLE_LIMIT_UPPER)
            | WITHIN_UNIT,
        ExtendedLayout.SOURCE_VALIDATION.isSet(control),
        ExtendedLayout.REQUEST_REDIRECT.isSet(control),
        ExtendedLayout.UPSTREAM_FORWARDING.isSet(control),
        PcieLayout.ARI_FORWARDING.isSet(express));
  }

  private static long window(ConfigStorage storage, Register register) {
    return BridgeHeaderLayout.MEMORY_ADDRESS.get(storage.get(0, register)) << MEMORY_UNIT_BITS;
  }

  private static long prefetchable(ConfigStorage storage, Register register, Register upper) {
    long low = BridgeHeaderLayout.PREFETCHABLE_ADDRESS.get(storage.get(0, register));
    boolean wide =
        BridgeHeaderLayout.PREFETCHABLE_TYPE.get(
                storage.get(0, BridgeHeaderLayout.PREFETCHABLE_BASE))
            == 1;
    long high = wide ? storage.get(0, upper) << Integer.SIZE : 0;
    return low << MEMORY_UNIT_BITS | high;
  }

  /// {@return a window, when it is open}
  static Optional<AddressRange> open(long start, long last) {
    return Long.compareUnsigned(start, last) <= 0
        ? Optional.of(new AddressRange(start, last))
        : Optional.empty();
  }

  /// {@return whether an address lies in a window that is open}
  boolean holds(long address) {
    return memory
        && (Long.compareUnsigned(address, start) >= 0 && Long.compareUnsigned(address, last) <= 0
            || Long.compareUnsigned(address, prefetchableStart) >= 0
                && Long.compareUnsigned(address, prefetchableLast) <= 0);
  }
}
