package dev.doorbell.firmware;

import dev.doorbell.description.Arch;
import java.util.List;

/// Tells the processor family from a device tree's `cpus` node.
final class FdtArch {
  private FdtArch() {}

  static Arch of(FdtTree tree) {
    for (FdtNode cpu : tree.child(tree.root(), "cpus").map(FdtNode::children).orElse(List.of())) {
      if (cpu.has("riscv,isa") || cpu.has("riscv,isa-base") || cpu.isCompatible("riscv")) {
        return Arch.RISCV64;
      }
      if (cpu.has("ibm,pa-features") || cpu.has("ibm,ppc-interrupt-server#s")) {
        return Arch.PPC64;
      }
      if (cpu.name().startsWith("PowerPC,")
          || cpu.has("d-cache-line-size") && cpu.has("timebase-frequency")) {
        return Arch.POWERPC;
      }
      boolean arm = cpu.compatible().stream().anyMatch(c -> c.startsWith("arm,"));
      if (arm
          || cpu.texts("enable-method").stream()
              .anyMatch(m -> m.equals("psci") || m.equals("spin-table"))) {
        return Arch.ARM64;
      }
    }
    return tree.root().compatible().stream().anyMatch(c -> c.startsWith("ibm,"))
        ? Arch.PPC64
        : Arch.UNKNOWN;
  }
}
