package dev.doorbell.qemu;

import java.nio.ByteBuffer;

/// The RISC-V machine `virt`: its reset vector tells where QEMU has put the device tree.
final class RiscvPlatform implements Platform {
  /// Where harts begin, and in what they find there the address of the device tree (QEMU, `riscv_setup_rom_reset_vec`).
  private static final long RESET_VECTOR = 0x1000;

  private static final long FW_CFG = 0x1010_0000L;
  private static final long TREE_AT = RESET_VECTOR + 0x20;
  private static final int FDT_MAGIC = 0xd00dfeed;
  private static final int FDT_MOST = 0x100_0000;

  private final QemuProcess qemu;
  private final byte[] tree;

  RiscvPlatform(QemuProcess qemu) {
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
    long start = qemu.qtest().read(TREE_AT, Long.BYTES);
    byte[] header = new byte[2 * Integer.BYTES];
    qemu.qtest().read(start, header);
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
    qemu.qtest().read(start, out);
    return out;
  }
}
