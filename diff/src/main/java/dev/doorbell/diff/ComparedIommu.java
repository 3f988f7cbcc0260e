package dev.doorbell.diff;

import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import java.util.List;
import java.util.Optional;

/// What an IOMMU that is compared has of its own: its machine, its registers and tables, its scenarios, and what is known of QEMU's.
interface ComparedIommu {
  /// What is kept until it is invalidated.
  enum Kind {
    /// A device's entry, and what leads to it.
    DEVICE("device's entry, or what leads to it"),
    /// An entry of a page table; of the first stage, where there are two that are kept apart.
    PAGE("page table entry"),
    /// An entry of a page table of the second stage, where that is kept apart.
    GUEST_PAGE("page table entry of the second stage"),
    /// An entry of an interrupt remapping table.
    INTERRUPT("interrupt table entry");

    private final String text;

    Kind(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
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
    List<IommuOutcome> instead(IommuRun run);
  }

  /// A quirk with its name.
  record Named(String name, Quirk quirk) {}

  /// {@return this as a QEMU has it}
  ComparedIommu of(QemuVersion version);

  /// {@return its machine}
  IommuBoard board();

  /// {@return the program that has its machine}
  ///
  /// @throws dev.doorbell.qemu.QemuMissing when there is none
  QemuBinary binary();

  /// Starts QEMU.
  ///
  /// @throws dev.doorbell.qemu.QemuException when it is too old, or does not start
  QemuMachine start(QemuBinary binary);

  /// {@return a model after reset}
  Unit unit(PhysicalMemory memory, ApicPort apics);

  /// {@return where its registers are}
  long base();

  /// {@return its registers}
  RegisterMap map();

  /// {@return scenarios}
  List<Step> generate(long seed, int steps);

  /// {@return whether a device's write to an address is an interrupt, whatever tables say}
  boolean isMessage(long address);

  /// {@return registers that are compared after each step}
  List<Place> watched();

  /// {@return whether a write to a register says how entries are read from then on}
  boolean isSetting(long address);

  /// {@return the known difference after a write, which is gone with the next command}
  Optional<String> catchesUp(Step.Write write);

  /// {@return how many doublewords a command has}
  default int commandWords() {
    return 2;
  }

  /// {@return the known difference after a command, with which a comparison ends}
  default Optional<String> passesOver(List<Long> command) {
    return Optional.empty();
  }

  /// Sees a write to a register that says where commands lie.
  void follow(CommandRing ring, long address, long value);

  /// {@return the register that tells of new commands}
  Place tail();

  /// {@return what it is told of commands up to an offset within the ring}
  default long tail(long offset) {
    return offset;
  }

  /// {@return the access about which a write to a register asks}
  default Optional<Attempt> asked(Step.Write write, List<Step.Write> settings) {
    return Optional.empty();
  }

  /// Lets a machine make an access.
  default void perform(Attempt attempt, Rig rig) {
    rig.message(attempt.requester(), attempt.address(), attempt.data());
  }

  /// {@return doublewords of memory that an access may change beside the place where it lands}
  default List<Place> touched(Attempt attempt) {
    return List.of();
  }

  /// {@return the registers that tell whether something was recorded}
  List<Place> recordings();

  /// {@return what was recorded, which is cleared; empty for nothing}
  ///
  /// @param seen contents of {@link #recordings}
  String recorded(Rig rig, Attempt attempt, long[] seen);

  /// {@return what lies at an address; empty where nothing is kept}
  Optional<Kind> kind(long address);

  /// {@return bytes of an entry}
  int bytes(Kind kind);

  /// {@return what a command invalidates}
  List<Drop> drops(List<Long> command);

  /// {@return the domain whose pages an access may meet; -1 for none}
  int domain(PhysicalMemory memory, int requester);

  /// {@return the domain under which an old entry of a device is kept; -2 where no domain's invalidation drops it}
  int domain(long address, long[] entry);

  /// {@return known differences}
  List<Named> quirks();

  /// {@return a command's name}
  String command(List<Long> words);
}
