package dev.doorbell.contract;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.WhatIf;
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

  World world(Wiring wiring) {
    return new World(description, functions, wiring);
  }
}
