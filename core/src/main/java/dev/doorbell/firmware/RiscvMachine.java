package dev.doorbell.firmware;

import static dev.doorbell.firmware.RiscvMadtLayout.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Adds what only RISC-V machines have to a machine of ACPI tables: interrupt files of harts (MADT), and IOMMUs (RIMT).
///
/// **Source**: ACPI 6.6, 5.2.12; RISC-V IO Mapping Table (RIMT) Specification 1.0.
final class RiscvMachine {
  private final Draft draft;
  private final Map<Integer, List<HostBridge.StreamMapping>> streams = new LinkedHashMap<>();

  private RiscvMachine(Draft draft) {
    this.draft = draft;
  }

  static void compose(Draft draft, AcpiTables tables) {
    RiscvMachine machine = new RiscvMachine(draft);
    Optional<Imsic> imsic =
        draft.guarded(
            "interrupt files of harts", () -> draft.madt.flatMap(machine::imsic), Optional.empty());
    imsic.ifPresent(draft.msiControllers::add);
    draft.madt.ifPresent(machine::wiresOnly);
    draft.guarded(
        "RISC-V IOMMUs",
        () -> {
          tables.table("RIMT").map(t -> Rimt.read(t, draft.findings)).ifPresent(machine::iommus);
          return true;
        },
        false);
    machine.missing(tables);
    machine.bridges(imsic);
  }

  /// A machine without a RIMT has no IOMMU, unless its kernel had groups: then the table is only not in the capture.
  private void missing(AcpiTables tables) {
    boolean unreadable = tables.present().contains("RIMT") && tables.table("RIMT").isEmpty();
    boolean grouped = draft.recorded.groups().stream().anyMatch(g -> g.name().isEmpty());
    if (unreadable || (tables.table("RIMT").isEmpty() && grouped)) {
      draft.findings.unseen(
          "RISC-V IOMMUs and id mappings",
          unreadable
              ? "the table RIMT is not readable"
              : "there is no table RIMT, and the captured kernel had groups",
          "which IOMMU a function is behind is not known",
          Set.of(Unseen.Hidden.IOMMUS));
    }
  }

  private Optional<Imsic> imsic(Madt madt) {
    Optional<Madt.Place> stated = madt.places(IMSIC).stream().findFirst();
    if (stated.isEmpty()) {
      return Optional.empty();
    }
    Blob b = madt.table().blob();
    int at = stated.get().at();
    Source source = b.source(at);
    atLeast(IMSIC_STRUCTURE, stated.get(), source);
    List<Imsic.File> files = new ArrayList<>();
    List<AddressRange> windows = new ArrayList<>();
    for (Madt.Place p : madt.places(RINTC)) {
      try {
        hart(b, p, files, windows);
      } catch (MalformedException e) {
        draft.findings.odd(e);
      }
    }
    if (files.isEmpty()) {
      draft.findings.odd("there is an IMSIC structure and no RINTC with a file of its", source);
      return Optional.empty();
    }
    Imsic.Index index =
        new Imsic.Index(
            b.getInt(at, IMSIC_GUEST_BITS),
            b.getInt(at, IMSIC_HART_BITS),
            b.getInt(at, IMSIC_GROUP_BITS),
            b.getInt(at, IMSIC_GROUP_SHIFT));
    return Optional.of(
        new Imsic(
            draft.unique(FdtRiscv.name(false, files.getFirst().page().start())),
            false,
            files,
            b.getInt(at, IMSIC_IDS),
            index,
            windows,
            aplics(madt, files, index),
            source));
  }

  /// Which global system interrupts devices have, and how these signal, only AML would tell.
  private List<AplicDescription> aplics(Madt madt, List<Imsic.File> files, Imsic.Index index) {
    List<AplicDescription> out = new ArrayList<>();
    Blob b = madt.table().blob();
    List<Madt.Place> places = madt.places(APLIC);
    if (!places.isEmpty() && !Aplics.canTellApart(files, index)) {
      Aplics.cannotTellApart(draft, "interrupt files", b.source(places.getFirst().at()));
      return out;
    }
    for (Madt.Place p : places) {
      Source source = b.source(p.at());
      try {
        atLeast(APLIC_STRUCTURE, p, source);
      } catch (MalformedException e) {
        draft.findings.odd(e);
        continue;
      }
      // One with structures for direct delivery sends no messages.
      if (b.getInt(p.at(), APLIC_IDCS) != 0) {
        continue;
      }
      int number = b.getInt(p.at(), APLIC_ID);
      Aplics.Found found =
          new Aplics.Found(number, "APLIC " + number, b.getInt(p.at(), APLIC_SOURCES), source);
      AddressRange registers =
          draft
              .range(
                  b.get(p.at(), APLIC_BASE),
                  b.get(p.at(), APLIC_SIZE),
                  "registers of " + found.name(),
                  source)
              .orElse(null);
      if (out.stream().anyMatch(a -> a.number() == number)) {
        draft.findings.odd(
            "there is another APLIC %d: it is passed over".formatted(number), source);
      } else {
        Aplics.describe(draft, found, registers, Map.of()).ifPresent(out::add);
      }
    }
    return out;
  }

  private void hart(Blob b, Madt.Place p, List<Imsic.File> files, List<AddressRange> windows) {
    Source source = b.source(p.at());
    atLeast(RINTC_STRUCTURE, p, source);
    long flags = b.get(p.at(), RINTC_FLAGS);
    long base = b.get(p.at(), RINTC_IMSIC_BASE);
    long size = b.get(p.at(), RINTC_IMSIC_SIZE);
    boolean usable = ENABLED.isSet(flags) || ONLINE_CAPABLE.isSet(flags);
    if (!usable || size == 0) {
      return;
    }
    if (size < Imsic.FILE_BYTES) {
      throw new MalformedException(
          "RINTC of hart %d has 0x%x bytes of interrupt files, less than a page"
              .formatted(b.get(p.at(), RINTC_HART), size),
          source);
    }
    draft
        .range(base, size, "interrupt files", source)
        .ifPresent(w -> {
          windows.add(w);
          files.add(
              new Imsic.File(
                  files.size(),
                  b.get(p.at(), RINTC_HART),
                  AddressRange.ofSize(base, Imsic.FILE_BYTES)));
        });
  }

  private static void atLeast(Structure wanted, Madt.Place p, Source source) {
    if (p.length() < wanted.size()) {
      throw new MalformedException(
          "%s structure of length %d, less than %d; it is passed over"
              .formatted(wanted.name(), p.length(), wanted.size()),
          source);
    }
  }

  /// Says why a machine has no MSI controller, where it has interrupt controllers that take wires only.
  private void wiresOnly(Madt madt) {
    if (!draft.msiControllers.isEmpty()) {
      return;
    }
    for (int type : new int[] {PLIC, APLIC}) {
      madt.places(type).stream()
          .findFirst()
          .ifPresent(p ->
              draft.findings.harmless(
                  "firmware describes no MSI controller: a%s takes wired interrupts and no messages"
                      .formatted(type == PLIC ? " PLIC" : "n APLIC"),
                  madt.table().source(p.at())));
    }
  }

  private void iommus(Rimt rimt) {
    Map<Integer, String> ids = new LinkedHashMap<>();
    rimt.units()
        .forEach((offset, u) -> {
          Optional<AddressRange> window =
              u.function().isPresent()
                  ? Optional.empty()
                  : draft.range(
                      u.base(),
                      IommuDescription.RiscvIommu.REGISTER_BYTES,
                      "registers of a RISC-V IOMMU",
                      u.source());
          String at = u.function().map(Sbdf::toString).orElse("0x" + Long.toHexString(u.base()));
          String id = draft.unique("riscv-iommu@" + at);
          ids.put(offset, id);
          draft.iommus.add(
              new IommuDescription.RiscvIommu(
                  id, window, u.function().map(Sbdf::toString), FdtRiscv.ABILITIES, u.source()));
        });
    for (Rimt.Complex c : rimt.complexes()) {
      List<HostBridge.StreamMapping> out =
          streams.computeIfAbsent(c.segment(), _ -> new ArrayList<>());
      for (Rimt.Run r : c.runs()) {
        Rimt.Unit unit = rimt.units().get(r.unit());
        String id = ids.get(r.unit());
        if (unit == null || id == null) {
          continue;
        }
        int self =
            unit.function()
                .filter(f -> f.segment() == c.segment())
                .map(Sbdf::requesterId)
                .orElse(-1);
        boolean split = self >= r.first() && self <= r.last();
        add(out, r, r.first(), split ? self - 1 : r.last(), id);
        if (split) {
          add(out, r, self + 1, r.last(), id);
        }
      }
    }
  }

  private static void add(
      List<HostBridge.StreamMapping> out, Rimt.Run r, int first, int last, String iommu) {
    if (first <= last) {
      out.add(
          new HostBridge.StreamMapping(
              Sbdf.LAST_REQUESTER_ID,
              first,
              last - first + 1L,
              iommu,
              (int) (r.deviceId() + first - r.first()),
              r.source()));
    }
  }

  private void bridges(Optional<Imsic> imsic) {
    List<HostBridge.MsiMapping> msis =
        imsic.stream()
            .map(i ->
                new HostBridge.MsiMapping(
                    Sbdf.LAST_REQUESTER_ID,
                    0,
                    Sbdf.LAST_REQUESTER_ID + 1L,
                    List.of(i.id()),
                    0,
                    i.source()))
            .toList();
    draft.hostBridges.replaceAll(b -> {
      List<HostBridge.StreamMapping> all = new ArrayList<>(b.streams());
      all.addAll(streams.getOrDefault(b.segment(), List.of()));
      return new HostBridge(
          b.id(),
          b.segment(),
          b.firstBus(),
          b.lastBus(),
          b.ecam(),
          all,
          b.msis().isEmpty() ? msis : b.msis(),
          b.windows(),
          b.dmaRanges(),
          b.dmaBits(),
          b.source());
    });
  }
}
