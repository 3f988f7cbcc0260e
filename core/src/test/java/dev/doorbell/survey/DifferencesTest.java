package dev.doorbell.survey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.testkit.ProjectRoot;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is said where the captured kernel's record is not what is derived.
class DifferencesTest {
  private static final String GROUPS = "sys/kernel/iommu_groups";
  private static final String NO_GROUP = "the kernel has no group for ";

  @TempDir private Path copy;

  private static Differences of(Path sysroot) {
    return Differences.of(Survey.of(Firmware.read(Sysroot.open(sysroot))));
  }

  @Test
  @DisplayName(
      "arm64-its-iommufd: groups that follow from the order of probing are explained, not a"
          + " difference")
  void probeOrder() {
    Differences d = of(Shared.require("lab-captures/arm64-its-iommufd"));
    assertEquals(List.of(), d.differences());
    assertTrue(
        d.notes().getFirst().contains("as it formed them in its probe order"), d.notes()::toString);
    assertTrue(d.notes().getFirst().contains("0 (0000:01:00.0)"), d.notes()::toString);
  }

  @Test
  @DisplayName("arm64-its-vfio-noiommu: VFIO's stand-ins are named as such")
  void standIns() {
    Differences d = of(Shared.require("lab-captures/arm64-its-vfio-noiommu"));
    assertEquals(2, d.notes().size(), d.notes()::toString);
    assertFalse(d.agrees());
    assertTrue(d.notes().getFirst().contains("is named vfio-noiommu"), d.notes()::toString);
    assertEquals(List.of(), d.differences());
  }

  @ParameterizedTest
  @ValueSource(strings = {"arm64-its-acpi-switch-sriov", "arm64-2smmu-acpi", "arm64-gicv2m-acpi"})
  @DisplayName("a record that agrees has no difference")
  void same(String sample) {
    Differences d = of(ProjectRoot.path().resolve("samples").resolve(sample));
    assertEquals(List.of(), d.differences());
    assertTrue(d.agrees());
    assertEquals(1, d.notes().size(), d.notes()::toString);
    assertTrue(d.notes().getFirst().startsWith(NO_GROUP), d.notes()::toString);
  }

  @Test
  @DisplayName(
      "arm64-virtio-iommu-acpi: a function that no driver came to has no recorded group, and that"
          + " is said")
  void noDriver() {
    Differences d = of(Shared.require("lab-captures/arm64-virtio-iommu-acpi"));
    assertEquals(List.of(), d.differences());
    assertTrue(d.agrees());
    assertEquals(1, d.notes().size(), d.notes()::toString);
    assertTrue(d.notes().getFirst().startsWith(NO_GROUP + "0000:00:00.0 in "), d.notes()::toString);
  }

  @Test
  @DisplayName(
      "a function whose record is lost is named with the others; nothing recorded at all has no"
          + " such note")
  void lostRecord() throws IOException {
    copy(ProjectRoot.path().resolve("samples/arm64-its-acpi-switch-sriov"));
    Path group;
    try (Stream<Path> list = Files.list(copy.resolve(GROUPS))) {
      group =
          list.filter(
                  g -> Files.exists(g.resolve("devices/0000:06:00.0"), LinkOption.NOFOLLOW_LINKS))
              .findFirst()
              .orElseThrow();
    }
    Files.delete(group.resolve("devices/0000:06:00.0"));
    assertTrue(
        of(copy).notes().getLast().startsWith(NO_GROUP + "0000:00:00.0, 0000:06:00.0 in "),
        () -> of(copy).notes().toString());
    deleteGroups();
    assertEquals(List.of(), of(copy).notes());
  }

  @ParameterizedTest
  @ValueSource(strings = {"x86-vtd-intremap", "x86-amdvi"})
  @DisplayName(
      "a function behind VT-d or AMD-Vi without a recorded group is a difference, as those kernels give one to all")
  void leftOut(String capture) throws IOException {
    copy(Shared.require("lab-captures/" + capture));
    assertTrue(of(copy).agrees(), () -> of(copy).differences().toString());
    Files.delete(copy.resolve(GROUPS + "/0/devices/0000:00:00.0"));
    Differences d = of(copy);
    assertFalse(d.agrees());
    assertEquals(1, d.differences().size(), d.differences()::toString);
    assertTrue(
        d.differences().getFirst().startsWith(NO_GROUP + "0000:00:00.0 in "),
        d.differences()::toString);
    deleteGroups();
    assertEquals(List.of(), of(copy).differences());
  }

  private void deleteGroups() throws IOException {
    try (Stream<Path> all = Files.walk(copy.resolve(GROUPS))) {
      for (Path p : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    }
  }

  @Test
  @DisplayName("groups that no order of probing explains stay a difference")
  void unexplained() throws IOException {
    Path sample = ProjectRoot.path().resolve("samples/arm64-its-acpi-switch-sriov");
    copy(sample);
    List<Path> groups;
    try (Stream<Path> list = Files.list(copy.resolve(GROUPS))) {
      groups = list.sorted().toList();
    }
    Path member;
    try (Stream<Path> list = Files.list(groups.getFirst().resolve("devices"))) {
      member = list.findFirst().orElseThrow();
    }
    Files.move(member, groups.get(1).resolve("devices").resolve(member.getFileName()));
    assertTrue(!of(copy).differences().isEmpty());
  }

  private void copy(Path from) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path p : all.toList()) {
        Path to = copy.resolve(from.relativize(p).toString());
        if (Files.isSymbolicLink(p)) {
          Files.createSymbolicLink(to, Files.readSymbolicLink(p));
        } else if (Files.isDirectory(p)) {
          Files.createDirectories(to);
        } else {
          Files.copy(p, to);
        }
      }
    }
  }
}
