package dev.doorbell.qemu;

import java.nio.ByteBuffer;

/// The Arm machine `virt`: a device tree at the start of its RAM, where QEMU puts it for firmware, and ACPI tables that QEMU makes from other code.
final class VirtPlatform implements Platform {
  private static final long FW_CFG = 0x0902_0000L;
  private static final int FDT_MAGIC = 0xd00dfeed;
  private static final int FDT_MOST = 0x100_0000;

  private final QemuProcess qemu;
  private final byte[] tree;

  VirtPlatform(QemuProcess qemu) {
    this.qemu = qemu;
    tree = deviceTree();
  }

  @Override
  public void powerOn() {
    // Its ECAM window answers from the first.
  }

  @Override
  public void describe(MachineSysroot sysroot) {
    sysroot.deviceTree(tree);
  }

  @Override
  public void acpi(MachineSysroot sysroot) {
    sysroot.acpi(FwCfg.mapped(qemu.qtest(), FW_CFG).acpiTables());
  }

  private byte[] deviceTree() {
    long start = qemu.ramRange().start();
    byte[] header = new byte[2 * Integer.BYTES];
    qemu.ram().read(start, header);
    ByteBuffer words = ByteBuffer.wrap(header);
    int magic = words.getInt();
    int bytes = words.getInt();
    if (magic != FDT_MAGIC || bytes < header.length || bytes > FDT_MOST) {
      throw new QemuUnusable(
          qemu.name(),
          "there is no device tree at 0x%x (found 0x%08x, %d bytes)"
              .formatted(start, magic, bytes));
    }
    byte[] out = new byte[bytes];
    qemu.ram().read(start, out);
    return out;
  }
}
