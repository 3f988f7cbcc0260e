package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// An MSI controller that firmware describes.
public sealed interface MsiControllerDescription {
  /// {@return its name, unique in the machine: `its@0x8080000`}
  String id();

  /// {@return the hardware's name: `GICv3 ITS`, `GICv2m` …}
  String kind();

  /// {@return the physical address that messages are written to; empty where a hypervisor alone knows it}
  default OptionalLong doorbell() {
    return OptionalLong.empty();
  }

  /// {@return the registers that must be mapped to reach the doorbell: the smallest frame that holds it; empty where there are none}
  default Optional<AddressRange> frame() {
    return Optional.empty();
  }

  /// {@return vectors in all, where firmware tells}
  OptionalInt vectors();

  /// {@return whether it looks at who writes}
  boolean isolated();

  Source source();

  /// A place that messages are written to.
  ///
  /// @param address physical
  /// @param frame registers around it that a device may be let write to with it
  record Doorbell(long address, AddressRange frame) {}

  /// {@return every doorbell that a message may have to ring: one, but for a controller that has one for each CPU}
  ///
  /// Where firmware does not tell the frame of a doorbell, it is the page of 4 KiB around it.
  default List<Doorbell> doorbells() {
    if (doorbell().isEmpty()) {
      return List.of();
    }
    long at = doorbell().getAsLong();
    AddressRange page = AddressRange.ofSize(Granule.K4.alignDown(at), Granule.K4.bytes());
    return List.of(new Doorbell(at, frame().orElse(page)));
  }

  /// {@return whether a physical address lies in its registers}
  default boolean answersAt(long address) {
    return frame().map(f -> f.contains(address)).orElse(false);
  }

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

    /// GITS_TRANSLATER is at offset 0x0040 of the second 64 KiB frame (IHI 0069 H, 12.19 GITS_TRANSLATER).
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

  /// The interrupt files of RISC-V harts at one privilege level: a page of 4 KiB for each hart, and behind it those of the hart's guests.
  ///
  /// A file takes whatever is written to its doorbell: neither the datum nor the writer is looked at.
  ///
  /// **Source**: RISC-V Advanced Interrupt Architecture 1.0, 3 (IMSIC).
  ///
  /// @param id `imsic@0x28000000`; `imsic-m@…` for machine level, which is firmware's own
  /// @param machineLevel whether they are of machine level and not of supervisor level
  /// @param files one for each hart, in firmware's order
  /// @param identities interrupt identities of each file, numbered from 1
  /// @param index how files follow one another in address space
  /// @param windows registers of them all, those of guests included
  /// @param aplics what sends the interrupts of wires into them
  record Imsic(
      String id,
      boolean machineLevel,
      List<File> files,
      int identities,
      Index index,
      List<AddressRange> windows,
      List<AplicDescription> aplics,
      Source source)
      implements MsiControllerDescription {
    /// Bytes of an interrupt file's registers.
    public static final long FILE_BYTES = 0x1000;

    /// A hart's own interrupt file.
    ///
    /// @param cpu Doorbell's number of the hart, from 0 in firmware's order
    /// @param hart the hart's id
    /// @param page the file's registers, whose first word is the doorbell
    public record File(int cpu, long hart, AddressRange page) {}

    /// Bits of a file's page number, from the lowest: guest, hart, group.
    ///
    /// @param guestBits a hart has 2^n pages, its own and its guests'
    /// @param hartBits harts of a group
    /// @param groupBits groups
    /// @param groupShift bit of the address where the group's number begins
    public record Index(int guestBits, int hartBits, int groupBits, int groupShift) {}

    public Imsic {
      files = List.copyOf(files);
      windows = List.copyOf(windows);
      aplics = List.copyOf(aplics);
    }

    @Override
    public String kind() {
      return machineLevel ? "IMSIC (machine level)" : "IMSIC";
    }

    @Override
    public OptionalLong doorbell() {
      return files.isEmpty()
          ? OptionalLong.empty()
          : OptionalLong.of(files.getFirst().page().start());
    }

    @Override
    public Optional<AddressRange> frame() {
      return files.stream().findFirst().map(File::page);
    }

    @Override
    public List<Doorbell> doorbells() {
      return files.stream().map(f -> new Doorbell(f.page().start(), f.page())).toList();
    }

    @Override
    public boolean answersAt(long address) {
      return windows.stream().anyMatch(w -> w.contains(address));
    }

    /// {@return identities of all files together}
    @Override
    public OptionalInt vectors() {
      return OptionalInt.of(files.size() * identities);
    }

    @Override
    public boolean isolated() {
      return false;
    }
  }

  /// A bank of shared message interrupts of a Freescale MPIC: whoever writes its MSIIR raises what the datum names.
  ///
  /// @param id `mpic-msi@0xffe041600`
  /// @param registers the bank's MSIRs
  /// @param index the physical address of MSIIR, or of MSIIR1
  /// @param wide whether messages go to MSIIR1 (MPIC 4.3), which has sixteen MSIRs and not eight
  record MpicMsi(String id, AddressRange registers, long index, boolean wide, Source source)
      implements MsiControllerDescription {
    private static final int PER_REGISTER = 32;
    private static final long BYTES = 0x200;

    @Override
    public String kind() {
      return wide ? "MPIC MSI v4.3" : "MPIC MSI";
    }

    @Override
    public OptionalLong doorbell() {
      return OptionalLong.of(index);
    }

    /// Later chips repeat MSIIR in a page of its own, the smallest window of a PAMU, so that nothing else is in it. Others have it among the bank's registers only.
    @Override
    public Optional<AddressRange> frame() {
      AddressRange bank = AddressRange.ofSize(registers.start(), BYTES);
      AddressRange page = AddressRange.ofSize(Granule.K4.alignDown(index), Granule.K4.bytes());
      return Optional.of(bank.contains(index) ? bank : page);
    }

    @Override
    public OptionalInt vectors() {
      return OptionalInt.of((wide ? 16 : 8) * PER_REGISTER);
    }

    @Override
    public boolean isolated() {
      return false;
    }
  }

  /// The message interrupts of an IBM PCI Express host bridge. Bit 60 of the address says that the write is one, so that it never meets the
  /// TCEs; the bridge compares the PE of whoever writes with the one that owns the interrupt (MIST, or IVT on PHB3).
  ///
  /// @param id `msi@pci0000:00`
  /// @param kind with the interrupt controller that takes them on: `PHB4 MSI (XIVE)`
  /// @param first the global number of interrupt 0
  /// @param count how many are for messages
  /// @param esb pages of 64 KiB that manage its interrupts, one each (XIVE); empty where firmware does not tell
  /// @param controller registers of the interrupt controller that takes them on: the window of an XIVE
  /// @param threads hardware threads that interrupts can be sent to, by the numbers that firmware has for them; empty where it does not tell
  /// @param servers presentation controllers that its interrupts go to (XICS), in the order of threads; empty where there are none
  record PhbMsi(
      String id,
      String kind,
      long first,
      int count,
      Optional<AddressRange> esb,
      Optional<AddressRange> controller,
      List<Long> threads,
      List<Server> servers,
      Source source)
      implements MsiControllerDescription {
    public PhbMsi {
      threads = List.copyOf(threads);
      servers = List.copyOf(servers);
    }

    /// A presentation controller (ICP).
    ///
    /// @param number by which sources name it
    /// @param page its registers
    public record Server(long number, AddressRange page) {}

    /// Addresses with which a 64-bit message is told from DMA.
    public static final AddressRange WINDOW =
        new AddressRange(0x1000_0000_0000_0000L, 0x1fff_ffff_ffff_ffffL);

    /// Where messages of functions with 32 bits of address go: the last 64 KiB below 4 GiB.
    public static final AddressRange LOW_WINDOW = new AddressRange(0xffff_0000L, 0xffff_ffffL);

    @Override
    public OptionalLong doorbell() {
      return OptionalLong.of(WINDOW.start());
    }

    @Override
    public Optional<AddressRange> frame() {
      return Optional.of(WINDOW);
    }

    @Override
    public boolean answersAt(long address) {
      return WINDOW.contains(address) || LOW_WINDOW.contains(address);
    }

    @Override
    public OptionalInt vectors() {
      return OptionalInt.of(count);
    }

    @Override
    public boolean isolated() {
      return true;
    }
  }

  /// Message interrupts as a PAPR guest gets them: the hypervisor programs the function, by `ibm,change-msi`, and says only what arrived.
  ///
  /// @param id `msi@pci0000:00`
  /// @param buid by which calls name the host bridge (`reg`); empty when the tree does not tell
  /// @param quota messages that all functions of the PE may have together (`ibm,pe-total-#msi`); empty when the tree does not tell
  /// @param servers numbers of processors (`ibm,ppc-interrupt-server#s`), in their order
  /// @param exploitation what the guest manages its interrupts with; empty where its processors ask the hypervisor for them (XICS)
  record PaprMsi(
      String id,
      OptionalLong buid,
      OptionalInt quota,
      List<Long> servers,
      Optional<PaprExploitation> exploitation,
      Source source)
      implements MsiControllerDescription {
    /// What a message may be written to: the hypervisor says which address it is, when it gives interrupts.
    public static final AddressRange ANYWHERE = AddressRange.ALL;

    public PaprMsi {
      servers = List.copyOf(servers);
    }

    @Override
    public String kind() {
      return "PAPR MSI (hypervisor)";
    }

    @Override
    public OptionalInt vectors() {
      return quota;
    }

    @Override
    public boolean isolated() {
      return true;
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
