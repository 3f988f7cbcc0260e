package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.ProjectRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("R22: the VFs of a captured SR-IOV function ring the frame of their PF")
class SharedFrameTest {
  private static final Sbdf PF = Sbdf.parse("01:00.0");
  private static final Sbdf VF0 = Sbdf.parse("01:10.0");
  private static final Sbdf VF2 = Sbdf.parse("01:10.2");
  private static final String TABLES = "sys/firmware/acpi/tables";

  @TempDir Path folder;

  /// A host on models, one function a group.
  private static final class Stage {
    final EmbeddedMachine machine;
    final Host host;

    Stage(Path root) {
      machine = EmbeddedMachine.of(Firmware.read(Sysroot.open(root)));
      host = Host.start(machine);
    }

    IommuGroup group(Sbdf f) {
      IommuGroup g = host.group(f).orElseThrow();
      assertEquals(List.of(f.toString()), g.members().stream().map(m -> m.name()).toList());
      return g;
    }

    Domain domain(String name, DomainPolicy policy) {
      Domain d =
          Domain.create(
              name,
              policy,
              group(PF).members().getFirst().streams().getFirst().iommu(),
              Granule.K4);
      d.reserveMsiWindow(AddressRange.ofSize(0x800_0000L, 0x10_0000));
      return d;
    }

    LiveVector enable(Sbdf f) {
      HostFunction function = host.function(f);
      function.turnOn();
      MsiFunction vectors = function.vectors().orElseThrow();
      vectors.enable(1, 1);
      return vectors.vectors().getFirst();
    }

    /// {@return how often a function's interrupt arrives when another one writes that one's message to its own doorbell}
    int forged(Sbdf from, LiveVector own, LiveVector other) {
      List<Integer> arrived = new ArrayList<>();
      host.poll();
      var dispatch = host.interrupts().at(host.msiController(other.controller()).orElseThrow());
      dispatch.add(other.intid(), (intid, cpu) -> arrived.add(intid));
      machine
          .endpoint(from)
          .orElseThrow()
          .dmaWrite(own.message().address(), Integer.toUnsignedLong(other.message().data()), 4);
      host.poll();
      dispatch.remove(other.intid());
      return arrived.size();
    }
  }

  private static Path its() {
    return ProjectRoot.path().resolve("samples/arm64-its-acpi-switch-sriov");
  }

  /// {@return the same machine with the interrupt controllers of another sample: a GICv2 and one message frame}
  private Path frame() throws IOException {
    try (Stream<Path> all = Files.walk(its())) {
      for (Path p : all.filter(p -> !Files.isDirectory(p, LinkOption.NOFOLLOW_LINKS)).toList()) {
        Path to = folder.resolve(its().relativize(p).toString());
        Files.createDirectories(to.getParent());
        Files.copy(p, to, LinkOption.NOFOLLOW_LINKS);
      }
    }
    Path other = ProjectRoot.path().resolve("samples/arm64-gicv2m-acpi").resolve(TABLES);
    for (String table : List.of("APIC", "IORT")) {
      Files.copy(
          other.resolve(table),
          folder.resolve(TABLES).resolve(table),
          StandardCopyOption.REPLACE_EXISTING);
    }
    return folder;
  }

  @Test
  @DisplayName(
      "they cannot be split between guests: each is refused, the frame and the function named")
  void r22_virtualFunctionsBehindOneFrameCannotBeSplitBetweenGuests() throws IOException {
    Stage s = new Stage(frame());
    s.domain("host", DomainPolicy.HOST).attach(s.group(PF));
    s.enable(PF);
    for (Sbdf vf : List.of(VF0, VF2)) {
      Domain guest = s.domain("guest of " + vf, DomainPolicy.USER);
      NotIsolated e = assertThrows(NotIsolated.class, () -> guest.attach(s.group(vf)));
      assertTrue(e.refusal().objects().contains(vf.toString()), e.refusal().toString());
      assertTrue(
          e.refusal().objects().stream().anyMatch(o -> o.startsWith("gicv2m@")),
          e.refusal().toString());
      assertFalse(s.group(vf).isolatedMsi());
      assertEquals(List.of(), guest.groups());
    }
  }

  @Test
  @DisplayName(
      "why: where unsafe interrupts are allowed, one VF raises the other's vector, and the PF's")
  void r22_whoIsTrustedWithTheFrameCanForge() throws IOException {
    Stage s = new Stage(frame());
    s.domain("host", DomainPolicy.HOST).attach(s.group(PF));
    LiveVector ofPf = s.enable(PF);
    s.domain("first", DomainPolicy.TRUSTED_USER).attach(s.group(VF0));
    LiveVector first = s.enable(VF0);
    s.domain("second", DomainPolicy.TRUSTED_USER).attach(s.group(VF2));
    LiveVector second = s.enable(VF2);
    assertEquals(first.controller(), ofPf.controller());
    assertEquals(1, s.forged(VF0, first, second));
    assertEquals(1, s.forged(VF0, first, ofPf));
  }

  @Test
  @DisplayName("behind an ITS they can be split, and none of them raises another's vector")
  void r22_behindAnItsTheyCanBeSplit() {
    Stage s = new Stage(its());
    s.domain("host", DomainPolicy.HOST).attach(s.group(PF));
    LiveVector ofPf = s.enable(PF);
    s.domain("first", DomainPolicy.USER).attach(s.group(VF0));
    LiveVector first = s.enable(VF0);
    s.domain("second", DomainPolicy.USER).attach(s.group(VF2));
    LiveVector second = s.enable(VF2);
    assertEquals(first.controller(), ofPf.controller());
    assertEquals(0, s.forged(VF0, first, second));
    assertEquals(0, s.forged(VF0, first, ofPf));
  }
}
