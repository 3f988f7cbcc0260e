package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Map;

/// The PC `q35`. Its ECAM window is nowhere until firmware has placed it; its ACPI tables are QEMU's own, read from `fw_cfg` once the window is
/// placed, as they tell of it. The windows for BARs, which a PC's firmware chooses, are chosen here.
final class Q35Platform implements Platform {
  private static final AddressRange ECAM = AddressRange.ofSize(0xb000_0000L, 256 * Sizes.MIB);

  /// Behind ECAM, and below the I/O APIC.
  private static final AddressRange LOW = new AddressRange(0xc000_0000L, 0xfdff_ffffL);

  /// Below the 39 bits that QEMU's IOMMUs have at least.
  private static final AddressRange HIGH = AddressRange.ofSize(256 * Sizes.GIB, 256 * Sizes.GIB);

  private static final Sbdf HOST_BRIDGE = new Sbdf(0, 0, 0, 0);

  private final QemuProcess qemu;
  private Map<String, byte[]> tables = Map.of();

  Q35Platform(QemuProcess qemu) {
    this.qemu = qemu;
  }

  @Override
  public void powerOn() {
    ConfigSpace bridge = new ConfigPorts(qemu.qtest()).config(HOST_BRIDGE);
    long value = Q35Layout.BASE.place(Q35Layout.BASE.get(ECAM.start())) | Q35Layout.ENABLE.place(1);
    bridge.write(Q35Layout.PCIEXBAR + Integer.BYTES, (int) (value >>> Integer.SIZE), Integer.BYTES);
    bridge.write(Q35Layout.PCIEXBAR, (int) value, Integer.BYTES);
  }

  @Override
  public void describe(MachineSysroot sysroot) {
    acpi(sysroot);
    sysroot.ioMemory(qemu.ramRange(), List.of(LOW, HIGH));
  }

  @Override
  public boolean forgetUnnumbered() {
    tables = Map.of();
    return true;
  }

  @Override
  public void acpi(MachineSysroot sysroot) {
    if (tables.isEmpty()) {
      tables = FwCfg.ports(qemu.qtest()).acpiTables();
    }
    sysroot.acpi(tables);
  }
}
