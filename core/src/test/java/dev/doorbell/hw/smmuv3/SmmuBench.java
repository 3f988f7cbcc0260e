package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.testkit.RawSmmu;
import java.util.ArrayList;
import java.util.List;

/// A model with memory, its queues set up in raw register offsets, and short forms for what tests do to it.
final class SmmuBench {
  static final long BASE = 0x4000_0000L;
  static final int BYTES = 32 << 20;
  static final long STREAMS = BASE;
  static final long COMMANDS = BASE + 0x40_0000;
  static final long EVENTS = BASE + 0x50_0000;
  static final long CDS = BASE + 0x60_0000;
  static final long TABLES = BASE + 0x100_0000;
  static final int COMMANDS_LOG2 = 6;
  static final int EVENTS_LOG2 = 7;
  static final int SID = 0x108;

  final ArrayMemory memory = new ArrayMemory(BASE, BYTES);
  final List<long[]> msis = new ArrayList<>();
  final List<String> edges = new ArrayList<>();
  final SmmuModel smmu;
  BusOutcome busAnswer = BusOutcome.OK;

  private int producer;
  private int consumer;

  SmmuBench() {
    this(SmmuFeatures.qemu10());
  }

  SmmuBench(SmmuFeatures features) {
    SystemBus bus =
        new SystemBus() {
          @Override
          public BusOutcome write(long pa, long value, int bytes, int requester) {
            msis.add(new long[] {pa, value, bytes, requester});
            return busAnswer;
          }

          @Override
          public BusRead read(long pa, int bytes) {
            return BusRead.error(bytes);
          }
        };
    smmu =
        new SmmuModel(
            features,
            memory,
            bus,
            new SmmuWires(
                level -> edge("event", level),
                level -> edge("gerror", level),
                level -> edge("sync", level),
                0x77));
  }

  private void edge(String name, boolean level) {
    if (level) {
      edges.add(name);
    }
  }

  /// Brings it up as a kernel does: tables and queues, then CR0.
  SmmuBench start() {
    write32(0x88, 16);
    write64(0x80, STREAMS);
    write32(0x28, 0xd75);
    write64(0x90, COMMANDS | COMMANDS_LOG2);
    write64(0xa0, EVENTS | EVENTS_LOG2);
    write32(0x2c, 2);
    write32(0x50, 5);
    write32(0x20, 8);
    command(RawSmmu.cfgiAll());
    command(RawSmmu.tlbi(0x30, 0, 0, 0, false));
    command(RawSmmu.sync());
    write32(0x20, 0xd);
    return this;
  }

  void write32(long offset, long value) {
    assertEquals(BusOutcome.OK, smmu.write(offset, value, 4, SystemBus.CPU));
  }

  void write64(long offset, long value) {
    assertEquals(BusOutcome.OK, smmu.write(offset, value, 8, SystemBus.CPU));
  }

  long read32(long offset) {
    return smmu.read(offset, 4).value();
  }

  /// Queues one command and rings.
  void command(long... words) {
    int mask = (1 << COMMANDS_LOG2) - 1;
    RawSmmu.store(memory, COMMANDS + 16L * (producer & mask), words);
    producer = (producer + 1) & (2 * mask + 1);
    write32(0x98, producer);
  }

  void commandsDone() {
    assertEquals(producer, read32(0x9c) & 0xfffff, "CONS.RD");
  }

  void ste(int stream, long... words) {
    RawSmmu.store(memory, STREAMS + 64L * stream, words);
    command(RawSmmu.cfgiSte(stream, true));
  }

  void steQuietly(int stream, long... words) {
    RawSmmu.store(memory, STREAMS + 64L * stream, words);
  }

  /// Makes tables of stage 1 and lets a stream use them.
  RawSmmu.Tables stage1(int stream, int asid, int inputBits, int granule) {
    RawSmmu.Tables tables = tables(stream, inputBits, granule);
    long cd = CDS + 64L * (stream & 0xff);
    RawSmmu.store(memory, cd, RawSmmu.cd(asid, inputBits, granule, 4, tables.root()));
    ste(stream, RawSmmu.steStage1(cd));
    command(RawSmmu.cfgiCd(stream, 0, true));
    return tables;
  }

  RawSmmu.Tables tables(int stream, int inputBits, int granule) {
    long root = TABLES + (stream & 0xfL) * 0x10_0000;
    int level = 4 - Math.ceilDiv(inputBits - granule, granule - 3);
    return new RawSmmu.Tables(memory, inputBits, granule, level, root, root + (1L << 18));
  }

  long translate(long iova, int access) {
    return smmu.translate(SID, -1, iova, access);
  }

  long read(long iova) {
    return translate(iova, Translator.READ);
  }

  long write(long iova) {
    return translate(iova, Translator.WRITE);
  }

  /// {@return the next event record, taken from the queue}
  long[] event() {
    long prod = read32(0x100a8);
    int indexes = (2 << EVENTS_LOG2) - 1;
    if ((prod & indexes) == consumer) {
      throw new AssertionError("the event queue is empty");
    }
    long at = EVENTS + 32L * (consumer & (indexes >> 1));
    long[] words = new long[4];
    for (int i = 0; i < 4; i++) {
      words[i] = memory.read64(at + 8L * i);
    }
    consumer = (consumer + 1) & indexes;
    write32(0x100ac, consumer | (prod & 0x8000_0000L));
    return words;
  }

  void noEvent() {
    assertEquals(consumer, read32(0x100a8) & ((2 << EVENTS_LOG2) - 1), "an event was recorded");
  }

  /// Checks the next event against raw words.
  void event(long word0, long word1, long word2, long word3) {
    long[] got = event();
    String text = "%x %x %x %x";
    assertEquals(
        text.formatted(word0, word1, word2, word3), text.formatted(got[0], got[1], got[2], got[3]));
  }
}
