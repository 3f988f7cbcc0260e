package dev.doorbell.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.Arch;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Sysroots of machines whose truth is known")
class LabMachinesTest {
  static MachineDescription machine(String name) {
    return Firmware.read(Sysroot.open(Shared.require("lab-captures/" + name)));
  }

  private static OptionalInt stream(HostBridge bridge, int rid, String iommu) {
    return bridge.streams().stream()
        .filter(s -> s.iommu().equals(iommu))
        .map(s -> s.streamOf(rid))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  /// The oracle names, for each vector, the requester id, the StreamID that the SMMU's table was indexed by, and the SMMU.
  @ParameterizedTest
  @ValueSource(strings = {"arm64-2smmu-acpi", "arm64-gicv2m-acpi", "arm64-its-acpi-switch-sriov"})
  @DisplayName(
      "StreamID, DeviceID and SMMU of every vector are those that the tables in memory were built for")
  void idsAreTheOracles(String name) throws IOException {
    MachineDescription m = machine(name);
    String truth = Files.readString(Shared.require("lab-captures/" + name + "/oracle/truth.json"));
    Pattern vector =
        Pattern.compile(
            "\"bdf\": \"([^\"]+)\".*?\"requester_id\": \"0x([0-9a-f]+)\".*?\"sid\": ([0-9]+).*?\"iommu\": \"([^\"]+)\"",
            Pattern.DOTALL);
    Matcher v = vector.matcher(truth.substring(0, truth.indexOf("\"dma\"")));
    int seen = 0;
    while (v.find()) {
      Sbdf sbdf = Sbdf.parse(v.group(1));
      HostBridge bridge = m.hostBridge(sbdf).orElseThrow();
      int rid = Integer.parseInt(v.group(2), 16);
      assertEquals(sbdf.requesterId(), rid);
      assertEquals(
          OptionalInt.of(Integer.parseInt(v.group(3))),
          stream(bridge, rid, v.group(4)),
          sbdf + " at " + v.group(4));
      assertEquals(
          OptionalInt.of(rid),
          bridge.msis().stream()
              .map(x -> x.deviceIdOf(rid))
              .filter(OptionalInt::isPresent)
              .findFirst()
              .orElseThrow());
      seen++;
    }
    assertTrue(seen >= 16, "vectors in the oracle: " + seen);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "arm64-2smmu-acpi",
        "arm64-gicv2m-acpi",
        "arm64-its-acpi-switch-sriov",
        "arm64-its-noiommu-acpi",
        "arm64-virtio-iommu-acpi"
      })
  @DisplayName("RAM and windows are those of proc/iomem, BARs lie in the windows")
  void memoryAndWindows(String name) throws IOException {
    MachineDescription m = machine(name);
    List<AddressRange> ram = new ArrayList<>();
    List<AddressRange> windows = new ArrayList<>();
    for (String line : Files.readAllLines(Shared.require("lab-captures/" + name + "/proc/iomem"))) {
      String[] parts = line.split("[- ]");
      if (line.endsWith(" : System RAM")) {
        ram.add(new AddressRange(Long.parseLong(parts[0], 16), Long.parseLong(parts[1], 16)));
      } else if (!line.startsWith(" ") && line.contains(" : PCI Bus 0000:")) {
        windows.add(new AddressRange(Long.parseLong(parts[0], 16), Long.parseLong(parts[1], 16)));
      }
    }
    assertFalse(ram.isEmpty());
    assertEquals(ram, m.memory().stream().map(MachineDescription.Memory::range).toList());
    List<AddressRange> found =
        m.hostBridges().stream()
            .flatMap(b -> b.windows().stream())
            .map(HostBridge.Window::cpu)
            .sorted()
            .toList();
    assertEquals(windows.stream().sorted().toList(), found);
    for (FunctionDescription f : m.functions()) {
      for (FunctionDescription.Bar bar : f.resources()) {
        assertTrue(
            bar.io() || found.stream().anyMatch(w -> w.contains(bar.range())),
            f.sbdf() + " " + bar);
      }
    }
  }

  @Test
  @DisplayName("functions: config space, VF and PF, driver, group, as the folder has them")
  void functions() {
    MachineDescription m = machine("arm64-its-acpi-switch-sriov");
    assertEquals(14, m.functions().size());
    FunctionDescription vf = m.function(Sbdf.parse("0000:01:10.0")).orElseThrow();
    assertEquals(Optional.of(Sbdf.parse("0000:01:00.0")), vf.physicalFunction());
    assertEquals(Optional.of("vfio-pci"), vf.driver());
    assertEquals(OptionalInt.of(7), vf.recordedGroup());
    assertEquals(4096, vf.config().size());
    assertEquals(
        List.of(0, 3), vf.resources().stream().map(FunctionDescription.Bar::index).toList());
    FunctionDescription pf = m.function(Sbdf.parse("0000:01:00.0")).orElseThrow();
    assertEquals(0x8086, pf.config().read16(0));
    assertEquals(11, m.recorded().groups().size());
    assertEquals(
        new ReservedRegion(
            new AddressRange(0x800_0000, 0x80f_ffff),
            ReservedRegion.Kind.SW_MSI,
            Source.file("sys/kernel/iommu_groups/7/reserved_regions")),
        m.recorded().groups().get(7).reserved().getFirst());
    assertEquals(38, m.recorded().interrupts().size());
    assertEquals(
        "vfio-msi[0](0000:00:01.0)",
        m.recorded().interrupts().stream()
            .filter(i -> i.irq() == 70)
            .findFirst()
            .orElseThrow()
            .action());
  }

  @Test
  @DisplayName(
      "two root buses of one segment: each has its SMMU, its buses and its part of the ECAM")
  void twoRoots() {
    MachineDescription m = machine("arm64-2smmu-acpi");
    assertEquals(
        List.of("pci0000:00", "pci0000:40"), m.hostBridges().stream().map(HostBridge::id).toList());
    HostBridge second = m.hostBridges().get(1);
    assertEquals(0x40_1000_0000L + 0x400_0000, second.ecam().orElseThrow().start());
    assertEquals(
        List.of("smmuv3@0xc020000"),
        second.streams().stream().map(HostBridge.StreamMapping::iommu).distinct().toList());
    assertEquals(48, m.iommus().get(1).abilities().inputBits().orElseThrow());
    assertEquals("dmesg.txt", m.iommus().get(1).abilities().source().orElseThrow().where());
  }

  @Test
  @DisplayName(
      "virtio 1.2 5.13.6: the region that the kernel recorded is the one that the doorbell's place gives")
  void virtioIommu() {
    MachineDescription m = machine("arm64-virtio-iommu-acpi");
    List<AddressRange> derived =
        m.reserved().stream()
            .filter(r -> r.region().kind() == ReservedRegion.Kind.MSI)
            .map(r -> r.region().range())
            .toList();
    assertEquals(1, derived.size());
    assertTrue(
        m.recorded().groups().stream()
            .allMatch(g -> g.reserved().getFirst().range().equals(derived.getFirst())));
    HostBridge b = m.hostBridges().getFirst();
    assertTrue(
        stream(b, 0x08, m.iommus().getFirst().id()).isEmpty(),
        "the IOMMU does not translate itself");
    assertEquals(OptionalInt.of(0x10), stream(b, 0x10, m.iommus().getFirst().id()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"riscv64-iommu-native"})
  @DisplayName(
      "machines of later issues: functions and recorded groups are read, the rest is said not to be seen")
  void otherArchitectures(String name) throws IOException {
    MachineDescription m = machine(name);
    assertEquals(Arch.RISCV64, m.arch());
    Path root = Shared.require("lab-captures/" + name);
    try (var devices = Files.list(root.resolve("sys/bus/pci/devices"))) {
      assertEquals(devices.count(), m.functions().size());
    }
    try (var groups = Files.list(root.resolve("sys/kernel/iommu_groups"))) {
      assertEquals(groups.count(), m.recorded().groups().size());
    }
    assertFalse(m.unseen().isEmpty());
  }
}
