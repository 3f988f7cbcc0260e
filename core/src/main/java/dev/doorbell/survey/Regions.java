package dev.doorbell.survey;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MachineDescription.Reservation;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.iommu.ReservedRegion.Kind;
import dev.doorbell.pci.Sbdf;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Reserved regions of functions, derived from firmware and from how their MSIs travel, and those that the captured kernel recorded.
public final class Regions {
  /// Where Linux puts its software MSI window on every machine whose IOMMU translates MSIs.
  public static final ReservedRegion LINUX_WINDOW =
      new ReservedRegion(
          new AddressRange(0x800_0000L, 0x80f_ffffL),
          Kind.SW_MSI,
          Source.rule("Linux MSI_IOVA_BASE, drivers/iommu/arm/arm-smmu-v3"));

  /// Writes there are interrupts and never meet the translation tables.
  public static final ReservedRegion X86_INTERRUPTS =
      new ReservedRegion(
          MsiControllerDescription.LocalApic.WINDOW,
          Kind.MSI,
          Source.rule("Intel VT-d 4.1, 3.14 and AMD 48882 3.09, 2.1.4: interrupt address range"));

  /// What devices on AMD's link say to each other: never memory (AMD 48882 3.09, 2.1.2).
  public static final ReservedRegion HYPERTRANSPORT =
      new ReservedRegion(
          new AddressRange(0xfd_0000_0000L, 0xff_ffff_ffffL),
          Kind.RESERVED,
          Source.rule("AMD 48882 3.09, 2.1.2: HyperTransport special address ranges"));

  /// Devices behind an ISA bridge do DMA to the first 16 MiB, and firmware's RMRRs forget them.
  public static final ReservedRegion ISA_DMA =
      new ReservedRegion(
          new AddressRange(0, 0xff_ffffL),
          Kind.DIRECT_RELAXABLE,
          Source.rule("Linux CONFIG_INTEL_IOMMU_FLOPPY_WA, drivers/iommu/intel: ISA DMA"));

  /// Where an IBM host bridge takes messages of functions that have 32 bits of address: the last 64 KiB below 4 GiB.
  public static final ReservedRegion PHB_LOW_MESSAGES =
      new ReservedRegion(
          MsiControllerDescription.PhbMsi.LOW_WINDOW,
          Kind.MSI,
          Source.rule(
              "skiboot hw/phb4.c and phb3.c: 32-bit MSI region, the end of the M32 window"));

  /// Bit 60 of an address says that the write is a message.
  public static final ReservedRegion PHB_MESSAGES =
      new ReservedRegion(
          MsiControllerDescription.PhbMsi.WINDOW,
          Kind.MSI,
          Source.rule("skiboot hw/phb4.c and phb3.c: bit 60 of a 64-bit MSI address"));

  /// Class and subclass of a bridge to ISA.
  private static final int ISA_BRIDGE = 0x0601;

  private final Survey survey;
  private final MachineDescription machine;

  public Regions(Survey survey) {
    this.survey = survey;
    this.machine = survey.machine();
  }

  /// {@return regions of some functions, in order of address}
  public List<ReservedRegion> derived(List<Sbdf> functions) {
    Set<ReservedRegion> out =
        new TreeSet<>(
            java.util.Comparator.comparing(ReservedRegion::range)
                .thenComparing(ReservedRegion::kind));
    for (Sbdf sbdf : functions) {
      survey.function(sbdf).ifPresent(f -> add(f, out));
    }
    return List.copyOf(out);
  }

  /// {@return regions that the captured kernel recorded for some functions; a software window is told from a hardware region, which Linux prints alike}
  public List<ReservedRegion> recorded(List<Sbdf> functions) {
    Set<ReservedRegion> out = new LinkedHashSet<>();
    for (Recorded.Group g : machine.recorded().groups()) {
      if (g.functions().stream().anyMatch(functions::contains)) {
        g.reserved().forEach(r -> out.add(isSoftwareWindow(functions, r) ? softwareWindow(r) : r));
      }
    }
    return List.copyOf(out);
  }

  /// {@return whether an IOMMU sends MSIs through its translation tables}
  public static boolean translatesMsi(IommuDescription iommu) {
    return switch (iommu) {
      case IommuDescription.Smmuv3 _,
          IommuDescription.Smmuv2 _,
          IommuDescription.RiscvIommu _,
          IommuDescription.Pamu _ ->
          true;
      case IommuDescription.VtD _,
          IommuDescription.AmdVi _,
          IommuDescription.VirtioIommu _,
          IommuDescription.Phb _,
          IommuDescription.PaprTce _,
          IommuDescription.Other _ ->
          false;
    };
  }

  private void add(SurveyedFunction f, Set<ReservedRegion> out) {
    for (Reservation r : machine.reserved()) {
      if (binds(r, f)) {
        out.add(r.region());
      }
    }
    switch (survey.iommu(f).orElse(null)) {
      case null -> {}
      case IommuDescription.Smmuv3 _, IommuDescription.Smmuv2 _ -> out.add(LINUX_WINDOW);
      case IommuDescription.VirtioIommu v -> hardwareMsi(f, v, out);
      case IommuDescription.VtD _ -> {
        out.add(X86_INTERRUPTS);
        if (f.pci().classCode() >>> Byte.SIZE == ISA_BRIDGE) {
          out.add(ISA_DMA);
        }
      }
      case IommuDescription.AmdVi _ -> {
        out.add(X86_INTERRUPTS);
        out.add(HYPERTRANSPORT);
      }
      case IommuDescription.Phb _ -> {
        out.add(PHB_LOW_MESSAGES);
        out.add(PHB_MESSAGES);
      }
      case IommuDescription.Pamu _, IommuDescription.PaprTce _ -> {
        // A PAMU's messages pass windows that its owner makes, wherever he wants; what the
        // hypervisor keeps lies outside a PAPR window.
      }
      case IommuDescription.RiscvIommu _, IommuDescription.Other _ -> {
        // Linux reserves nothing behind a RISC-V IOMMU (riscv_iommu_ops, 6.13 to 7.2).
      }
    }
  }

  /// A virtio-iommu lets MSIs pass to the doorbell untranslated and reports its frame.
  private void hardwareMsi(
      SurveyedFunction f, IommuDescription.VirtioIommu v, Set<ReservedRegion> out) {
    for (String id : f.msi().map(SurveyedFunction.MsiPath::controllers).orElse(List.of())) {
      machine
          .msiController(id)
          .flatMap(MsiControllerDescription::frame)
          .ifPresent(frame -> out.add(new ReservedRegion(frame, Kind.MSI, v.source())));
    }
  }

  private static boolean binds(Reservation r, SurveyedFunction f) {
    if (!r.functions().isEmpty()) {
      return r.functions().contains(f.sbdf());
    }
    return f.streams().stream()
        .filter(s -> r.iommu().map(s.iommu()::equals).orElse(true))
        .anyMatch(s ->
            r.streamIds().isEmpty()
                || r.streamIds().stream()
                    .anyMatch(x ->
                        Integer.compareUnsigned(s.streamId(), x.first()) >= 0
                            && Integer.compareUnsigned(s.streamId(), x.last()) <= 0));
  }

  private boolean isSoftwareWindow(List<Sbdf> functions, ReservedRegion r) {
    return r.kind() == Kind.MSI
        && functions.stream()
            .flatMap(s -> survey.function(s).stream())
            .allMatch(f -> survey.iommu(f).map(Regions::translatesMsi).orElse(false))
        && machine.msiControllers().stream()
            .noneMatch(
                c -> c.doorbell().isPresent() && r.range().contains(c.doorbell().getAsLong()));
  }

  private static ReservedRegion softwareWindow(ReservedRegion r) {
    return new ReservedRegion(r.range(), Kind.SW_MSI, r.source());
  }
}
