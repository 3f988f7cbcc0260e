package dev.doorbell.diff;

import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.qemu.QemuVersion;
import java.util.List;
import java.util.Optional;

/// What an IOMMU of a PC has of its own, for a comparison: VT-d's and AMD's differ in no more.
interface PcIommu {
  /// What is kept until it is invalidated.
  enum Kind {
    /// A device's entry, and what leads to it.
    DEVICE,
    /// An entry of a page table.
    PAGE,
    /// An entry of an interrupt remapping table.
    INTERRUPT
  }

  /// A model, seen as registers and as what is between devices and memory.
  record Unit(MmioDevice registers, Translator translator) {
    static <T extends MmioDevice & Translator> Unit of(T model) {
      return new Unit(model, model);
    }
  }

  /// What a command invalidates.
  ///
  /// @param domain of the entries; -1 for all
  /// @param requester whose entries; -1 for all
  /// @param first IOVA, or address of an interrupt entry
  /// @param last the same, of the last byte
  record Drop(Kind kind, int domain, int requester, long first, long last) {
    static Drop all(Kind kind) {
      return new Drop(kind, -1, -1, 0, -1);
    }
  }

  /// A known difference of QEMU's: what it shows instead.
  interface Quirk {
    /// {@return what QEMU may show instead of what a run showed; empty where the difference does not apply}
    List<PcOutcome> instead(PcRun run);
  }

  /// A quirk with its name.
  record Named(String name, Quirk quirk) {}

  /// {@return what QEMU's option `-device` is given}
  String option();

  /// {@return a model after reset}
  Unit unit(PhysicalMemory memory, ApicPort apics);

  /// {@return where its registers are}
  long base();

  RegisterMap map();

  /// {@return scenarios}
  List<Step> generate(long seed, int steps);

  /// {@return registers that are compared after each step}
  List<Place> watched();

  /// {@return whether a write to a register says how entries are read from then on}
  boolean isSetting(long address);

  /// {@return the known difference after a write, which is gone with the next command}
  Optional<String> catchesUp(Step.Write write);

  /// Sees a write to a register that says where commands lie.
  void follow(PcRing ring, long address, long value);

  /// {@return the register that tells of new commands}
  Place tail();

  /// {@return the registers that tell whether something was recorded}
  List<Place> recordings();

  /// {@return what was recorded, which is cleared; empty for nothing}
  ///
  /// @param seen contents of {@link #recordings}
  String recorded(Rig rig, long[] seen);

  /// {@return what lies at an address; empty where nothing is kept}
  Optional<Kind> kind(long address);

  /// {@return bytes of an entry}
  int bytes(Kind kind);

  /// {@return what a command invalidates}
  Optional<Drop> drops(List<Long> command);

  /// {@return the domain whose pages an access may meet; -1 for none}
  int domain(PhysicalMemory memory, int requester);

  /// {@return the domain under which an old entry of a device is kept; -2 where no domain's invalidation drops it}
  int domain(long address, long[] entry);

  /// {@return known differences}
  List<Named> quirks();

  /// {@return a command's name}
  String command(List<Long> words);

  /// {@return this as a QEMU has it}
  PcIommu of(QemuVersion version);
}
