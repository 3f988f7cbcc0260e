package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
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

/// A bundled machine and functions of it.
record Sample(String name, MachineDescription description, List<Sbdf> functions) {
  private static Sample of(String name, String... functions) {
    return new Sample(
        name,
        Firmware.read(Sysroot.open(Path.of("..", "samples", name))),
        Arrays.stream(functions).map(Sbdf::parse).toList());
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
    return new Sample("SMMUv2", older, its.functions);
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
        List.of(two.functions.getFirst(), two.functions.getLast(), near, far));
  }

  /// One hart, since the reference knows one doorbell a controller; three functions behind a RISC-V IOMMU.
  static Sample riscv() {
    List<Sbdf> functions =
        List.of(Sbdf.parse("00:04.0"), Sbdf.parse("00:05.0"), Sbdf.parse("00:06.0"));
    MachineDescription bare = treeOf("riscv64-iommu-native");
    for (Sbdf f : functions) {
      // MSI-X alone: a device context changes in several words, so that vectors which cannot be
      // masked stay where they are (VectorsLive).
      bare = new WhatIf(f, f.device() - 2, 0, true).addTo(bare);
    }
    return new Sample("riscv", bare, functions);
  }

  /// A machine of the laboratory by its device tree alone.
  private static MachineDescription treeOf(String lab) {
    Path tree = Shared.require("lab-captures/" + lab + "/sys/firmware/fdt");
    try {
      Path root = Files.createTempDirectory("doorbell-tree");
      Path copy = Files.createDirectories(root.resolve("sys/firmware")).resolve("fdt");
      Files.copy(tree, copy);
      MachineDescription d = Firmware.read(Sysroot.open(root));
      for (Path p = copy; !p.equals(root.getParent()); p = p.getParent()) {
        Files.delete(p);
      }
      return d;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  World world(Wiring wiring) {
    return new World(description, functions, wiring);
  }
}
