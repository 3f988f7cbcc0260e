package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.route.TableDump;
import dev.doorbell.testkit.Golden;
import dev.doorbell.testkit.Json;
import dev.doorbell.testkit.Shared;
import dev.doorbell.vmsa.VmsaStep;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The captures' truth was found by another walker, confirmed by the process's page map and by the interrupts that arrived.
class SmmuWalkerCapturesTest {
  /// One captured machine: a walker for each of its SMMUs, and its truth.
  private record Captured(Map<String, SmmuWalker> smmus, Json.Node truth) {}

  private static Captured read(String machine) throws IOException {
    Path oracle = Shared.require("lab-captures/" + machine + "/oracle");
    TableDump dump;
    try (Reader text = Files.newBufferedReader(oracle.resolve("memory.txt"))) {
      dump = TableDump.read("memory.txt", text);
    }
    Map<String, SmmuWalker> smmus = new HashMap<>();
    Json.Node all = Json.parse(Files.readString(oracle.resolve("registers.json")));
    for (Json.Node smmu : all.get("smmuv3").list()) {
      Map<String, Long> registers = new HashMap<>();
      Json.Node regs = smmu.get("regs");
      regs.names().forEach(name -> registers.put(name, regs.get(name).number()));
      String id = "smmuv3@" + smmu.get("base").text();
      MemoryView memory = dump::read64;
      smmus.put(id, new SmmuWalker(id, registers, memory));
    }
    return new Captured(smmus, Json.parse(Files.readString(oracle.resolve("truth.json"))));
  }

  @ParameterizedTest
  @DisplayName(
      "Every programmed vector of every captured Arm machine: same entries, same address, or a break at the same level")
  @CsvSource({
    "arm64-2smmu-acpi, 24, 0",
    "arm64-gicv2m-acpi, 16, 0",
    "arm64-its-acpi-switch-sriov, 36, 2",
    "arm64-its-dt, 11, 1",
    "arm64-its-iommufd, 33, 0",
    "arm64-its-stage2-dt, 15, 2",
  })
  void vectors(String machine, int reach, int stop) throws IOException {
    Captured captured = read(machine);
    int reached = 0;
    int stopped = 0;
    for (Json.Node vector : captured.truth.get("vectors").list()) {
      Json.Node truth = vector.get("translation");
      String what =
          "%s %s vector %s"
              .formatted(machine, vector.get("bdf").text(), vector.get("vector").text());
      SmmuWalk walk =
          captured
              .smmus
              .get(truth.get("iommu").text())
              .walk((int) truth.get("sid").number(), new Iova(vector.get("addr").number()), true);
      assertEquals(
          truth.get("walk").list().stream().map(SmmuWalkerCapturesTest::told).toList(),
          walk.steps().stream().map(SmmuWalkerCapturesTest::told).toList(),
          what);
      Optional<Pa> expected =
          truth.get("pa").isPresent()
              ? Optional.of(new Pa(truth.get("pa").number()))
              : Optional.empty();
      assertEquals(expected, walk.output(), what);
      if (expected.isPresent()) {
        reached++;
      } else {
        stopped++;
        assertTrue(walk.stoppedAt().orElseThrow().startsWith("F_TRANSLATION"), what);
      }
    }
    assertEquals(List.of(reach, stop), List.of(reached, stopped));
  }

  private static String told(Json.Node step) {
    return "level %d at 0x%x: 0x%x"
        .formatted(
            step.get("level").number(), step.get("entry_pa").number(), step.get("desc").number());
  }

  private static String told(VmsaStep step) {
    return "level %d at 0x%x: 0x%x"
        .formatted(step.level(), step.entry().value(), step.descriptor());
  }

  @ParameterizedTest
  @DisplayName(
      "Every DMA page of every captured Arm machine lies where the process's page map says")
  @CsvSource({
    "arm64-2smmu-acpi, 32",
    "arm64-gicv2m-acpi, 24",
    "arm64-its-acpi-switch-sriov, 48",
    "arm64-its-dt, 24",
    "arm64-its-iommufd, 24",
    "arm64-its-stage2-dt, 24",
  })
  void dma(String machine, int pages) throws IOException {
    Captured captured = read(machine);
    Map<String, Json.Node> vectorOf = new HashMap<>();
    for (Json.Node vector : captured.truth.get("vectors").list()) {
      vectorOf.put(vector.get("bdf").text(), vector.get("translation"));
    }
    int found = 0;
    for (Json.Node page : captured.truth.get("dma").list()) {
      String bdf = page.get("bdf").text();
      Json.Node who = vectorOf.get(bdf);
      SmmuWalk walk =
          captured
              .smmus
              .get(who.get("iommu").text())
              .walk((int) who.get("sid").number(), new Iova(page.get("iova").number()), true);
      assertEquals(
          Optional.of(new Pa(page.get("pa_from_pagemap").number())),
          walk.output(),
          () -> bdf + " " + page.get("iova").text() + " " + walk.stoppedAt());
      found++;
    }
    assertEquals(pages, found);
  }

  @ParameterizedTest
  @DisplayName("The walk as people read it: stage 1, stage 2, and one that breaks")
  @CsvSource({
    "arm64-its-dt, 8, 0x8000040, stage1",
    "arm64-its-stage2-dt, 8, 0x8000040, stage2",
    "arm64-its-dt, 24, 0xfffff040, broken",
    "arm64-2smmu-acpi, 0x4200, 0x8000040, second-smmu",
  })
  void golden(String machine, String stream, String iova, String file) throws IOException {
    Captured captured = read(machine);
    SmmuWalker smmu =
        captured.smmus.getOrDefault("smmuv3@0xc020000", captured.smmus.get("smmuv3@0x9050000"));
    SmmuWalk walk = smmu.walk(Integer.decode(stream), new Iova(Long.decode(iova)), true);
    StringBuilder text = new StringBuilder();
    for (Hop hop : walk.hops()) {
      text.append(
          "%s: %s -> %s%n    %s%n    %s, %s%n"
              .formatted(hop.at(), hop.in(), hop.out(), hop.why(), hop.source(), hop.basis()));
    }
    text.append("output ")
        .append(walk.output())
        .append("\nstopped ")
        .append(walk.stoppedAt())
        .append('\n');
    Golden.check("smmuv3/walk-" + file + ".txt", text.toString());
  }

  @Test
  @DisplayName(
      "A page that is not in the dump is told as not seen, which is not the same as not mapped")
  void missingPage() throws IOException {
    Path oracle = Shared.require("lab-captures/arm64-its-dt/oracle");
    TableDump dump;
    try (Reader text = Files.newBufferedReader(oracle.resolve("memory.txt"))) {
      dump = TableDump.read("memory.txt", text);
    }
    Map<String, Long> registers =
        Map.of(
            "CR0",
            0xdL,
            "IDR5",
            0x74L,
            "STRTAB_BASE",
            0x400000004cb1a000L,
            "STRTAB_BASE_CFG",
            0x10210L);
    SmmuWalker whole = new SmmuWalker("smmu", registers, dump::read64);
    assertEquals(Optional.of(new Pa(0x8090040)), whole.walk(8, new Iova(0x8000040), true).output());
    SmmuWalker holed =
        new SmmuWalker(
            "smmu",
            registers,
            pa -> pa >>> 12 == 0x43146 ? java.util.OptionalLong.empty() : dump.read64(pa));
    SmmuWalk walk = holed.walk(8, new Iova(0x8000040), true);
    assertEquals(
        Optional.of("cannot see: stage 1: the level 2 descriptor at 0x43146200 cannot be seen"),
        walk.stoppedAt());
    assertEquals("memory page 0x43146000+0x200", walk.hops().getLast().source().toString());
  }
}
