package dev.doorbell.hw.gicits;

import dev.doorbell.bus.SystemBus;
import dev.doorbell.fuzz.FuzzInput;

/// An ITS whose registers, commands, tables and messages are any: it answers each.
public final class ItsFuzz {
  private static final int MOST_STEPS = 128;
  private static final int SPAN = 0x1_0000;
  private static final long BASER = 0x0100;
  private static final long[] TABLES = {RawIts.DEVICES, RawIts.COLLECTIONS, RawIts.ITT};

  private ItsFuzz() {}

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    RawIts raw = new RawIts(2, ItsConfig.QEMU).enableLpis().enableIts((in.next8() & 1) == 1);
    raw.mapc(0, 0);
    raw.mapc(1, 1);
    raw.mapd(0, 3, RawIts.ITT);
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      step(raw, in);
    }
  }

  private static void step(RawIts raw, FuzzInput in) {
    switch (in.next8() % 6) {
      case 0 -> raw.its.write(in.next16() & ~3, in.next32(), 4, SystemBus.CPU);
      case 1 -> {
        int index = in.next8() & 7;
        long table = TABLES[in.next8() % TABLES.length];
        raw.its.write(BASER + 8L * index, in.nextWord(table, SPAN), 8, SystemBus.CPU);
      }
      case 2 -> {
        long table = TABLES[in.next8() % TABLES.length];
        long word = in.nextWord(RawIts.ITT, SPAN);
        raw.memory.write64(table + (in.next16() & ~7), word);
      }
      case 3 ->
          raw.command(
              in.next8() & 0xf | (long) in.next8() << 32,
              in.next8() | (long) (8192 + in.next8()) << 32,
              in.nextWord(RawIts.ITT, SPAN));
      case 4 -> raw.command(in.next64(), in.next64(), in.next64());
      default -> raw.fire(in.next8(), in.next8());
    }
  }
}
