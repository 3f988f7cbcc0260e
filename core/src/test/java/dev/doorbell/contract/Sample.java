package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.PaprTrees;
import dev.doorbell.firmware.SkibootTrees;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/// A machine and functions of it.
record Sample(String name, MachineDescription description, List<Sbdf> functions, Rules rules) {
  /// What the kind of IOMMU has to do with it.
  ///
  /// @param windows in how many windows of one size all mappings lie; 0 where tables have pages
  /// @param hitless whether a function's messages pass while its translation is replaced
  /// @param byBridge whether all functions below a host bridge are one to it, whatever requester id a write has
  /// @param base about where IOVAs are used
  record Rules(int windows, boolean hitless, boolean byBridge, long base) {
    private static final long USUAL_BASE = 0x7fe_0000L;
    static final Rules USUAL = new Rules(0, true, false, USUAL_BASE);

    /// A device context changes in several words.
    static final Rules HELD = new Rules(0, false, false, USUAL_BASE);

    /// A PE of a hypervisor's.
    static final Rules PAPR = new Rules(0, true, true, USUAL_BASE);

    /// Sub-windows of a LIODN, from 0 on.
    static final Rules PAMU = new Rules(256, false, true, 0);
  }

  private static Sample of(String name, String... functions) {
    return new Sample(
        name,
        Firmware.read(Sysroot.open(Path.of("..", "samples", name))),
        Arrays.stream(functions).map(Sbdf::parse).toList(),
        Rules.USUAL);
  }

  static Sample oneIts() {
    return of("arm64-its-acpi-switch-sriov", "04:00.0", "01:00.0", "01:10.0", "05:00.0", "00:01.0");
  }

  static Sample twoSmmus() {
    return of("arm64-2smmu-acpi", "01:00.0", "41:00.0", "42:00.0", "00:02.0");
  }

  /// The first machine with an MMU-500 in the place of its SMMUv3.
  static Sample smmuV2() {
    Sample its = of("arm64-its-acpi-switch-sriov", "04:00.0", "01:00.0", "01:10.0");
    MachineDescription m = its.description;
    MachineDescription older =
        new MachineDescription(
            m.arch(),
            m.firmware(),
            m.iommus().stream().<IommuDescription>map(Sample::mmu500).toList(),
            m.msiControllers(),
            m.gic(),
            m.apic(),
            m.hostBridges(),
            m.functions(),
            m.memory(),
            m.reserved(),
            m.recorded(),
            m.oddities(),
            m.unseen());
    return new Sample("SMMUv2", older, its.functions, Rules.USUAL);
  }

  private static IommuDescription mmu500(IommuDescription smmu) {
    return new IommuDescription.Smmuv2(
        smmu.id(),
        "MMU-500",
        AddressRange.ofSize(smmu.registers().orElseThrow().start(), 0x2_0000),
        true,
        0,
        smmu.abilities(),
        smmu.source());
  }

  static Sample gicV2m() {
    return of("arm64-gicv2m-acpi", "01:00.0", "02:00.0", "00:01.0");
  }

  /// Two functions behind each ITS; the first ones of both have one DeviceID, and so have the second ones.
  static Sample twoIts() {
    Sample two = of("two-its", "0000:01:00.0", "0001:01:00.0");
    Sbdf near = Sbdf.parse("0000:00:02.0");
    Sbdf far = Sbdf.parse("0001:00:02.0");
    return new Sample(
        two.name,
        new WhatIf(far, 3, 0, true).addTo(new WhatIf(near, 4, 0, true).addTo(two.description)),
        List.of(two.functions.getFirst(), two.functions.getLast(), near, far),
        Rules.USUAL);
  }

  /// One hart, and so one doorbell; the last function has MSI alone.
  static Sample riscv() {
    return with(
        "riscv", treeOf("riscv64-iommu-native"), Rules.HELD, 4, "00:04.0", "00:05.0", "00:06.0");
  }

  /// Eight harts in two groups, each with a doorbell of its own; the last function has MSI alone.
  static Sample riscvHarts() {
    return with(
        "riscv with eight harts",
        Firmware.read(Sysroot.open(Shared.require("captures/riscv64/qemu-virt-iommu-pci"))),
        Rules.HELD,
        4,
        "00:04.0",
        "00:05.0",
        "00:06.0",
        "00:07.0");
  }

  /// A machine of the laboratory by its device tree alone.
  private static MachineDescription treeOf(String lab) {
    Path tree = Shared.require("lab-captures/" + lab + "/sys/firmware/fdt");
    return inFolder(root -> {
      try {
        Files.copy(tree, Files.createDirectories(root.resolve("sys/firmware")).resolve("fdt"));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return Firmware.read(Sysroot.open(root));
    });
  }

  /// {@return what is read from a folder that has a tree, and goes again}
  private static MachineDescription inFolder(Function<Path, MachineDescription> read) {
    try {
      Path root = Files.createTempDirectory("doorbell-tree");
      MachineDescription d = read.apply(root);
      for (Path p = root.resolve("sys/firmware/fdt");
          !p.equals(root.getParent());
          p = p.getParent()) {
        Files.delete(p);
      }
      return d;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Wide banks of an MPIC, by MSIIR1.
  static Sample pamu() {
    return freescale("dt-t4240rdb", 0);
  }

  /// Banks by MSIIR, and a function that cannot mask.
  static Sample pamuWithMsi() {
    return freescale("dt-p4080ds", 4);
  }

  private static Sample freescale(String tree, int msi) {
    return with(
        tree,
        Firmware.read(Sysroot.open(Shared.require("captures/powerpc/" + tree))),
        Rules.PAMU,
        msi,
        "0000:00:01.0",
        "0001:00:01.0",
        "0002:00:01.0");
  }

  static Sample phb3() {
    return skiboot("powernv8");
  }

  static Sample phb5() {
    return skiboot("powernv10");
  }

  private static Sample skiboot(String machine) {
    return with(
        machine,
        inFolder(f -> SkibootTrees.read(machine, f)),
        Rules.USUAL,
        4,
        "0000:00:01.0",
        "0001:00:01.0",
        "0002:00:01.0");
  }

  static Sample phb4() {
    return with(
        "PHB4",
        treeOf("ppc64le-powernv9"),
        Rules.USUAL,
        4,
        "0000:00:01.0",
        "0001:00:01.0",
        "0002:00:01.0");
  }

  /// Few enough messages that they run out.
  static Sample papr() {
    return with(
        "PAPR",
        inFolder(f -> PaprTrees.read(f, 3, 6)),
        Rules.PAPR,
        0,
        "0000:00:01.0",
        "0001:00:01.0",
        "0002:00:01.0");
  }

  /// The same, of a guest that manages its interrupts itself.
  static Sample paprExploited() {
    return with(
        "PAPR, XIVE",
        inFolder(f -> PaprTrees.exploiting(f, 3, 6)),
        Rules.PAPR,
        0,
        "0000:00:01.0",
        "0001:00:01.0",
        "0002:00:01.0");
  }

  /// @param msi vectors of the last function, which has MSI alone; with 0 it has MSI-X, too
  private static Sample with(
      String name, MachineDescription bare, Rules rules, int msi, String... names) {
    List<Sbdf> functions = Arrays.stream(names).map(Sbdf::parse).toList();
    MachineDescription m = bare;
    int vectors = 3;
    for (Sbdf f : functions) {
      boolean last = f.equals(functions.getLast()) && msi > 0;
      m = new WhatIf(f, last ? 0 : vectors++, last ? msi : 0, true).addTo(m);
    }
    return new Sample(name, m, functions, rules);
  }

  World world(Wiring wiring) {
    return new World(description, functions, rules, wiring);
  }
}
