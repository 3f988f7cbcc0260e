package dev.doorbell.diff;

import static dev.doorbell.hw.gicits.ItsCommandLayout.*;

import dev.doorbell.bits.Register;
import dev.doorbell.hw.gicits.GitsRegisters;
import dev.doorbell.hw.gicv3.GicrRegisters;
import dev.doorbell.hw.gicv3.LpiTables;
import java.util.ArrayList;
import java.util.List;

/// Makes scenarios of an ITS: tables of both shapes, commands with ids inside and outside what is there, messages, and register accesses.
final class ItsGenerator {
  static final long QUEUE = Board.ARENA;
  static final long DEVICES = Board.ARENA + 0x1_0000;
  static final long DEVICE_PAGES = Board.ARENA + 0x2_0000;
  static final long COLLECTIONS = Board.ARENA + 0x4_0000;
  static final long COLLECTION_PAGES = Board.ARENA + 0x5_0000;
  static final long ITTS = Board.ARENA + 0x8_0000;
  static final long CONFIGURATION = Board.ARENA + 0x10_0000;
  static final long PENDING = Board.ARENA + 0x11_0000;
  static final int PENDING_SPACING = 0x1_0000;
  static final int ITT_SPACING = 0x1000;
  static final int ITT_COUNT = 8;
  static final int PAGES = 4;
  private static final int PENDING_BYTES = 0x2000;
  private static final int LPIS = 64;

  private final Dice dice;
  private final List<Step> steps = new ArrayList<>();
  private final List<Integer> devices = new ArrayList<>();
  private long cbaser;

  ItsGenerator(long seed) {
    dice = new Dice(seed);
  }

  List<Step> generate(int count) {
    setUp();
    for (; count > 0; count--) {
      int kind = dice.below(100);
      if (kind < 40) {
        message();
      } else if (kind < 92) {
        command();
      } else {
        poke();
      }
    }
    return steps;
  }

  private void setUp() {
    its(GitsRegisters.CTLR, 0);
    devices.addAll(Board.REQUESTERS);
    clearTables();
    cbaser =
        GitsRegisters.CBASER_VALID.place(1)
            | GitsRegisters.CBASER_ADDRESS.place(QUEUE)
            | GitsRegisters.CBASER_SIZE.place(dice.of(0, 0, 1, 15));
    its(GitsRegisters.CBASER, cbaser);
    its(GitsRegisters.CWRITER, 0);
    table(0, DEVICES, DEVICE_PAGES);
    table(1, COLLECTIONS, COLLECTION_PAGES);
    int idBits = dice.of(14, 16, 16);
    for (int cpu = 0; cpu < Board.GICV3_CPUS; cpu++) {
      gicr(cpu, GicrRegisters.CTLR, 0);
      gicr(
          cpu,
          GicrRegisters.PROPBASER,
          GicrRegisters.PROP_ADDRESS.place(CONFIGURATION)
              | GicrRegisters.PROP_ID_BITS.place(idBits - 1L));
      gicr(cpu, GicrRegisters.PENDBASER, pending(cpu) | GicrRegisters.PTZ.mask());
      gicr(cpu, GicrRegisters.CTLR, dice.percent(96) ? 1 : 0);
    }
    its(GitsRegisters.CTLR, 1);
    for (int icid = 0; icid < 3; icid++) {
      command(
          CODE.place(MAPC), 0, ICID.place(icid) | RDBASE.place(dice.below(4)) | MAPC_VALID.mask());
    }
    for (int i = 0; i < devices.size(); i++) {
      if (dice.percent(75)) {
        mapDevice(devices.get(i), ITTS + (long) i * ITT_SPACING, dice.from(0, 6), true);
        for (int e = dice.from(0, 3); e >= 0; e--) {
          mapEvent(devices.get(i), e, LpiTables.FIRST_LPI + dice.below(LPIS), dice.below(3));
        }
      }
    }
  }

  private static long pending(int cpu) {
    return GicrRegisters.PEND_ADDRESS.place(PENDING + (long) cpu * PENDING_SPACING);
  }

  private void clearTables() {
    steps.add(new Step.Clear(DEVICES, 0x1_0000));
    steps.add(new Step.Clear(DEVICE_PAGES, 0x1_0000));
    steps.add(new Step.Clear(COLLECTIONS, 0x1_0000));
    steps.add(new Step.Clear(COLLECTION_PAGES, 0x1_0000));
    steps.add(new Step.Clear(ITTS, (long) ITT_COUNT * ITT_SPACING));
    for (int cpu = 0; cpu < Board.GICV3_CPUS; cpu++) {
      steps.add(new Step.Clear(PENDING + (long) cpu * PENDING_SPACING, PENDING_BYTES));
    }
  }

  /// A flat table, or one of two levels with some pages.
  private void table(int index, long base, long pages) {
    boolean indirect = dice.percent(30);
    int pageSize = dice.of(0, 0, 2);
    long value =
        GitsRegisters.BASER_VALID.place(1)
            | GitsRegisters.BASER_ADDRESS.place(base)
            | GitsRegisters.BASER_PAGE_SIZE.place(pageSize)
            | GitsRegisters.BASER_SIZE.place(0)
            | GitsRegisters.BASER_INDIRECT.place(indirect ? 1 : 0);
    steps.add(new Step.Write(Board.ITS + GitsRegisters.BASER.offset(index), Long.BYTES, value));
    if (indirect) {
      long bytes = GitsRegisters.pageBytes(pageSize);
      for (int i = 0; i < PAGES && i * bytes < 0x1_0000; i++) {
        long valid = dice.percent(90) ? GitsRegisters.LEVEL1_VALID.mask() : 0;
        steps.add(
            new Step.Store(base + (long) i * Long.BYTES, List.of((pages + i * bytes) | valid)));
      }
    }
  }

  private int device() {
    return dice.percent(92)
        ? dice.of(devices)
        : dice.of(0, 3, 511, 512, 1024, 2048, 5000, 0xffff, 0x1_0000, -1);
  }

  private int event() {
    return dice.percent(85)
        ? dice.below(5)
        : dice.of(7, 8, 15, 31, 63, 64, 127, 128, 255, 0xffff, -1);
  }

  private int lpi() {
    return dice.percent(88)
        ? LpiTables.FIRST_LPI + dice.below(LPIS)
        : dice.of(0, 1, 1023, 8191, 8192, 16383, 16384, 65535, 65536, -1);
  }

  private int collection() {
    return dice.percent(88) ? dice.below(4) : dice.of(4, 5, 511, 512, 2047, 8191, 8192, 65535);
  }

  private long target() {
    return dice.percent(90) ? dice.below(Board.GICV3_CPUS) : dice.of(4, 5, 255, 0xffff);
  }

  private void command() {
    switch (dice.below(20)) {
      case 0 -> {
        boolean valid = dice.percent(70);
        long table = ITTS + (long) dice.below(ITT_COUNT) * ITT_SPACING;
        mapDevice(device(), table, dice.percent(90) ? dice.from(0, 6) : dice.of(15, 16, 31), valid);
      }
      case 1 ->
          command(
              CODE.place(MAPC),
              0,
              ICID.place(collection())
                  | RDBASE.place(target())
                  | (dice.percent(75) ? MAPC_VALID.mask() : 0));
      case 2, 3, 4 -> mapEvent(device(), event(), lpi(), collection());
      case 5 ->
          ofEvent(MAPI, device(), dice.percent(50) ? lpi() : event(), ICID.place(collection()));
      case 6, 7 -> ofEvent(MOVI, device(), event(), ICID.place(collection()));
      case 8 -> command(CODE.place(MOVALL), 0, RDBASE.place(target()), RDBASE2.place(target()));
      case 9, 10 -> ofEvent(DISCARD, device(), event(), 0);
      case 11, 12, 13 -> ofEvent(CLEAR, device(), event(), 0);
      case 14, 15, 16 -> ofEvent(INT, device(), event(), 0);
      case 17 -> ofEvent(INV, device(), event(), 0);
      case 18 ->
          command(
              CODE.place(dice.percent(50) ? INVALL : SYNC),
              0,
              ICID.place(collection()) | RDBASE.place(target()));
      default ->
          command(
              CODE.place(dice.percent(50) ? dice.below(256) : dice.of(0x21, 0x22, 0x25, 0x29, 0x2a))
                  | DEVICE_ID.place(Integer.toUnsignedLong(device())),
              EVENT_ID.place(Integer.toUnsignedLong(event())),
              ICID.place(collection()));
    }
  }

  private void mapDevice(int device, long table, int size, boolean valid) {
    command(
        CODE.place(MAPD) | DEVICE_ID.place(Integer.toUnsignedLong(device)),
        SIZE.place(size),
        ITT_ADDRESS.place(table) | (valid ? MAPD_VALID.mask() : 0));
  }

  private void mapEvent(int device, int event, int lpi, int collection) {
    command(
        CODE.place(MAPTI) | DEVICE_ID.place(Integer.toUnsignedLong(device)),
        EVENT_ID.place(Integer.toUnsignedLong(event)) | PINTID.place(Integer.toUnsignedLong(lpi)),
        ICID.place(collection));
  }

  private void ofEvent(int code, int device, int event, long word2) {
    command(
        CODE.place(code) | DEVICE_ID.place(Integer.toUnsignedLong(device)),
        EVENT_ID.place(Integer.toUnsignedLong(event)),
        word2);
  }

  private void message() {
    int event = dice.percent(90) ? dice.below(5) : event() & Character.MAX_VALUE;
    steps.add(
        new Step.Message(
            dice.of(Board.REQUESTERS), Board.ITS + GitsRegisters.TRANSLATER.offset(), event));
  }

  private void poke() {
    switch (dice.below(8)) {
      case 0 -> {
        its(GitsRegisters.CTLR, 0);
        message();
        its(GitsRegisters.CTLR, 1);
      }
      case 1 -> {
        its(GitsRegisters.CTLR, 0);
        its(GitsRegisters.CBASER, cbaser);
        its(GitsRegisters.CWRITER, 0);
        its(GitsRegisters.CTLR, 1);
      }
      case 2 -> {
        int cpu = dice.below(Board.GICV3_CPUS);
        gicr(cpu, GicrRegisters.CTLR, 0);
        message();
        // The table is not zero any more.
        gicr(cpu, GicrRegisters.PENDBASER, pending(cpu));
        gicr(cpu, GicrRegisters.CTLR, 1);
      }
      case 3 -> {
        // Software takes an LPI: its bit goes.
        long word = LpiTables.pendingOffset(LpiTables.FIRST_LPI);
        steps.add(
            new Step.Store(
                PENDING + (long) dice.below(Board.GICV3_CPUS) * PENDING_SPACING + word,
                List.of(0L)));
      }
      case 4 ->
          steps.add(
              new Step.Read(
                  Board.ITS + GitsRegisters.BASER.offset(dice.below(GitsRegisters.BASERS)),
                  Long.BYTES));
      case 5 -> read(GitsRegisters.CBASER);
      case 6 -> read(GitsRegisters.TYPER);
      default -> {
        int cpu = dice.below(Board.GICV3_CPUS);
        Register r = dice.percent(50) ? GicrRegisters.PROPBASER : GicrRegisters.PENDBASER;
        steps.add(new Step.Read(Board.GICR + cpu * GicrRegisters.BYTES + r.offset(), r.bytes()));
      }
    }
  }

  private void command(long word0, long word1, long word2) {
    command(word0, word1, word2, 0);
  }

  private void command(long word0, long word1, long word2, long word3) {
    steps.add(new Step.Command(List.of(word0, word1, word2, word3)));
  }

  private void its(Register register, long value) {
    steps.add(new Step.Write(Board.ITS + register.offset(), register.bytes(), value));
  }

  private void read(Register register) {
    steps.add(new Step.Read(Board.ITS + register.offset(), register.bytes()));
  }

  private void gicr(int cpu, Register register, long value) {
    steps.add(
        new Step.Write(
            Board.GICR + cpu * GicrRegisters.BYTES + register.offset(), register.bytes(), value));
  }
}
