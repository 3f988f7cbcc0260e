package dev.doorbell.diff;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.amdvi.AmdViFeatures;
import dev.doorbell.hw.amdvi.AmdViModel;
import dev.doorbell.hw.amdvi.CommandLayout;
import dev.doorbell.hw.amdvi.DteLayout;
import dev.doorbell.hw.amdvi.IoPageLayout;
import dev.doorbell.qemu.QemuVersion;
import java.util.List;
import java.util.Optional;

/// An AMD IOMMU, beside QEMU's `amd-iommu`, which records no events.
///
/// @param translating what makes QEMU's translate
/// @param wideDestinations whether QEMU has destinations of 32 bits (XTSup)
record AmdViIommu(String translating, boolean wideDestinations) implements PcIommu {
  static final long UNIT = 0xfed8_0000L;
  static final long DEVICES = Pc.ARENA;
  static final int DEVICES_BYTES = 0x1000;
  static final long BUFFER = Pc.ARENA + 0x2000;
  static final long ENTRIES = Pc.ARENA + 0x1_0000;
  static final int ENTRIES_BYTES = 0x1_0000;

  /// Levels of the tables, by their number: QEMU's walk of one that leads to itself does not end.
  static final int[] LEVELS = {3, 3, 2, 2, 2, 1, 1, 1};

  private static final int COMMAND_BYTES = 16;
  private static final int FIRST_WITH_OPTION = 10;
  private static final int SECOND_OPTION = 11;
  private static final long PAGE_BITS = 12;

  @Override
  public PcIommu of(QemuVersion version) {
    boolean wide = version.major() >= FIRST_WITH_OPTION;
    String option = version.major() >= SECOND_OPTION ? ",dma-remap=on" : wide ? ",pt=off" : "";
    return new AmdViIommu(wide ? option + ",xtsup=on" : option, wide);
  }

  @Override
  public String option() {
    return "amd-iommu,intremap=on" + translating;
  }

  @Override
  public Unit unit(PhysicalMemory memory, ApicPort apics) {
    return Unit.of(new AmdViModel(AmdViFeatures.all(), memory, apics, InterruptLine.NONE));
  }

  @Override
  public long base() {
    return UNIT;
  }

  @Override
  public RegisterMap map() {
    return MAP;
  }

  @Override
  public List<Step> generate(long seed, int steps) {
    return new AmdViGenerator(seed, wideDestinations).generate(steps);
  }

  private static Place place(Register r) {
    return new Place(r.name(), UNIT + r.offset(), r.bytes());
  }

  @Override
  public List<Place> watched() {
    return List.of(
        place(CMD_HEAD_REG),
        place(CMD_TAIL_REG),
        place(DEV_TAB_BASE_REG),
        new Place("what COMPLETION_WAIT stores", Pc.STATUS, Long.BYTES),
        new Place("what another one stores", Pc.STATUS + Long.BYTES, Long.BYTES));
  }

  @Override
  public boolean isSetting(long address) {
    long offset = address - UNIT;
    return offset == DEV_TAB_BASE_REG.offset() || offset == CONTROL_REG.offset();
  }

  @Override
  public Optional<String> catchesUp(Step.Write write) {
    return Optional.empty();
  }

  /// The model stops at what is no command, and QEMU passes over it.
  @Override
  public Optional<String> passesOver(List<Long> command) {
    long low = command.getFirst();
    boolean legal =
        switch (CommandLayout.OPCODE.getInt(low)) {
          case CommandLayout.COMPLETION_WAIT -> isClear(CommandLayout.WAIT_0, low);
          case CommandLayout.INVALIDATE_DEVTAB_ENTRY -> isClear(CommandLayout.DEVTAB_0, low);
          case CommandLayout.INVALIDATE_INTERRUPT_TABLE -> isClear(CommandLayout.INTERRUPT_0, low);
          case CommandLayout.INVALIDATE_IOMMU_PAGES -> isClear(CommandLayout.PAGES_0, low);
          default -> false;
        };
    return legal ? Optional.empty() : Optional.of("amdvi-illegal-command");
  }

  private static boolean isClear(Layout layout, long word) {
    return (word & layout.mask(BitKind.RES0)) == 0;
  }

  @Override
  public void follow(CommandRing ring, long address, long value) {
    long offset = address - UNIT;
    if (offset == CMD_BUF_BASE_REG.offset()) {
      ring.moved(CMD_BASE.get(value), (long) COMMAND_BYTES << CMD_LEN.getInt(value));
    } else if (offset == CMD_TAIL_REG.offset()) {
      ring.tail(value);
    }
  }

  @Override
  public Place tail() {
    return place(CMD_TAIL_REG);
  }

  @Override
  public List<Place> recordings() {
    return List.of();
  }

  @Override
  public String recorded(Rig rig, Attempt attempt, long[] seen) {
    return "";
  }

  @Override
  public Optional<Kind> kind(long address) {
    if (address >= DEVICES && address < DEVICES + DEVICES_BYTES) {
      return Optional.of(Kind.DEVICE);
    }
    if (address >= ENTRIES && address < ENTRIES + ENTRIES_BYTES) {
      return Optional.of(Kind.INTERRUPT);
    }
    return address >= Pc.TABLES && address < Pc.TABLES + (long) LEVELS.length * Pc.PAGE
        ? Optional.of(Kind.PAGE)
        : Optional.empty();
  }

  /// Interrupt table entries of 4 bytes are taken two at a time.
  @Override
  public int bytes(Kind kind) {
    return kind == Kind.DEVICE ? DteLayout.BYTES : IoPageLayout.BYTES;
  }

  @Override
  public List<Drop> drops(List<Long> command) {
    long low = command.getFirst();
    long high = command.get(1);
    return switch (CommandLayout.OPCODE.getInt(low)) {
      case CommandLayout.INVALIDATE_DEVTAB_ENTRY ->
          List.of(new Drop(Kind.DEVICE, -1, CommandLayout.DEVICE.getInt(low), 0, -1));
      case CommandLayout.INVALIDATE_INTERRUPT_TABLE ->
          List.of(new Drop(Kind.INTERRUPT, -1, CommandLayout.INTERRUPT_DEVICE.getInt(low), 0, -1));
      case CommandLayout.INVALIDATE_IOMMU_PAGES -> {
        int domain = CommandLayout.PAGES_DOMAIN.getInt(low);
        long first = high & -1L << PAGE_BITS;
        yield List.of(
            CommandLayout.PAGES_S.isSet(high)
                ? new Drop(Kind.PAGE, domain, -1, 0, -1)
                : new Drop(Kind.PAGE, domain, -1, first, first + Pc.PAGE - 1));
      }
      default -> List.of();
    };
  }

  @Override
  public int domain(PhysicalMemory memory, int requester) {
    return DteLayout.DOMAIN_ID.getInt(
        memory.read64(DEVICES + (long) requester * DteLayout.BYTES + Long.BYTES));
  }

  @Override
  public int domain(long address, long[] entry) {
    return DteLayout.DOMAIN_ID.getInt(entry[1]);
  }

  @Override
  public List<Named> quirks() {
    return AmdViQuirks.ALL;
  }

  @Override
  public String command(List<Long> words) {
    int code = CommandLayout.OPCODE.getInt(words.getFirst());
    String name = CommandLayout.OPCODE.names().nameOf(code);
    return name.isEmpty() ? "command %x".formatted(code) : name;
  }
}
