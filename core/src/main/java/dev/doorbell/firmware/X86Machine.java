package dev.doorbell.firmware;

import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.WireSignal;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PciTopology;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// What x86 machines have beside their host bridges: local and I/O APICs, VT-d's units or AMD's IOMMUs.
///
/// **Source**: ACPI 6.5, 5.2.12 (MADT); Intel SDM volume 3, 11.11; the tables' own manuals for DMAR and IVRS.
final class X86Machine {
  private static final int IO_APIC_BYTES = 0x1000;
  private static final int LAST_BUS = 255;

  /// A word of Linux's command line, `intremap=`.
  private static final String IGNORES_OPT_OUT = "no_x2apic_optout";

  private static final int INTI_RESERVED = 2;
  private static final int INTI_LOW = 3;
  private static final int INTI_LEVEL = 3;
  private static final Source RULE = Source.rule("Intel SDM volume 3, 11.11");

  private final Draft draft;
  private final RequesterMap requesters = new RequesterMap();
  private final X86Sources sources = new X86Sources();
  private Optional<HpetTable> hpet = Optional.empty();
  private Optional<Source> xApicOnly = Optional.empty();

  private X86Machine(Draft draft) {
    this.draft = draft;
  }

  static void compose(Draft draft, AcpiTables tables) {
    X86Machine machine = new X86Machine(draft);
    unreadable(draft, tables, "DMAR", "VT-d's remapping units");
    unreadable(draft, tables, "IVRS", "AMD's IOMMUs");
    lacking(draft, tables);
    draft.guarded(
        "VT-d's remapping units",
        () -> machine.vtd(tables.table("DMAR").map(t -> Dmar.read(t, draft.findings))),
        false);
    draft.guarded(
        "AMD's IOMMUs",
        () -> machine.amd(tables.table("IVRS").map(t -> Ivrs.read(t, draft.findings))),
        false);
    machine.hpet =
        draft.guarded(
            "the HPET",
            () -> tables.table("HPET").map(t -> HpetTable.read(t, draft.findings)),
            Optional.empty());
    machine.apics();
    machine.bridges();
    machine.unseenRemapping();
  }

  private static void unreadable(Draft draft, AcpiTables tables, String signature, String what) {
    if (tables.present().contains(signature) && tables.table(signature).isEmpty()) {
      draft.findings.unseen(
          what,
          "the table " + signature + " is not readable",
          "which function is behind which of them, what is reserved for whom, and whether interrupts are remapped is not known",
          Set.of(Unseen.Hidden.IOMMUS));
    }
  }

  /// A machine with neither table has no IOMMU, unless its kernel had groups: then the table is only not in the capture.
  private static void lacking(Draft draft, AcpiTables tables) {
    boolean grouped = draft.recorded.groups().stream().anyMatch(g -> g.name().isEmpty());
    boolean described =
        tables.present().contains("DMAR")
            || tables.present().contains("IVRS")
            || !draft.iommus.isEmpty();
    if (grouped && !described) {
      draft.findings.unseen(
          "IOMMUs",
          "there is neither a table DMAR nor IVRS, and the captured kernel had groups",
          "which function is behind which IOMMU is not known",
          Set.of(Unseen.Hidden.IOMMUS));
    }
  }

  private boolean vtd(Optional<Dmar> dmar) {
    dmar.ifPresent(d -> {
      new DmarUnits(draft, d, topology(), requesters, sources).compose();
      xApicOnly =
          Optional.of(d)
              .filter(Dmar::optsOutOfX2Apic)
              .filter(_ -> !draft.recorded.commandLine().orElse("").contains(IGNORES_OPT_OUT))
              .map(_ -> d.table().source(DmarLayout.FLAGS_AT));
    });
    return dmar.isPresent();
  }

  private boolean amd(Optional<Ivrs> ivrs) {
    ivrs.ifPresent(i -> new IvrsUnits(draft, i, requesters, sources).compose());
    return ivrs.isPresent();
  }

  private PciTopology topology() {
    List<PciFunction> functions = new ArrayList<>();
    draft
        .pci
        .functions()
        .forEach(f ->
            functions.add(
                f.physicalFunction()
                    .map(pf -> PciFunction.virtual(f.sbdf(), f.config(), f.source().where(), pf))
                    .orElseGet(() -> PciFunction.of(f.sbdf(), f.config(), f.source().where()))));
    return PciTopology.of(functions);
  }

  private void apics() {
    Source source = draft.madt.map(m -> m.table().source(0)).orElse(RULE);
    List<ApicDescription.Cpu> cpus = new ArrayList<>();
    List<ApicDescription.IoApic> ioApics = new ArrayList<>();
    if (draft.madt.isPresent()) {
      Madt madt = draft.madt.get();
      for (Madt.Cpu c : madt.cpusById().values()) {
        cpus.add(new ApicDescription.Cpu(cpus.size(), c.apicId(), c.source()));
      }
      madt.ioApics().forEach(a -> ioApics.add(ioApic(a)));
      if (cpus.isEmpty()) {
        draft.findings.unseen(
            "processors",
            "the MADT has no local APIC that can be used",
            "how many vectors there are in all is not known");
      }
    }
    named(ioApics);
    ApicDescription apic = new ApicDescription(cpus, ioApics, lines(), hpets(), xApicOnly, source);
    draft.apic = Optional.of(apic);
    unreachable(apic);
    boolean isolated =
        !draft.iommus.isEmpty()
            && draft.iommus.stream()
                .allMatch(i -> i.interruptRemapping().map(InterruptRemapping::isOn).orElse(false));
    draft.msiControllers.add(
        new MsiControllerDescription.LocalApic(
            draft.unique(
                "lapic@0x" + Long.toHexString(MsiControllerDescription.LocalApic.WINDOW.start())),
            cpus.isEmpty()
                ? OptionalInt.empty()
                : OptionalInt.of(
                    (int)
                        Math.min(
                            Integer.MAX_VALUE, apic.reachable() * ApicDescription.VECTORS_PER_CPU)),
            isolated,
            source));
  }

  /// Linux stays in xAPIC mode then, and leaves processors out whose ids do not fit.
  private void unreachable(ApicDescription apic) {
    long left = apic.cpus().size() - apic.reachable();
    if (left > 0) {
      draft.findings.harmless(
          "firmware asks to stay out of x2APIC mode, in which alone %d of %d processors can be named: their APIC ids are above %d"
              .formatted(left, apic.cpus().size(), ApicDescription.LAST_XAPIC_ID),
          apic.xApicOnly().orElseThrow());
    }
  }

  private ApicDescription.IoApic ioApic(Madt.IoApic a) {
    Optional<X86Sources.Remapped> by = sources.ioApic(a.id());
    return new ApicDescription.IoApic(
        a.id(),
        a.gsiBase(),
        draft.range(a.base(), IO_APIC_BYTES, "I/O APIC", a.source()),
        by.map(X86Sources.Remapped::iommu),
        by.map(X86Sources.Remapped::sourceId).orElse(OptionalInt.empty()),
        a.source());
  }

  /// An override that leaves polarity and trigger as usual has those of the ISA bus.
  private List<ApicDescription.Line> lines() {
    List<ApicDescription.Line> out = new ArrayList<>();
    for (Madt.SourceOverride o : draft.madt.map(Madt::overrides).orElse(List.of())) {
      if (o.polarity() == INTI_RESERVED || o.trigger() == INTI_RESERVED) {
        draft.findings.harmless(
            "interrupt source override of IRQ %d has reserved flags; it counts as active high and edge there"
                .formatted(o.irq()),
            o.source());
      }
      out.add(
          new ApicDescription.Line(
              o.irq(),
              o.gsi(),
              new WireSignal(o.polarity() == INTI_LOW, o.trigger() == INTI_LEVEL),
              o.source()));
    }
    return out;
  }

  /// The one that the table HPET describes, and others that a table of IOMMUs names.
  private List<ApicDescription.Hpet> hpets() {
    Map<Integer, X86Sources.Remapped> named = sources.hpets();
    List<ApicDescription.Hpet> out = new ArrayList<>();
    hpet.ifPresent(h -> {
      Optional<X86Sources.Remapped> by = Optional.ofNullable(named.remove(h.number()));
      out.add(
          new ApicDescription.Hpet(
              h.number(),
              h.registers(),
              h.timers(),
              by.map(X86Sources.Remapped::iommu),
              by.map(X86Sources.Remapped::sourceId).orElse(OptionalInt.empty()),
              h.source()));
    });
    named.forEach((number, by) ->
        out.add(
            new ApicDescription.Hpet(
                number,
                Optional.empty(),
                OptionalInt.empty(),
                Optional.of(by.iommu()),
                by.sourceId(),
                by.source())));
    return out;
  }

  /// Linux refuses to remap interrupts where a table names an I/O APIC that the MADT has not.
  private void named(List<ApicDescription.IoApic> have) {
    if (draft.madt.isEmpty()) {
      return;
    }
    sources
        .ioApics()
        .forEach((id, by) -> {
          if (have.stream().noneMatch(a -> a.apicId() == id)) {
            draft.findings.harmless(
                "%s is said to remap I/O APIC %d, which the MADT has not".formatted(by.iommu(), id),
                by.source());
          }
        });
  }

  /// Gives every host bridge the way to the local APICs and to its IOMMUs.
  private void bridges() {
    for (int segment : requesters.segments()) {
      if (draft.hostBridges.stream().noneMatch(b -> b.segment() == segment)) {
        draft.hostBridges.add(bare(segment));
      }
    }
    MsiControllerDescription apic = draft.msiControllers.getLast();
    HostBridge.MsiMapping msis =
        new HostBridge.MsiMapping(
            Sbdf.LAST_REQUESTER_ID,
            0,
            Sbdf.LAST_REQUESTER_ID + 1L,
            List.of(apic.id()),
            0,
            apic.source());
    draft.hostBridges.replaceAll(b -> {
      List<HostBridge.StreamMapping> streams = new ArrayList<>(b.streams());
      streams.addAll(requesters.mappings(b.segment(), b.firstBus(), b.lastBus()));
      return new HostBridge(
          b.id(),
          b.segment(),
          b.firstBus(),
          b.lastBus(),
          b.ecam(),
          streams,
          List.of(msis),
          b.windows(),
          b.dmaRanges(),
          b.dmaBits(),
          b.source());
    });
  }

  private HostBridge bare(int segment) {
    return new HostBridge(
        draft.unique(String.format(Locale.ROOT, "pci%04x:00", segment)),
        segment,
        0,
        LAST_BUS,
        Optional.empty(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        OptionalInt.empty(),
        requesters.source(segment));
  }

  private void unseenRemapping() {
    for (IommuDescription i : draft.iommus) {
      Optional<InterruptRemapping> r = i.interruptRemapping();
      if (r.isPresent() && r.get().state() == InterruptRemapping.State.UNSEEN) {
        draft.findings.unseen(
            "whether %s remaps interrupts".formatted(i.id()),
            r.get().because(),
            "MSIs of functions behind it are not counted as isolated");
      }
    }
  }
}
