package dev.doorbell.hw.gicits;

import static dev.doorbell.hw.gicits.GitsRegisters.*;

import dev.doorbell.address.Pa;
import dev.doorbell.address.Sizes;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiControllerFailed;

/// One table that the driver gives the ITS through a GITS_BASER. Its entries are the ITS's own business.
///
/// A table that fits is flat. A larger one has two levels where the ITS can; pages of the second level are given when a device needs
/// one, and stay until the ITS is closed, since no command makes an ITS forget a level-1 entry.
final class ItsTableDriver {
  /// The largest flat table that is taken when two levels are possible.
  private static final long FLAT_BYTES = Sizes.MIB;

  private static final int MOST_PAGES = 256;
  private static final int SHARED = 1;
  private static final int CACHED = 7;
  private static final int NOT_CACHED = 1;

  private final ItsHardware hardware;
  private final int index;
  private final int entryBytes;
  private final long ids;
  private long baser;
  private long base;
  private long bytes;

  /// @param index which GITS_BASER
  /// @param fixed its content
  /// @param wanted ids that the table should hold
  private ItsTableDriver(ItsHardware hardware, int index, long fixed, long wanted) {
    this.hardware = hardware;
    this.index = index;
    entryBytes = BASER_ENTRY_SIZE.getInt(fixed) + 1;
    baser =
        BASER_TYPE.place(BASER_TYPE.get(fixed))
            | BASER_ENTRY_SIZE.place(BASER_ENTRY_SIZE.get(fixed));
    baser |= BASER_PAGE_SIZE.place(largestPage());
    long flat = wanted * entryBytes;
    boolean twoLevels = flat > FLAT_BYTES && takes(BASER_INDIRECT.place(1), BASER_INDIRECT.mask());
    long perSlot = twoLevels ? pageBytes() / entryBytes : 1;
    int slotBytes = twoLevels ? LEVEL1_ENTRY_BYTES : entryBytes;
    long slots = (wanted + perSlot - 1) / perSlot;
    long pages = Math.min(MOST_PAGES, (slots * slotBytes + pageBytes() - 1) / pageBytes());
    bytes = pages * pageBytes();
    ids = Math.min(wanted, bytes / slotBytes * perSlot);
    baser |= BASER_SIZE.place(pages - 1) | BASER_INDIRECT.place(twoLevels ? 1 : 0);
  }

  /// {@return a table that the ITS has taken}
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory
  /// @throws MsiControllerFailed when the ITS does not take it
  static ItsTableDriver install(ItsHardware hardware, int index, long fixed, long wanted) {
    ItsTableDriver table = new ItsTableDriver(hardware, index, fixed, wanted);
    Pa memory = hardware.frames().allocate(table.bytes, table.pageBytes());
    table.base = memory.value();
    boolean installed = false;
    try {
      table.write();
      installed = true;
    } finally {
      if (!installed) {
        hardware.frames().free(memory, table.bytes);
      }
    }
    return table;
  }

  /// {@return ids that the table can hold, from 0}
  long ids() {
    return ids;
  }

  boolean isIndirect() {
    return BASER_INDIRECT.isSet(baser);
  }

  /// Makes sure that an id's entry exists.
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when its page must be made and there is no memory
  void provide(long id) {
    if (!isIndirect()) {
      return;
    }
    long slot = base + id / (pageBytes() / entryBytes) * LEVEL1_ENTRY_BYTES;
    if (!LEVEL1_VALID.isSet(hardware.memory().read64(slot))) {
      Pa page = hardware.frames().allocate(pageBytes(), pageBytes());
      hardware.memory().publish();
      hardware.memory().write64(slot, LEVEL1_VALID.place(1) | LEVEL1_ADDRESS.place(page.value()));
      hardware.memory().publish();
    }
  }

  /// Gives the memory back; the ITS must be disabled.
  void close() {
    hardware.registers().write64(BASER.offset(index), 0);
    if (isIndirect()) {
      for (long at = base; at < base + bytes; at += LEVEL1_ENTRY_BYTES) {
        long entry = hardware.memory().read64(at);
        if (LEVEL1_VALID.isSet(entry)) {
          hardware.frames().free(new Pa(LEVEL1_ADDRESS.get(entry)), pageBytes());
        }
      }
    }
    hardware.frames().free(new Pa(base), bytes);
  }

  private long pageBytes() {
    return GitsRegisters.pageBytes(BASER_PAGE_SIZE.get(baser));
  }

  private long largestPage() {
    for (long encoding = 2; encoding > 0; encoding--) {
      if (takes(BASER_PAGE_SIZE.place(encoding), BASER_PAGE_SIZE.mask())) {
        return encoding;
      }
    }
    return 0;
  }

  /// {@return whether the register keeps bits that are written to it}
  private boolean takes(long bits, long mask) {
    RegisterBus bus = hardware.registers();
    bus.write64(BASER.offset(index), (baser & ~mask) | bits);
    return (bus.read64(BASER.offset(index)) & mask) == bits;
  }

  private void write() {
    RegisterBus bus = hardware.registers();
    long wanted = baser | BASER_VALID.place(1) | address();
    bus.write64(
        BASER.offset(index),
        wanted | BASER_SHAREABILITY.place(SHARED) | BASER_INNER_CACHE.place(CACHED));
    long taken = bus.read64(BASER.offset(index));
    if (!BASER_SHAREABILITY.isSet(taken)) {
      // Hardware that does not share must not cache either.
      bus.write64(BASER.offset(index), wanted | BASER_INNER_CACHE.place(NOT_CACHED));
      taken = bus.read64(BASER.offset(index));
    }
    long attributes =
        BASER_SHAREABILITY.mask() | BASER_INNER_CACHE.mask() | BASER_OUTER_CACHE.mask();
    if ((taken & ~attributes) != wanted) {
      throw new MsiControllerFailed(
          hardware.id(),
          "did not take a table (GITS_BASER%d 0x%x, written 0x%x)".formatted(index, taken, wanted),
          Source.rule("GITS_BASER" + index));
    }
  }

  private long address() {
    if (BASER_PAGE_SIZE.get(baser) < 2) {
      return BASER_ADDRESS.place(base);
    }
    long[] word = new long[1];
    BASER_ADDRESS_64K.set(word, base);
    return word[0];
  }
}
