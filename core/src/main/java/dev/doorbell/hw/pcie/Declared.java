package dev.doorbell.hw.pcie;

import dev.doorbell.bits.Register;
import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ExtendedLayout;
import dev.doorbell.pci.MsiLayout;
import dev.doorbell.pci.MsixLayout;
import dev.doorbell.pci.PcieLayout;
import dev.doorbell.pci.SriovLayout;

/// Which bits of a structure software can write, from the structure's declaration and from what the function implements.
final class Declared {
  private static final long ACS_SWITCHES = 0x7f;

  private Declared() {}

  /// A type 0 header, without its BARs.
  static void endpoint(ConfigStorage s) {
    for (Register r : ConfigHeaderLayout.MAP.registers()) {
      if (r != ConfigHeaderLayout.BAR && r != ConfigHeaderLayout.ROM) {
        s.declare(0, r, 0, -1L);
      }
    }
  }

  /// A type 1 header, without its BARs and its I/O windows, which the models do not decode.
  static void bridge(ConfigStorage s) {
    for (Register r :
        new Register[] {
          ConfigHeaderLayout.COMMAND,
          ConfigHeaderLayout.STATUS,
          ConfigHeaderLayout.CACHE_LINE_SIZE,
          ConfigHeaderLayout.INTERRUPT_LINE
        }) {
      s.declare(0, r, 0, -1L);
    }
    for (Register r : BridgeHeaderLayout.MAP.registers()) {
      if (r != BridgeHeaderLayout.BAR
          && r != BridgeHeaderLayout.ROM
          && r != BridgeHeaderLayout.IO_BASE
          && r != BridgeHeaderLayout.IO_LIMIT
          && r != BridgeHeaderLayout.IO_BASE_UPPER
          && r != BridgeHeaderLayout.IO_LIMIT_UPPER) {
        s.declare(0, r, 0, -1L);
      }
    }
  }

  static void express(ConfigStorage s, int at) {
    s.declare(at, PcieLayout.DEVICE_CONTROL, 0, -1L);
    s.declare(at, PcieLayout.DEVICE_STATUS, 0, -1L);
    if (PcieLayout.VERSION.get(s.get(at, PcieLayout.CAPABILITIES)) >= 2) {
      boolean ari =
          PcieLayout.ARI_FORWARDING_SUPPORTED.isSet(s.get(at, PcieLayout.DEVICE_CAPABILITIES_2));
      s.declare(at, PcieLayout.DEVICE_CONTROL_2, 0, ari ? -1L : ~PcieLayout.ARI_FORWARDING.mask());
    }
  }

  /// Only services that the capability offers can be switched.
  static void acs(ConfigStorage s, int at) {
    s.declare(
        at, ExtendedLayout.ACS_CONTROL, 0, s.get(at, ExtendedLayout.ACS_CAPABILITY) & ACS_SWITCHES);
  }

  static void msi(ConfigStorage s, int at) {
    long control = s.get(at, MsiLayout.CONTROL);
    boolean wide = MsiLayout.ADDRESS64.isSet(control);
    long switches = MsiLayout.ENABLE.mask() | MsiLayout.MULTIPLE_ENABLE.mask();
    boolean extended = MsiLayout.EXTENDED_CAPABLE.isSet(control);
    if (extended) {
      switches |= MsiLayout.EXTENDED_ENABLE.mask();
      s.declare(at, wide ? MsiLayout.EXTENDED_DATA_64 : MsiLayout.EXTENDED_DATA_32, 0, -1L);
    }
    s.writable(at, MsiLayout.CONTROL, switches);
    s.declare(at, MsiLayout.MESSAGE_ADDRESS, 0, -1L);
    if (wide) {
      s.declare(at, MsiLayout.UPPER, 0, -1L);
    }
    s.declare(at, wide ? MsiLayout.DATA_64 : MsiLayout.DATA_32, 0, -1L);
    if (MsiLayout.MASKABLE.isSet(control)) {
      int vectors = 1 << MsiLayout.MULTIPLE_CAPABLE.getInt(control);
      s.declare(at, wide ? MsiLayout.MASK_64 : MsiLayout.MASK_32, 0, -1L >>> (Long.SIZE - vectors));
    }
  }

  static void msix(ConfigStorage s, int at) {
    s.declare(at, MsixLayout.CONTROL, 0, -1L);
  }

  static void sriov(ConfigStorage s, int at) {
    s.declare(
        at,
        SriovLayout.CONTROL,
        0,
        SriovLayout.VF_ENABLE.mask()
            | SriovLayout.VF_MSE.mask()
            | SriovLayout.ARI_HIERARCHY.mask());
    s.declare(at, SriovLayout.NUM_VFS, 0, -1L);
    s.declare(at, SriovLayout.SYSTEM_PAGE_SIZE, 0, -1L);
  }
}
