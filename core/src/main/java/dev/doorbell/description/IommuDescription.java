package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// An IOMMU that firmware describes.
public sealed interface IommuDescription {
  /// {@return its name, unique in the machine: `smmuv3@0x9050000`}
  String id();

  /// {@return the hardware's name as its manual spells it, or the device tree's `compatible` of an unknown one}
  String kind();

  /// {@return its registers, when firmware tells}
  Optional<AddressRange> registers();

  Source source();

  /// {@return what is known of its abilities}
  Abilities abilities();

  /// What a capture tells of an IOMMU's abilities; empty means unseen.
  ///
  /// @param inputBits width of an IOVA
  /// @param outputBits width of a PA
  /// @param granules ascending
  /// @param source where this was read
  record Abilities(
      OptionalInt inputBits,
      OptionalInt outputBits,
      List<Granule> granules,
      Optional<Source> source) {
    public static final Abilities UNSEEN =
        new Abilities(OptionalInt.empty(), OptionalInt.empty(), List.of(), Optional.empty());

    public Abilities {
      granules = List.copyOf(granules);
    }
  }

  /// Arm SMMUv3 (IHI 0070).
  ///
  /// @param coherent whether its table walks are coherent with the CPUs' caches
  record Smmuv3(
      String id, AddressRange window, boolean coherent, Abilities abilities, Source source)
      implements IommuDescription {
    @Override
    public String kind() {
      return "SMMUv3";
    }

    @Override
    public Optional<AddressRange> registers() {
      return Optional.of(window);
    }
  }

  /// Arm SMMUv1 or SMMUv2 (IHI 0062), MMU-400/401/500 among them.
  ///
  /// @param kind `SMMUv1`, `SMMUv2`, `MMU-500` …
  /// @param streamMask bits of a StreamID that tell nothing of who sends, and are not compared
  record Smmuv2(
      String id,
      String kind,
      AddressRange window,
      boolean coherent,
      int streamMask,
      Abilities abilities,
      Source source)
      implements IommuDescription {
    @Override
    public Optional<AddressRange> registers() {
      return Optional.of(window);
    }
  }

  /// virtio-iommu (virtio 1.2, 5.13). MSIs bypass it or pass a region that it reports.
  ///
  /// @param registers of a virtio-mmio one
  /// @param function the PCI function of a virtio-pci one, written as SBDF
  record VirtioIommu(
      String id,
      Optional<AddressRange> registers,
      Optional<String> function,
      Abilities abilities,
      Source source)
      implements IommuDescription {
    @Override
    public String kind() {
      return "virtio-iommu";
    }
  }

  /// A remapping unit of Intel VT-d, as a DRHD structure describes it.
  ///
  /// @param id `vt-d@0xfed90000`
  /// @param segment the PCI segment whose functions it serves
  /// @param includeAll whether it serves every function of the segment that no other unit does
  /// @param structures those of the whole table that describes it
  record VtD(
      String id,
      AddressRange window,
      int segment,
      boolean includeAll,
      InterruptRemapping remapping,
      Abilities abilities,
      List<FirmwareStructure> structures,
      Source source)
      implements IommuDescription {
    public VtD {
      structures = List.copyOf(structures);
    }

    @Override
    public String kind() {
      return "VT-d";
    }

    @Override
    public Optional<AddressRange> registers() {
      return Optional.of(window);
    }
  }

  /// An AMD IOMMU (AMD-Vi), as an IVHD block describes it.
  ///
  /// @param id `amd-vi@0xfed80000`
  /// @param function the PCI function that it is itself, written as SBDF; it is not behind itself
  /// @param structures those of the whole table that describes it
  record AmdVi(
      String id,
      AddressRange window,
      String function,
      InterruptRemapping remapping,
      Abilities abilities,
      List<FirmwareStructure> structures,
      Source source)
      implements IommuDescription {
    /// Messages of one device id that it remaps: bits 10:9 of the index are a delivery mode that is not remapped (48882 2.2.5).
    public static final int REMAPPED_MESSAGES = 512;

    public AmdVi {
      structures = List.copyOf(structures);
    }

    @Override
    public String kind() {
      return "AMD-Vi";
    }

    @Override
    public Optional<AddressRange> registers() {
      return Optional.of(window);
    }
  }

  /// A RISC-V IOMMU (RISC-V IOMMU Architecture 1.0). It translates a message like any other write, or by a table of its own for addresses of
  /// interrupt files; it looks neither at the datum nor at the source.
  ///
  /// @param id `riscv-iommu@0x3010000`, or with its function where it is one
  /// @param registers where firmware tells; those of a PCI function are its BAR 0
  /// @param function the PCI function that it is, written as SBDF; it is not behind itself
  record RiscvIommu(
      String id,
      Optional<AddressRange> registers,
      Optional<String> function,
      Abilities abilities,
      Source source)
      implements IommuDescription {
    /// Bytes of its registers.
    public static final long REGISTER_BYTES = 0x1000;

    @Override
    public String kind() {
      return "RISC-V IOMMU";
    }
  }

  /// A Freescale peripheral access management unit (PAMU), all units of a system as one: they share their tables.
  ///
  /// @param id `pamu@0xffe020000`
  /// @param window the registers of every unit, 4 KiB each
  record Pamu(String id, AddressRange window, Abilities abilities, Source source)
      implements IommuDescription {
    @Override
    public String kind() {
      return "PAMU";
    }

    @Override
    public Optional<AddressRange> registers() {
      return Optional.of(window);
    }
  }

  /// The I/O side of an IBM PCI Express host bridge (IODA): requester ids become PEs, and each PE has its own TCE tables.
  ///
  /// @param id `phb4@pci0000:00`
  /// @param kind `PHB3`, `PHB4` or `PHB5`
  /// @param pes how many PEs it has; empty when firmware does not tell
  /// @param reservedPe the PE that stands for whoever has none
  record Phb(
      String id,
      String kind,
      Optional<AddressRange> registers,
      OptionalInt pes,
      OptionalInt reservedPe,
      Abilities abilities,
      Source source)
      implements IommuDescription {}

  /// A DMA window that a hypervisor gives a PAPR guest. Its TCEs are written by hypervisor calls.
  ///
  /// @param id `tce@pci0000:00`
  /// @param liobn the window's number in those calls
  /// @param window IOVAs that the window has from the start
  /// @param dynamic whether the guest may ask for another window (`ibm,ddw-applicable`)
  record PaprTce(
      String id,
      long liobn,
      AddressRange window,
      boolean dynamic,
      Abilities abilities,
      Source source)
      implements IommuDescription {
    @Override
    public String kind() {
      return "PAPR TCE window";
    }

    @Override
    public Optional<AddressRange> registers() {
      return Optional.empty();
    }
  }

  /// {@return a StreamID as the IOMMU compares it: two that are equal here are one stream to it}
  default int compared(int streamId) {
    return this instanceof Smmuv2 s ? streamId & ~s.streamMask() : streamId;
  }

  /// {@return the same IOMMU, remapping interrupts where firmware offers it and nothing tells whether it is used}
  default IommuDescription remappingAsOffered() {
    return switch (this) {
      case VtD v ->
          new VtD(
              v.id(),
              v.window(),
              v.segment(),
              v.includeAll(),
              v.remapping().asOffered(),
              v.abilities(),
              v.structures(),
              v.source());
      case AmdVi a ->
          new AmdVi(
              a.id(),
              a.window(),
              a.function(),
              a.remapping().asOffered(),
              a.abilities(),
              a.structures(),
              a.source());
      default -> this;
    };
  }

  /// {@return structures of the whole table that describes it, as they stand there; none of a family whose tables are not spelled out}
  default List<FirmwareStructure> structures() {
    return List.of();
  }

  /// {@return whether it remaps interrupts; empty for one of a family whose MSI controllers look at who writes}
  default Optional<InterruptRemapping> interruptRemapping() {
    return switch (this) {
      case VtD v -> Optional.of(v.remapping());
      case AmdVi a -> Optional.of(a.remapping());
      case Smmuv3 _, Smmuv2 _, VirtioIommu _, RiscvIommu _, Pamu _, Phb _, PaprTce _, Other _ ->
          Optional.empty();
    };
  }

  /// {@return of an IOMMU that remaps messages and isolates none, what that means; to be put behind a sentence on their controller}
  ///
  /// **Source**: RISC-V IOMMU Architecture 1.0, 2.1.3.6 and 3 (MSI page tables translate addresses only).
  default Optional<String> remappedOnly() {
    return this instanceof RiscvIommu
        ? Optional.of(
            ", and %s can only remap the address of a message: it checks neither the datum nor the source (remapped is not isolated)"
                .formatted(id()))
        : Optional.empty();
  }

  /// {@return the PCI function that it is itself and does not translate, written as SBDF}
  default Optional<String> ownFunction() {
    return switch (this) {
      case VirtioIommu v -> v.function();
      case RiscvIommu r -> r.function();
      case AmdVi a -> Optional.of(a.function());
      case Smmuv3 _, Smmuv2 _, VtD _, Pamu _, Phb _, PaprTce _, Other _ -> Optional.empty();
    };
  }

  /// An IOMMU that Doorbell reads the name of and does not drive.
  record Other(String id, String kind, Optional<AddressRange> registers, Source source)
      implements IommuDescription {
    @Override
    public Abilities abilities() {
      return Abilities.UNSEEN;
    }
  }
}
