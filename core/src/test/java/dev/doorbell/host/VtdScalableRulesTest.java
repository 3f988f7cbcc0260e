package dev.doorbell.host;

import static dev.doorbell.host.VtdBench.US;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.lapic.LapicModel;
import dev.doorbell.hw.vtd.VtdFeatures;
import dev.doorbell.hw.vtd.VtdModel;
import dev.doorbell.simple.ForwardingMemory;
import dev.doorbell.simple.PlainMemory;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("VT-d 3.4.3, 6.5.2, 7.1.3: scalable mode, on tables written by hand")
class VtdScalableRulesTest {
  private static final long RAM = 0x1000_0000L;
  private static final long CONTEXT = RAM + 0x1000 + US % 0x100 * 32L;
  private static final long DIRECTORY = RAM + 0x2000;
  private static final long PASIDS = RAM + 0x3000;
  private static final long FIRST = RAM + 0x10000;
  private static final long SECOND = RAM + 0x20000;
  private static final long PAGE = 0x1000;
  private static final long QUEUE = RAM + 0x8000;
  private static final int USER = 7;
  private static final int A = 0x20;

  private final PlainMemory memory = new PlainMemory(RAM, 0x10_0000);
  private VtdModel model = unit(VtdFeatures.of(48, true).withScalableMode());
  private long tail;

  private VtdModel unit(VtdFeatures features) {
    return start(new VtdModel(features, memory, new LapicModel(List.of(0L))));
  }

  private VtdModel start(VtdModel m) {
    memory.write64(RAM + (US >>> 8) * 16L, RAM + 0x1000 | 1);
    memory.write64(CONTEXT, DIRECTORY | 1);
    memory.write64(DIRECTORY, PASIDS | 1);
    m.write(0x20, RAM | 1 << 10, 8, -1);
    m.write(0x90, QUEUE | 1 << 11, 8, -1);
    m.write(0x18, 0x4000_0000L, 4, -1);
    m.write(0x18, 0x8400_0000L, 4, -1);
    tail = 0;
    return m;
  }

  private void invalidate(long low, long high) {
    memory.write64(QUEUE + tail, low);
    memory.write64(QUEUE + tail + 8, high);
    tail += 32;
    model.write(0x88, tail, 8, -1);
  }

  private long write(long iova) {
    return model.translate(US, -1, iova, Translator.WRITE);
  }

  /// {@return the reason of the record, which is cleared}
  private int reason() {
    long high = model.read(0x228, 8).value();
    model.write(0x228, 1L << 63, 8, -1);
    model = unit(VtdFeatures.of(48, true).withScalableMode());
    return (int) (high >>> 32 & 0xff);
  }

  private void pass(int pasid, long domain) {
    memory.write64(PASIDS + pasid * 64L + 8, domain);
    memory.write64(PASIDS + pasid * 64L, 1 | 0b100 << 6);
  }

  @ParameterizedTest
  @CsvSource({"0, 5", "0, 8", "1, 21", "2, 0", "2, 63", "3, 17"})
  @DisplayName("9.4: a reserved bit of any quadword of a context entry is 42h")
  void reserved(int word, int bit) {
    pass(0, 1);
    assertEquals(PAGE, write(PAGE));
    memory.write64(CONTEXT + word * 8L, memory.read64(CONTEXT + word * 8L) | 1L << bit);
    model = unit(VtdFeatures.of(48, true).withScalableMode());
    memory.write64(CONTEXT + word * 8L, memory.read64(CONTEXT + word * 8L) | 1L << bit);
    assertEquals(Translator.FAULT, write(PAGE));
    assertEquals(0x42, reason());
  }

  @Test
  @DisplayName("3.4.3: without ECAP_REG.RPS requests go by PASID 0, whatever RID_PASID says")
  void ridPasid() {
    pass(0, 1);
    memory.write64(CONTEXT + 8, 5);
    assertEquals(Translator.FAULT, write(PAGE), "entry 5 is not there");
    model = unit(VtdFeatures.of(48, true).withScalableMode(true, true));
    memory.write64(CONTEXT + 8, 5);
    assertEquals(PAGE, write(PAGE));
  }

  private void firstStage(int pgtt, long low) {
    memory.write64(FIRST, USER | FIRST + 0x1000);
    memory.write64(FIRST + 0x1000, USER | FIRST + 0x2000);
    memory.write64(FIRST + 0x2000, USER | FIRST + 0x3000);
    memory.write64(FIRST + 0x3000 + 8, USER | RAM + 0x9000);
    memory.write64(PASIDS + 8, 1);
    memory.write64(PASIDS + 16, FIRST);
    memory.write64(PASIDS, 1 | pgtt << 6 | low);
  }

  @Test
  @DisplayName(
      "6.5.2.3: a page-selective invalidation of a domain drops all that its first stage made")
  void selective() {
    firstStage(0b001, 0);
    assertEquals(RAM + 0x9000, write(PAGE));
    memory.write64(FIRST + 0x3000 + 8, USER | RAM + 0xa000);
    assertEquals(RAM + 0x9000, write(PAGE), "it is kept");
    invalidate(0x2 | 3 << 4 | 1 << 16, 0x7000_0000L);
    assertEquals(RAM + 0xa000, write(PAGE));
  }

  @Test
  @DisplayName(
      "7.1.3: A or D that the second stage does not let be written is 77h, where they are set already nothing")
  void deniedUpdate() {
    firstStage(0b011, 0b010 << 2 | SECOND);
    memory.write64(SECOND, 3 | SECOND + 0x1000);
    memory.write64(SECOND + 0x1000, 3 | SECOND + 0x2000);
    memory.write64(SECOND + 0x2000 + (RAM >>> 21) * 8, 3 | SECOND + 0x3000);
    for (int i = 0; i < 512; i++) {
      memory.write64(SECOND + 0x3000 + i * 8L, 3 | RAM + i * PAGE);
    }
    long slot = SECOND + 0x3000 + (FIRST + 0x3000 - RAM >>> 12) * 8;
    memory.write64(slot, 1 | FIRST + 0x3000);
    assertEquals(Translator.FAULT, write(PAGE));
    assertEquals(0x77, reason());
    firstStage(0b011, 0b010 << 2 | SECOND);
    memory.write64(FIRST + 0x3000 + 8, USER | 0x60 | RAM + 0x9000);
    assertEquals(RAM + 0x9000, write(PAGE));
    assertEquals(A, memory.read64(FIRST) & 0x60, "A of a table that may be written");
  }

  /// A page of 4 KiB, 2 MiB or 1 GiB, at the end of a way through five levels.
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "3, 1", "1, 2", "2, 2", "3, 2"})
  @DisplayName(
      "3.6, 3.7: tables of five levels of either stage, with pages of each size; without five levels 5Bh")
  void fiveLevels(int leaf, int stage) {
    boolean first = stage == 1;
    long address = 0x00ab_cdef_0123_4000L;
    model = unit(VtdFeatures.of(57, true).withScalableMode());
    long table = FIRST;
    for (int level = 5; level > leaf; level--) {
      memory.write64(slot(table, address, level), (first ? USER : 3) | table + PAGE);
      table += PAGE;
    }
    long large = leaf > 1 ? 1 << 7 : 0;
    memory.write64(slot(table, address, leaf), (first ? USER : 3) | large);
    memory.write64(PASIDS + 8, 1);
    memory.write64(PASIDS + 16, first ? FIRST | 1 << 2 : 0);
    long low = first ? 0b001 << 6 : 0b010 << 6 | 0b011 << 2 | FIRST;
    memory.write64(PASIDS, 1 | low);
    long within = (1L << 12 + 9 * (leaf - 1)) - 1;
    assertEquals(address & within, write(address));
    model = unit(VtdFeatures.of(48, true).withScalableMode());
    assertEquals(Translator.FAULT, write(address));
    assertEquals(0x5b, reason());
  }

  private static long slot(long table, long address, int level) {
    return table + (address >>> 12 + 9 * (level - 1) & 0x1ff) * 8;
  }

  @Test
  @DisplayName("7.1.3: an update of A or D that memory does not take is 91h")
  void failedUpdate() {
    firstStage(0b001, 0);
    ForwardingMemory readOnly =
        new ForwardingMemory(memory) {
          @Override
          public boolean compareAndSet64(long pa, long expected, long next) {
            throw new BusErrorException("write", pa, Long.BYTES);
          }
        };
    model =
        start(
            new VtdModel(
                VtdFeatures.of(48, true).withScalableMode(),
                readOnly,
                new LapicModel(List.of(0L))));
    assertEquals(Translator.FAULT, write(PAGE));
    assertEquals(0x91, reason());
  }
}
