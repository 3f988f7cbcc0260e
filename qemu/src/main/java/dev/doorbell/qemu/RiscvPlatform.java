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

  /// The APLIC's domain of machine level: its sources can be delegated to that of supervisor level, whose messages' addresses it keeps.
  ///
  /// **Source**: RISC-V AIA 1.0, 4.5.2 (`sourcecfg.D`), 4.5.4 (`smsiaddrcfg`).
  private static final long MACHINE_APLIC = 0x0c00_0000L;

  private static final int SOURCES = 96;
  private static final long DELEGATE = 1 << 10;
  private static final long SMSIADDRCFG = 0x1bc8;
  private static final long FILES_PAGE = 0x2800_0000L >>> 12;

  private final QemuProcess qemu;
  private final byte[] tree;

  RiscvPlatform(QemuProcess qemu) {
    this.qemu = qemu;
    tree = deviceTree();
  }

  @Override
  public void powerOn() {
    // Its ECAM window answers from the first; wires are what firmware at machine level hands on.
    QtestBatch batch = qemu.qtest().batch();
    batch.write(MACHINE_APLIC + SMSIADDRCFG, FILES_PAGE, Integer.BYTES);
    for (int source = 1; source <= SOURCES; source++) {
      batch.write(MACHINE_APLIC + (long) source * Integer.BYTES, DELEGATE, Integer.BYTES);
    }
    batch.run();
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
