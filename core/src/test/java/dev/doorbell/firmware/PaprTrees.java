package dev.doorbell.firmware;

import dev.doorbell.description.MachineDescription;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/// Device trees as a hypervisor hands them to a guest: processors, memory, and host bridges without functions.
public final class PaprTrees {
  private static final long BUID = 0x800_0000;
  private static final long LIOBN = 0x8000_0000L;

  /// Bytes of DMA windows, clear of the BARs behind them.
  private static final long WINDOW = 0xc000_0000L;

  private PaprTrees() {}

  /// {@return a guest whose processors ask the hypervisor for interrupts (XICS)}
  ///
  /// @param folder an empty one
  /// @param quota ibm,pe-total-#msi of each bridge
  public static MachineDescription read(Path folder, int bridges, int quota) {
    return read(folder, bridges, quota, t -> t);
  }

  /// {@return a guest that manages its interrupts itself (XIVE)}
  ///
  /// @param folder an empty one
  /// @param quota ibm,pe-total-#msi of each bridge
  public static MachineDescription exploiting(Path folder, int bridges, int quota) {
    return read(
        folder,
        bridges,
        quota,
        t ->
            t.cells("ibm,plat-res-int-priorities", 7, 0xf8)
                .begin("interrupt-controller@60302031b0000")
                .text("device_type", "power-ivpe")
                .text("compatible", "ibm,power-ivpe")
                .cells("reg", 0x60302, 0x31b_0000, 0, 0x1_0000, 0x60302, 0x31a_0000, 0, 0x1_0000)
                .cells("ibm,xive-eq-sizes", 12, 16)
                .cells("ibm,xive-lisn-ranges", 0, 2)
                .end());
  }

  private static TreeBuilder processors(TreeBuilder t) {
    return t.begin("cpus")
        .cells("#address-cells", 1)
        .cells("#size-cells", 0)
        .begin("PowerPC,POWER9@0")
        .text("device_type", "cpu")
        .cells("reg", 0)
        .cells("ibm,ppc-interrupt-server#s", 0, 1)
        .end()
        .begin("PowerPC,POWER9@8")
        .text("device_type", "cpu")
        .cells("reg", 8)
        .cells("ibm,ppc-interrupt-server#s", 8, 9)
        .end()
        .end();
  }

  private static MachineDescription read(
      Path folder, int bridges, int quota, UnaryOperator<TreeBuilder> interrupts) {
    TreeBuilder t =
        TreeBuilder.machine()
            .cells("#address-cells", 2)
            .cells("#size-cells", 2)
            .text("compatible", "qemu,pseries");
    t =
        processors(interrupts.apply(t))
            .begin("memory@0")
            .text("device_type", "memory")
            .cells("reg", 0, 0, 0, 0x4000_0000)
            .end();
    for (int i = 0; i < bridges; i++) {
      long window = 0x2000_8000L + (long) i * 0x1_0000;
      t =
          t.begin("pci@80000002000000" + i)
              .text("device_type", "pci")
              .text("compatible", "IBM,Logical_PHB")
              .cells("reg", BUID, 0x2000_0000L + i, 0, 0)
              .cells("#address-cells", 3)
              .cells("#size-cells", 2)
              .cells("bus-range", 0, 0xff)
              .cells(
                  "ranges",
                  0x200_0000,
                  0,
                  0xd000_0000L,
                  window >>> 16,
                  (window & 0xffff) << 16,
                  0,
                  0x1000_0000)
              .cells("ibm,#dma-address-cells", 2)
              .cells("ibm,#dma-size-cells", 2)
              .cells("ibm,dma-window", LIOBN + 0x100L * i, 0, 0, 0, WINDOW)
              .cells("ibm,ddw-applicable", 0x2026, 0x2027, 0x2028)
              .cells("ibm,pe-total-#msi", quota)
              .end();
    }
    try {
      Path file = Files.createDirectories(folder.resolve("sys/firmware")).resolve("fdt");
      Files.write(file, t.end().build());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Firmware.read(Sysroot.open(folder));
  }
}
