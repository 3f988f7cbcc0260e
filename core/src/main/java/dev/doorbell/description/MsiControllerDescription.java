package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// An MSI controller that firmware describes.
public sealed interface MsiControllerDescription {
  /// {@return its name, unique in the machine: `its@0x8080000`}
  String id();

  /// {@return the hardware's name: `GICv3 ITS`, `GICv2m` …}
  String kind();

  /// {@return the physical address that messages are written to}
  OptionalLong doorbell();

  /// {@return the registers that must be mapped to reach the doorbell: the smallest frame that holds it}
  Optional<AddressRange> frame();

  /// {@return vectors in all, where firmware tells}
  OptionalInt vectors();

  /// {@return whether it looks at who writes}
  boolean isolated();

  Source source();

  /// Arm GICv3 Interrupt Translation Service (IHI 0069).
  ///
  /// @param itsId the id that firmware refers to it by
  /// @param window both frames, 128 KiB from the base
  record Its(String id, int itsId, AddressRange window, Source source)
      implements MsiControllerDescription {
    @Override
    public String kind() {
      return "GICv3 ITS";
    }

    /// GITS_TRANSLATER is at offset 0x0040 of the second 64 KiB frame (IHI 0069, 12.18).
    @Override
    public OptionalLong doorbell() {
      return OptionalLong.of(window.start() + 0x10040);
    }

    @Override
    public Optional<AddressRange> frame() {
      return Optional.of(AddressRange.ofSize(window.start() + 0x10000, 0x10000));
    }

    @Override
    public OptionalInt vectors() {
      return OptionalInt.empty();
    }

    @Override
    public boolean isolated() {
      return true;
    }
  }

  /// Arm GICv2m MSI frame (SBSA, appendix on GICv2m).
  ///
  /// @param window 4 KiB
  /// @param spiBase first SPI; empty when the frame's MSI_TYPER tells
  /// @param spiCount number of SPIs; empty when the frame's MSI_TYPER tells
  record GicV2m(
      String id, AddressRange window, OptionalInt spiBase, OptionalInt spiCount, Source source)
      implements MsiControllerDescription {
    @Override
    public String kind() {
      return "GICv2m";
    }

    @Override
    public OptionalLong doorbell() {
      return OptionalLong.of(window.start() + 0x40);
    }

    @Override
    public Optional<AddressRange> frame() {
      return Optional.of(window);
    }

    @Override
    public OptionalInt vectors() {
      return spiCount;
    }

    @Override
    public boolean isolated() {
      return false;
    }
  }

  /// The local APICs of an x86 machine: a write into their window is an interrupt, and address and datum say for which CPU and vector.
  ///
  /// **Source**: Intel SDM volume 3, 11.11 (Message Signalled Interrupts).
  ///
  /// @param vectors of all CPUs, when firmware tells how many there are
  /// @param isolated whether every IOMMU of the machine remaps interrupts, so that none takes a message without looking at who sends it
  record LocalApic(String id, OptionalInt vectors, boolean isolated, Source source)
      implements MsiControllerDescription {
    /// Addresses that are interrupts and never memory.
    public static final AddressRange WINDOW = new AddressRange(0xfee0_0000L, 0xfeef_ffffL);

    @Override
    public String kind() {
      return "local APIC";
    }

    @Override
    public OptionalLong doorbell() {
      return OptionalLong.of(WINDOW.start());
    }

    @Override
    public Optional<AddressRange> frame() {
      return Optional.of(WINDOW);
    }
  }

  /// A controller that Doorbell reads the name of and does not drive (a host bridge's own, X-Gene, MIP …).
  record Other(
      String id,
      String kind,
      OptionalLong doorbell,
      Optional<AddressRange> frame,
      OptionalInt vectors,
      Source source)
      implements MsiControllerDescription {
    @Override
    public boolean isolated() {
      return false;
    }
  }
}
