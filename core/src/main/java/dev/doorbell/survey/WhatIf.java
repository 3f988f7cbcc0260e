package dev.doorbell.survey;

import dev.doorbell.bits.Register;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MsiLayout;
import dev.doorbell.pci.MsixLayout;
import dev.doorbell.pci.PcieLayout;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/// A function that is not in the capture, or whose capabilities are not, added to see what would happen.
///
/// @param msixVectors entries of its MSI-X table, 0 for none
/// @param msiVectors vectors of its MSI capability: 0 for none, else a power of two to 32
/// @param address64 whether its MSI capability takes a 64-bit address
public record WhatIf(Sbdf sbdf, int msixVectors, int msiVectors, boolean address64) {
  private static final int BYTES = 4096;
  private static final int PCIE = 0x40;
  private static final int MSI = 0x80;
  private static final int MSIX = 0xb0;
  private static final int NEXT_POINTER = 0x34;
  private static final int HEADER_BYTES = 64;
  private static final int HEADER_TYPE = 0x0e;
  private static final int HEADER_TYPE_MASK = 0x7f;

  public WhatIf {
    if (msixVectors < 0 || msixVectors > 2048) {
      throw new IllegalArgumentException(
          "an MSI-X table has 1 to 2048 entries, not " + msixVectors);
    }
    if (msiVectors < 0 || msiVectors > 32 || Integer.bitCount(msiVectors) > 1) {
      throw new IllegalArgumentException(
          "an MSI capability has 1, 2, 4, 8, 16 or 32 vectors, not " + msiVectors);
    }
    if (msixVectors == 0 && msiVectors == 0) {
      throw new IllegalArgumentException(sbdf + " needs msix=N or msi=N, with N of 1 or more");
    }
  }

  /// {@return the machine with the function in it; one whose capabilities were not captured gets these, and keeps what was recorded of it}
  ///
  /// @throws IllegalArgumentException when the machine has a function there whose capabilities are seen, or no root complex for its bus
  public MachineDescription addTo(MachineDescription m) {
    Optional<FunctionDescription> captured = m.function(sbdf);
    if (captured.filter(f -> !isHeaderAtMost(f.config())).isPresent()) {
      throw new IllegalArgumentException(
          sbdf + " is in the capture already, with its capabilities");
    }
    if (!m.hostBridges().isEmpty() && m.hostBridge(sbdf).isEmpty()) {
      throw new IllegalArgumentException(
          "no root complex of this machine has bus %04x:%02x; there are %s"
              .formatted(
                  sbdf.segment(),
                  sbdf.bus(),
                  m.hostBridges().stream().map(WhatIf::buses).collect(Collectors.joining(", "))));
    }
    List<FunctionDescription> functions = new ArrayList<>(m.functions());
    captured.ifPresent(functions::remove);
    functions.add(
        new FunctionDescription(
            sbdf,
            ConfigImage.of(config(), "--with"),
            List.of(),
            captured.flatMap(FunctionDescription::physicalFunction),
            captured.flatMap(FunctionDescription::driver),
            captured.map(FunctionDescription::recordedGroup).orElse(OptionalInt.empty()),
            true,
            Source.rule("--with")));
    functions.sort(java.util.Comparator.comparing(FunctionDescription::sbdf));
    return new MachineDescription(
        m.arch(),
        m.firmware(),
        m.iommus(),
        m.msiControllers(),
        m.gic(),
        m.apic(),
        m.hostBridges(),
        functions,
        m.memory(),
        m.reserved(),
        m.recorded(),
        m.oddities(),
        m.unseen());
  }

  private static String buses(HostBridge b) {
    return "%04x:%02x to %04x:%02x".formatted(b.segment(), b.firstBus(), b.segment(), b.lastBus());
  }

  /// What whoever is not root can read, or less. A bridge's is enough to know that it is one.
  private static boolean isHeaderAtMost(ConfigSpace config) {
    boolean bridge =
        config.size() > HEADER_TYPE && (config.read(HEADER_TYPE, 1) & HEADER_TYPE_MASK) != 0;
    return config.size() <= HEADER_BYTES && !bridge;
  }

  /// A PCI Express endpoint with a 64-bit BAR 0 and these capabilities. The vendor id is QEMU's for devices of nobody (0x1234).
  private byte[] config() {
    byte[] c = new byte[BYTES];
    put(c, 0x00, 0x1234, 2);
    put(c, 0x02, 0xd0b1, 2);
    put(c, 0x06, 0x0010, 2); // Status: capability list
    put(c, 0x0b, 0xff, 1); // class: unassigned
    put(c, 0x10, 0x4, 4); // BAR 0: 64-bit memory
    put(c, NEXT_POINTER, PCIE, 1);
    int next = msiVectors > 0 ? MSI : MSIX;
    put(c, PCIE, CapabilityLayout.PCI_EXPRESS | next << Byte.SIZE, 2);
    put(c, PCIE + at(PcieLayout.CAPABILITIES), PcieLayout.VERSION.place(2), 2);
    if (msiVectors > 0) {
      put(c, MSI, CapabilityLayout.MSI | (msixVectors > 0 ? MSIX : 0) << Byte.SIZE, 2);
      put(
          c,
          MSI + at(MsiLayout.CONTROL),
          MsiLayout.MULTIPLE_CAPABLE.place(Integer.numberOfTrailingZeros(msiVectors))
              | MsiLayout.ADDRESS64.place(address64 ? 1 : 0),
          2);
    }
    if (msixVectors > 0) {
      put(c, MSIX, CapabilityLayout.MSIX, 2);
      put(c, MSIX + at(MsixLayout.CONTROL), MsixLayout.TABLE_SIZE.place(msixVectors - 1), 2);
      put(c, MSIX + at(MsixLayout.PBA), MsixLayout.PBA_OFFSET.place(0x8000), 4);
    }
    return c;
  }

  private static int at(Register r) {
    return (int) r.offset();
  }

  private static void put(byte[] config, int offset, long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      config[offset + i] = (byte) (value >>> i * Byte.SIZE);
    }
  }
}
