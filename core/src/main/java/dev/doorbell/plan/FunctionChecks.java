package dev.doorbell.plan;

import dev.doorbell.address.Granule;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.Undriven;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.VfioDrivers;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// What stands against assigning a function, whatever the addresses: no IOMMU, no MSI, group mates, isolation.
final class FunctionChecks {
  /// Drivers that neither give a DMA address to the device nor make a group unviable, beside VFIO's own (`driver_managed_dma`, Linux 6.12).
  private static final Set<String> HARMLESS = Set.of("pci-stub", "pcieport");

  private final MachineDescription machine;

  private final PlanRequest request;
  private final List<Conflict> conflicts;

  FunctionChecks(MachineDescription machine, PlanRequest request, List<Conflict> conflicts) {
    this.machine = machine;
    this.request = request;
    this.conflicts = conflicts;
  }

  void check(List<Subject> subjects, Granule granule) {
    for (Subject s : subjects) {
      bridge(s);
      obstacle(s);
      iommu(s, granule);
      sharers(s);
      msi(s);
      mates(s, subjects);
      direct(s);
      isolation(s, granule);
      namesakes(s, subjects);
    }
    oneKind(subjects);
  }

  private void bridge(Subject s) {
    if (isBridge(s.sbdf())) {
      add(
          "NotAssignable",
          self(s),
          Thing.named("PCI bridge", s.source()),
          "%s is a bridge or port, which stays with the host".formatted(s.sbdf()),
          "assign an endpoint below it");
    }
  }

  private void obstacle(Subject s) {
    s.obstacle()
        .ifPresent(o ->
            add(
                "NotAssignable",
                self(s),
                Thing.named(o.at(), o.source()),
                "%s cannot be assigned: %s".formatted(s.sbdf(), o.why()),
                o.advice()));
  }

  private void iommu(Subject s, Granule granule) {
    if (s.iommu().isEmpty()) {
      add(
          "NoIommu",
          self(s),
          Thing.named("IOMMU", bridgeSource(s)),
          "no IOMMU stands between %s and memory".formatted(s.sbdf()),
          "assign a function behind an IOMMU; this one would reach all memory");
      return;
    }
    IommuDescription iommu = s.iommu().get();
    if (iommu instanceof IommuDescription.Other) {
      add(
          "IommuNotDriven",
          self(s),
          Thing.named(iommu.id(), iommu.source()),
          "%s is behind %s, a %s that Doorbell knows by name only"
              .formatted(s.sbdf(), iommu.id(), iommu.kind()),
          "see docs/caveats.md for the IOMMUs that are covered");
    }
    Undriven.of(machine, iommu.id())
        .ifPresent(u ->
            add(
                "IommuNotDriven",
                self(s),
                Thing.named(iommu.id(), u.source()),
                "%s is behind %s, which cannot be driven: %s"
                    .formatted(s.sbdf(), iommu.id(), u.why()),
                "see docs/caveats.md for what a bridge of POWER has to tell"));
    List<Granule> known = iommu.abilities().granules();
    if (!known.isEmpty() && !known.contains(granule)) {
      add(
          "GranuleUnsupported",
          Thing.named("granule " + granule, Source.rule("--granule")),
          Thing.named(iommu.id(), iommu.source()),
          "%s has granules %s and not %s".formatted(iommu.id(), known, granule),
          "use one of " + known);
    }
  }

  /// What is written for one function translates the accesses of every function with its StreamID. Assigning all of them would not help:
  /// they are groups of their own, which come and go one by one.
  private void sharers(Subject s) {
    if (s.sharers().isEmpty()) {
      return;
    }
    Subject.StreamSharer first = s.sharers().getFirst();
    int more = s.sharers().size() - 1;
    add(
        "StreamIdShared",
        self(s),
        Thing.named(
            "%s with StreamID 0x%x of %s".formatted(first.sbdf(), first.streamId(), first.iommu()),
            first.source()),
        "%s has StreamID 0x%x of %s, as %s%s of another group has: one stream table entry translates the accesses of both, and what is set for one holds for the other"
            .formatted(
                first.of().equals(s.sbdf())
                    ? s.sbdf()
                    : "%s in the group of %s".formatted(first.of(), s.sbdf()),
                first.streamId(),
                first.iommu(),
                first.sbdf(),
                more == 0 ? "" : " (and %d more)".formatted(more)),
        "give each function a StreamID of its own in firmware (IORT, iommu-map, iommu-map-mask)");
  }

  private void msi(Subject s) {
    if (s.capabilitiesSeen() && s.advertised() == 0) {
      add(
          "NoMsiCapability",
          self(s),
          Thing.named("MSI and MSI-X capability", s.source()),
          "%s has neither MSI nor MSI-X".formatted(s.sbdf()),
          "assign a function that has one");
    }
    if (s.controllers().isEmpty()) {
      unserved(s);
    } else if (s.controllers().getFirst() instanceof MsiControllerDescription.Other other) {
      add(
          "MsiControllerNotDriven",
          self(s),
          Thing.named(other.id(), other.source()),
          "messages of %s go to %s, a %s that Doorbell knows by name only"
              .formatted(s.sbdf(), other.id(), other.kind()),
          "see docs/caveats.md for the MSI controllers that are covered");
    }
  }

  private void unserved(Subject s) {
    Optional<HostBridge.MsiMapping> named =
        machine.hostBridge(s.sbdf()).flatMap(b -> b.msiMapping(s.sbdf().requesterId()));
    if (named.isPresent()) {
      String absent = String.join(", ", named.get().controllers());
      add(
          "NoMsiController",
          self(s),
          Thing.named(absent, named.get().source()),
          "no MSI controller that firmware describes serves %s: its messages go to %s, which firmware names there and describes nowhere"
              .formatted(s.sbdf(), absent),
          "mend the firmware's ITS ids (IORT ITS group, MADT GIC ITS structures)");
      return;
    }
    add(
        "NoMsiController",
        self(s),
        Thing.named("MSI controller", bridgeSource(s)),
        "no MSI controller that firmware describes serves %s".formatted(s.sbdf()),
        "check the id mappings of its root complex (IORT, msi-map, msi-parent)");
  }

  private void mates(Subject s, List<Subject> subjects) {
    for (Subject.Mate m : s.mates()) {
      boolean assigned = subjects.stream().anyMatch(o -> o.sbdf().equals(m.sbdf()));
      if (assigned || m.bridge() || m.driver().isEmpty() || isHarmless(m.driver().get())) {
        continue;
      }
      Thing mate =
          Thing.named(
              "%s with driver %s".formatted(m.sbdf(), m.driver().get()),
              machine.function(m.sbdf()).map(FunctionDescription::source).orElse(s.source()));
      add(
          "GroupNotViable",
          self(s),
          mate,
          "%s shares a group with %s, which driver %s uses: %s"
              .formatted(s.sbdf(), m.sbdf(), m.driver().get(), m.because()),
          "unbind %s from %s%s"
              .formatted(m.sbdf(), m.driver().get(), m.assignable() ? ", or assign it too" : ""));
    }
  }

  private static boolean isHarmless(String driver) {
    return HARMLESS.contains(driver) || VfioDrivers.has(driver);
  }

  /// A port's driver takes vectors for the host; what is held for a user takes none.
  private static boolean takesNoVectors(String driver) {
    return driver.equals("pci-stub") || VfioDrivers.has(driver);
  }

  private void isolation(Subject s, Granule granule) {
    for (MsiControllerDescription c : s.controllers()) {
      if (c instanceof MsiControllerDescription.LocalApic apic) {
        remapping(s, apic);
        continue;
      }
      if (c.isolated() || c instanceof MsiControllerDescription.Other) {
        continue;
      }
      List<MsiControllerDescription> beside = BlastRadius.beside(machine, c, granule);
      String sharing =
          machine.functions().stream()
              .filter(f ->
                  !f.sbdf().equals(s.sbdf())
                      && (sharesController(f, c)
                          || beside.stream().anyMatch(b -> sharesController(f, b))))
              .map(f -> f.sbdf().toString())
              .collect(Collectors.joining(", "));
      String reach =
          sharing.isEmpty()
              ? "; the capture shows no other function that uses it"
              : ", those of %s among them".formatted(sharing);
      conflicts.add(
          new Conflict(
              "NotIsolated",
              self(s),
              Thing.named(c.id(), c.source()),
              !request.allowUnsafeInterrupts(),
              "%s does not look at who writes%s: whoever owns %s can raise any of its vectors%s%s"
                  .formatted(
                      c.id(),
                      s.iommu().flatMap(IommuDescription::remappedOnly).orElse(""),
                      s.sbdf(),
                      BlastRadius.told(beside, granule),
                      reach),
              request.allowUnsafeInterrupts()
                  ? "give it only to a guest that is trusted as much as the host"
                  : "allow it only for a guest that is trusted as much as the host (--unsafe-interrupts; allow_unsafe_interrupts=1 on Linux)"));
    }
  }

  /// What nothing remaps is an interrupt for whatever CPU and vector its address and datum name: the blast radius is every vector of the
  /// machine. Remapping that the capture does not tell of is no conflict; the plan says that it could not be seen.
  private void remapping(Subject s, MsiControllerDescription.LocalApic apic) {
    Optional<InterruptRemapping> r = s.iommu().flatMap(IommuDescription::interruptRemapping);
    if (r.isEmpty() || r.get().state() != InterruptRemapping.State.OFF) {
      return;
    }
    conflicts.add(
        new Conflict(
            "NotIsolated",
            self(s),
            Thing.named(apic.id(), r.get().source()),
            !request.allowUnsafeInterrupts(),
            "interrupts are not remapped (%s): whoever owns %s can raise any vector of any CPU by a write to 0xfee00000-0xfeefffff, %s among them"
                .formatted(r.get().because(), s.sbdf(), BlastRadius.of(machine, s.sbdf())),
            request.allowUnsafeInterrupts()
                ? "give it only to a guest that is trusted as much as the host"
                : "turn interrupt remapping on in firmware and kernel; or allow it for a guest that is trusted as much as the host (--unsafe-interrupts; allow_unsafe_interrupts=1 on Linux)"));
  }

  /// Memory that firmware wants mapped one to one all the time leaves no room for another owner's mappings (R13).
  ///
  /// **Source**: VT-d 4.1, 8.4; Linux 6.12 refuses such a function a domain of its own (`require_direct`), but for USB controllers and
  /// display adapters.
  private void direct(Subject s) {
    boolean x86 = s.iommu().flatMap(IommuDescription::interruptRemapping).isPresent();
    if (!x86) {
      return;
    }
    s.reserved().stream()
        .filter(r -> r.kind() == ReservedRegion.Kind.DIRECT)
        .findFirst()
        .ifPresent(r ->
            add(
                "DirectRegionBinds",
                self(s),
                Thing.at("direct region", r.range(), r.source()),
                "firmware keeps using %s through %s, which must stay mapped one to one: it cannot be given away"
                    .formatted(r.range(), s.sbdf()),
                "ask the platform's vendor for firmware without that reservation, or turn off in its setup what uses it"));
  }

  /// Who reaches a doorbell writes there by its DeviceID, whatever controller firmware meant that for.
  private void namesakes(Subject s, List<Subject> subjects) {
    List<MsiControllerDescription> inReach =
        subjects.stream()
            .flatMap(o -> o.controllers().stream())
            .filter(MsiControllerDescription::isolated)
            .distinct()
            .toList();
    for (Subject.Namesake n : s.namesakes()) {
      if (subjects.stream().anyMatch(o -> o.sbdf().equals(n.sbdf()))) {
        continue;
      }
      inReach.stream()
          .filter(c -> n.controllers().contains(c.id()))
          .findFirst()
          .ifPresent(c -> namesake(s, n, c));
    }
  }

  private void namesake(Subject s, Subject.Namesake n, MsiControllerDescription c) {
    boolean used = n.driver().filter(d -> !takesNoVectors(d)).isPresent();
    conflicts.add(
        new Conflict(
            "DeviceIdNotUnique",
            self(s),
            Thing.named(
                "%s with DeviceID 0x%x at %s".formatted(n.sbdf(), n.deviceId(), c.id()),
                n.source()),
            used && !request.allowUnsafeInterrupts(),
            "%s has DeviceID 0x%x, as %s has%s, and reaches the doorbell of %s in this domain: it can raise what %s has there"
                .formatted(
                    s.sbdf(),
                    n.deviceId(),
                    n.sbdf(),
                    n.driver().map(d -> " (driver " + d + ")").orElse(""),
                    c.id(),
                    n.sbdf()),
            apart(s, n, c)));
  }

  /// Names only ways that are open: a function behind the controller has its doorbell wherever it is, and not every function can be assigned.
  private String apart(Subject s, Subject.Namesake n, MsiControllerDescription c) {
    boolean own = s.controllers().stream().anyMatch(o -> o.id().equals(c.id()));
    String container =
        own
            ? ""
            : "keep %s in another container than the functions behind %s, "
                .formatted(s.sbdf(), c.id());
    String together = n.assignable() ? "assign %s to the same guest, ".formatted(n.sbdf()) : "";
    String before = container + together;
    return "%s%sgive the two DeviceIDs of their own in firmware (IORT, msi-map)"
        .formatted(before, before.isEmpty() ? "" : "or ");
  }

  private boolean isBridge(Sbdf sbdf) {
    return machine
        .function(sbdf)
        .map(f -> PciFunction.of(f.sbdf(), f.config(), f.source().where()).isBridge())
        .orElse(false);
  }

  private boolean sharesController(FunctionDescription f, MsiControllerDescription c) {
    return machine.hostBridge(f.sbdf()).stream()
        .flatMap(b -> b.msis().stream())
        .anyMatch(m ->
            m.controllers().contains(c.id()) && m.deviceIdOf(f.sbdf().requesterId()).isPresent());
  }

  private void oneKind(List<Subject> subjects) {
    List<IommuDescription> iommus =
        subjects.stream().flatMap(s -> s.iommu().stream()).distinct().toList();
    for (IommuDescription other : iommus) {
      IommuDescription first = iommus.getFirst();
      if (!other.getClass().equals(first.getClass())) {
        add(
            "IommusDiffer",
            Thing.named(first.id(), first.source()),
            Thing.named(other.id(), other.source()),
            "one domain cannot span %s (%s) and %s (%s)"
                .formatted(first.id(), first.kind(), other.id(), other.kind()),
            "plan the functions behind each IOMMU apart");
      }
    }
  }

  private Thing self(Subject s) {
    return Thing.named(s.sbdf().toString(), s.source());
  }

  private Source bridgeSource(Subject s) {
    return machine.hostBridge(s.sbdf()).map(HostBridge::source).orElse(s.source());
  }

  /// Adds a conflict that stands against the plan.
  private void add(String kind, Thing a, Thing b, String message, String advice) {
    conflicts.add(new Conflict(kind, a, b, true, message, advice));
  }
}
