package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.Arch;
import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/// Puts a machine together from its ACPI tables.
///
/// **Source**: ACPI 6.5; DEN 0049 issue E.f (IORT); PCI Firmware 3.3 (MCFG).
final class AcpiMachine {
  private static final long GICD_V3_BYTES = 0x1_0000;
  private static final long GICD_V2_BYTES = 0x1000;
  private static final long GICC_BYTES = 0x2000;
  private static final long GICR_V3_BYTES = 0x2_0000;
  private static final long GICR_V4_BYTES = 0x4_0000;
  private static final long ITS_BYTES = 0x2_0000;
  private static final long FRAME_BYTES = 0x1000;
  private static final long SMMU3_BYTES = 0x2_0000;

  private final Draft draft;
  private final AcpiTables tables;
  private final Map<Long, String> itsById = new LinkedHashMap<>();
  private final Map<Integer, String> iommuByNode = new LinkedHashMap<>();
  private final Map<Integer, String> virtioByNode = new LinkedHashMap<>();
  private final List<String> v2mFrames = new ArrayList<>();

  private AcpiMachine(Draft draft, AcpiTables tables) {
    this.draft = draft;
    this.tables = tables;
  }

  static void compose(Draft draft, AcpiTables tables) {
    AcpiMachine machine = new AcpiMachine(draft, tables);
    draft.firmware = FirmwareKind.ACPI;
    Optional<Madt> madt =
        draft.guarded(
            "interrupt controllers",
            () -> tables.table("APIC").map(t -> Madt.read(t, draft.findings)),
            Optional.empty());
    Optional<Iort> iort =
        draft.guarded(
            "id mappings",
            () -> tables.table("IORT").map(t -> Iort.read(t, draft.findings)),
            Optional.empty());
    Optional<Viot> viot =
        draft.guarded(
            "virtio-iommus",
            () -> tables.table("VIOT").map(t -> Viot.read(t, draft.findings)),
            Optional.empty());
    Optional<Mcfg> mcfg =
        draft.guarded(
            "ECAM windows",
            () -> tables.table("MCFG").map(t -> Mcfg.read(t, draft.findings)),
            Optional.empty());
    draft.arch = arch(tables, madt, iort);
    draft.madt = madt;
    machine.missing();
    madt.ifPresent(machine::interrupts);
    iort.ifPresent(machine::iommus);
    viot.ifPresent(machine::virtioIommus);
    new AcpiBridges(
            draft, machine.itsById, machine.iommuByNode, machine.virtioByNode, machine.v2mFrames)
        .compose(mcfg, iort, viot);
    machine.damaged();
  }

  private static Arch arch(AcpiTables tables, Optional<Madt> madt, Optional<Iort> iort) {
    if (iort.isPresent() || madt.filter(Madt::describesArm).isPresent()) {
      return Arch.ARM64;
    }
    if (madt.filter(Madt::describesX86).isPresent()
        || tables.present().contains("DMAR")
        || tables.present().contains("IVRS")) {
      return Arch.X86;
    }
    boolean riscv =
        madt.filter(Madt::describesRiscv).isPresent()
            || tables.present().contains("RHCT")
            || tables.present().contains("RIMT");
    return riscv ? Arch.RISCV64 : Arch.UNKNOWN;
  }

  private void missing() {
    missing(
        "APIC",
        "interrupt controllers, MSI frames and ITSes",
        "where MSIs arrive is not known",
        Set.of(Unseen.Hidden.MSI_CONTROLLERS));
    missing("MCFG", "ECAM windows", "how configuration space is reached is not known", Set.of());
    if (draft.arch == Arch.ARM64) {
      missing(
          "IORT",
          "id mappings and SMMUs",
          "which IOMMU and which ITS a function is behind is not known",
          withoutIort());
    }
  }

  /// An IORT may only not have been captured, so nothing that it would name is known to be absent, with one exception: a kernel that made
  /// no group of its own (`vfio-noiommu` is none) found no IOMMU.
  private Set<Unseen.Hidden> withoutIort() {
    boolean none =
        draft.recorded.groupsSeen()
            && draft.recorded.groups().stream().noneMatch(g -> g.name().isEmpty());
    return none ? EnumSet.of(Unseen.Hidden.MSI_CONTROLLERS) : EnumSet.allOf(Unseen.Hidden.class);
  }

  /// What damaged tables would have told is not known to be absent.
  private void damaged() {
    damaged(
        "IORT",
        "id mappings and SMMUs that the damaged IORT may have",
        "which IOMMU and which ITS functions are behind may be more than is shown");
    damaged(
        "APIC",
        "interrupt controllers and processors that the damaged MADT may have",
        "there may be more of them than are shown, and doorbells of which nothing is known");
    damaged(
        "MCFG",
        "ECAM windows that the damaged MCFG may have",
        "there may be more root buses than are shown");
    damaged(
        "VIOT",
        "virtio-iommus and their functions that the damaged VIOT may have",
        "functions may be behind one and not shown so");
  }

  private void damaged(String signature, String what, String consequence) {
    if (tables.table(signature).isEmpty()) {
      return;
    }
    draft.findings.oddities().stream()
        .filter(Oddity::mayHideFacts)
        .filter(o -> AcpiTables.isOf(signature, o.source()))
        .findFirst()
        .ifPresent(o ->
            draft.findings.unseen(what, "%s (%s)".formatted(o.message(), o.source()), consequence));
  }

  private void missing(
      String signature, String what, String consequence, Set<Unseen.Hidden> hides) {
    if (tables.table(signature).isEmpty()) {
      String why =
          tables.present().contains(signature)
              ? "the table " + signature + " is not readable"
              : "there is no table " + signature;
      draft.findings.unseen(what, why, consequence, hides);
    }
  }

  private void interrupts(Madt madt) {
    for (Madt.Its its : madt.itses()) {
      Optional<AddressRange> window = draft.range(its.base(), ITS_BYTES, "ITS", its.source());
      if (window.isEmpty()) {
        continue;
      }
      if (itsById.containsKey(its.id())) {
        draft.findings.harmless(
            "a second ITS has id %d; mappings to that id lead to the first".formatted(its.id()),
            its.source());
      }
      String id = draft.unique("its@0x" + Long.toHexString(its.base()));
      itsById.putIfAbsent(its.id(), id);
      draft.msiControllers.add(
          new MsiControllerDescription.Its(id, (int) its.id(), window.get(), its.source()));
    }
    for (Madt.MsiFrame frame : madt.msiFrames()) {
      draft
          .range(frame.base(), FRAME_BYTES, "MSI frame", frame.source())
          .ifPresent(window -> {
            String id = draft.unique("gicv2m@0x" + Long.toHexString(frame.base()));
            v2mFrames.add(id);
            draft.msiControllers.add(
                new MsiControllerDescription.GicV2m(
                    id, window, frame.spiBase(), frame.spiCount(), frame.source()));
          });
    }
    gic(madt);
  }

  private void gic(Madt madt) {
    if (madt.gicds().isEmpty()) {
      if (madt.describesArm()) {
        draft.findings.odd("there are GICC structures and no GICD", madt.table().source(0));
      }
      return;
    }
    Madt.Gicd gicd = madt.gicds().getFirst();
    if (madt.gicds().size() > 1) {
      draft.findings.harmless(
          "%d GICD structures; the first counts".formatted(madt.gicds().size()),
          madt.gicds().get(1).source());
    }
    boolean redistributors =
        !madt.gicrs().isEmpty()
            || madt.giccs().stream().anyMatch(c -> c.redistributor().orElse(0) != 0);
    int version = gicd.version() != 0 ? gicd.version() : redistributors ? 3 : 0;
    long bytes = version >= 3 ? GICD_V3_BYTES : GICD_V2_BYTES;
    List<GicDescription.Cpu> cpus = new ArrayList<>();
    for (Madt.Gicc c : madt.giccs()) {
      if (c.usable()) {
        cpus.add(new GicDescription.Cpu(cpus.size(), c.mpidr().orElse(cpus.size()), c.source()));
      }
    }
    Optional<AddressRange> cpuInterface =
        madt.giccs().stream()
            .filter(c -> c.base() != 0 && version < 3)
            .findFirst()
            .flatMap(c -> draft.range(c.base(), GICC_BYTES, "GICC", c.source()));
    draft.gic =
        draft
            .range(gicd.base(), bytes, "GICD", gicd.source())
            .map(d ->
                new GicDescription(
                    version, d, redistributors(madt, version), cpuInterface, cpus, gicd.source()));
  }

  private List<AddressRange> redistributors(Madt madt, int version) {
    List<AddressRange> out = new ArrayList<>();
    for (Madt.Gicr r : madt.gicrs()) {
      draft.range(r.base(), r.length(), "GICR", r.source()).ifPresent(out::add);
    }
    if (out.isEmpty()) {
      for (Madt.Gicc c : madt.giccs()) {
        OptionalLong base = c.redistributor();
        if (c.usable() && base.isPresent() && base.getAsLong() != 0) {
          draft
              .range(
                  base.getAsLong(),
                  version >= 4 ? GICR_V4_BYTES : GICR_V3_BYTES,
                  "GICR",
                  c.source())
              .ifPresent(out::add);
        }
      }
    }
    return out;
  }

  private void iommus(Iort iort) {
    for (IortNode node : iort.nodes().values()) {
      Optional<IommuDescription> iommu =
          switch (node.body()) {
            case IortNode.Smmu3 s -> smmu3(s, node.source());
            case IortNode.Smmu s -> smmu(s, node.source());
            default -> Optional.empty();
          };
      iommu.ifPresent(i -> {
        draft.iommus.add(i);
        iommuByNode.put(node.offset(), i.id());
      });
    }
  }

  private Optional<IommuDescription> smmu3(IortNode.Smmu3 s, Source source) {
    return draft
        .range(s.base(), SMMU3_BYTES, "SMMUv3", source)
        .map(w ->
            new IommuDescription.Smmuv3(
                draft.unique("smmuv3@0x" + Long.toHexString(s.base())),
                w,
                s.coherent(),
                Abilities.of(draft, s.base()),
                source));
  }

  private Optional<IommuDescription> smmu(IortNode.Smmu s, Source source) {
    String kind = s.model() < SMMU_MODELS.size() ? SMMU_MODELS.get((int) s.model()) : "SMMUv2";
    if (s.model() >= SMMU_MODELS.size()) {
      draft.findings.harmless(
          "SMMU of unknown model %d is taken for an SMMUv2".formatted(s.model()), source);
    }
    boolean first = s.model() == 0 || s.model() == 2 || s.model() == 4;
    return draft
        .range(s.base(), s.span(), "SMMU", source)
        .map(w ->
            new IommuDescription.Smmuv2(
                draft.unique((first ? "smmuv1@0x" : "smmuv2@0x") + Long.toHexString(s.base())),
                kind,
                w,
                s.coherent(),
                0,
                Abilities.of(draft, s.base()),
                source));
  }

  private static final List<String> SMMU_MODELS =
      List.of("SMMUv1", "SMMUv2", "MMU-400", "MMU-500", "MMU-401", "Cavium ThunderX SMMUv2");

  private void virtioIommus(Viot viot) {
    viot.iommus()
        .forEach((offset, v) -> {
          IommuDescription iommu =
              switch (v) {
                case Viot.OverPci p -> {
                  String function = dev.doorbell.pci.Sbdf.of(p.segment(), p.rid()).toString();
                  yield new IommuDescription.VirtioIommu(
                      draft.unique("virtio-iommu@" + function),
                      Optional.empty(),
                      Optional.of(function),
                      IommuDescription.Abilities.UNSEEN,
                      p.source());
                }
                case Viot.OverMmio m ->
                    new IommuDescription.VirtioIommu(
                        draft.unique("virtio-iommu@0x" + Long.toHexString(m.base())),
                        draft.range(m.base(), VIRTIO_MMIO_BYTES, "virtio-mmio device", m.source()),
                        Optional.empty(),
                        IommuDescription.Abilities.UNSEEN,
                        m.source());
              };
          draft.iommus.add(iommu);
          virtioByNode.put(offset, iommu.id());
        });
  }

  private static final long VIRTIO_MMIO_BYTES = 0x200;

  /// {@return a memory address size limit that says something}
  static OptionalInt limit(int bits) {
    return bits > 0 && bits < 64 ? OptionalInt.of(bits) : OptionalInt.empty();
  }
}
