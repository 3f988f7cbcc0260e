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
  record Smmuv2(
      String id,
      String kind,
      AddressRange window,
      boolean coherent,
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

  /// An IOMMU that Doorbell reads the name of and does not drive.
  record Other(String id, String kind, Optional<AddressRange> registers, Source source)
      implements IommuDescription {
    @Override
    public Abilities abilities() {
      return Abilities.UNSEEN;
    }
  }
}
