package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.VtdRegisters.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.WalkCheck;
import dev.doorbell.irq.X86Interrupt;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("VT-d: what the walker tells of entries that are almost right, the model does")
class VtdWalkerModelTest {
  private static final long BASE = 0x4000_0000L;
  private static final long PAGE = 0x1000;
  private static final int SOURCE = 0x0108;

  private final List<String> sent = new ArrayList<>();
  private int reached;
  private int refused;

  private static void set(VtdModel unit, Register r, long value) {
    unit.write(r.offset(), value, r.bytes(), SystemBus.CPU);
  }

  /// A word, with some bit of it turned over now and then.
  private static long spoilt(SeededRandom random, long word) {
    return random.oneIn(6) ? word ^ 1L << random.below(Long.SIZE) : word;
  }

  private static VtdFeatures features(SeededRandom random) {
    VtdFeatures features =
        VtdFeatures.of(random.oneIn(3) ? 39 : random.oneIn(2) ? 48 : 57, random.oneIn(2));
    return random.oneIn(2) ? features.withScalableMode() : features;
  }

  private VtdModel unit(VtdFeatures features, PlainMemory memory, long root) {
    VtdModel unit =
        new VtdModel(
            features,
            memory,
            (destination, command, wide) ->
                sent.add("0x%x 0x%x %b".formatted(destination, command, wide)));
    set(unit, RTADDR_REG, root);
    set(unit, IRTADDR_REG, BASE | 7);
    set(unit, GCMD_REG, SRTP.mask());
    set(unit, GCMD_REG, SIRTP.mask());
    set(unit, GCMD_REG, TE.mask() | IRE.mask());
    return unit;
  }

  private static VtdWalker walker(VtdFeatures features, VtdModel unit, PlainMemory memory) {
    return new VtdWalker(
        "vt-d",
        Map.of(
            "GSTS",
            unit.read(GSTS_REG.offset(), 4).value(),
            "RTADDR",
            unit.read(RTADDR_REG.offset(), 8).value(),
            "IRTA",
            unit.read(IRTADDR_REG.offset(), 8).value(),
            "CAP",
            features.cap(),
            "ECAP",
            features.ecap()),
        WalkCheck.view(memory));
  }

  @Test
  @DisplayName("an access through tables of legacy mode")
  void accesses() {
    Property.check("vt-d legacy accesses", 4000, this::access);
    assertTrue(reached > 200, "reached: " + reached);
    assertTrue(refused > 400, "refused: " + refused);
  }

  private void access(SeededRandom random) {
    PlainMemory memory = new PlainMemory(BASE, 16 * PAGE);
    VtdFeatures features = features(random);
    VtdModel unit = unit(features, memory, BASE);
    int levels = 3 + random.below(3);
    long root = BASE + (SOURCE >>> 8) * 16L;
    memory.write64(root, spoilt(random, BASE + PAGE | 1));
    memory.write64(root + 8, random.oneIn(12) ? random.nextLong() : 0);
    long context = BASE + PAGE + (SOURCE & 0xff) * 16L;
    memory.write64(context, spoilt(random, BASE + 2 * PAGE | 1 | random.below(4) << 2));
    memory.write64(context + 8, spoilt(random, levels - 2L | 5L << 8));
    for (int i = 0; i < 6; i++) {
      long entry = random.oneIn(8) ? random.nextLong() : BASE + (3L + i) * PAGE | 3;
      entry |= random.oneIn(4) ? PagingLayout.PS.mask() : 0;
      entry = random.oneIn(3) ? entry & -(1L << 30) | entry & 0xfff : entry;
      memory.write64(BASE + (2L + i) * PAGE, spoilt(random, entry));
    }
    long iova = random.oneIn(4) ? random.anyMagnitude() : random.below(1 << 12);
    int access = random.oneIn(2) ? Translator.WRITE : Translator.READ;
    long modelled = unit.translate(SOURCE, -1, iova, access);
    VtdWalk walk =
        walker(features, unit, memory).dma(SOURCE, new Iova(iova), access == Translator.WRITE);
    WalkCheck.agree(modelled, walk.output(), walk.stoppedAt(), walk);
    if (modelled == Translator.FAULT) {
      refused++;
    } else {
      reached++;
    }
  }

  @Test
  @DisplayName("a message through an entry that is not posted, or to the local APICs as it is")
  void messages() {
    Property.check("vt-d messages", 4000, this::message);
    assertTrue(reached > 200, "reached: " + reached);
    assertTrue(refused > 400, "refused: " + refused);
  }

  private void message(SeededRandom random) {
    PlainMemory memory = new PlainMemory(BASE, 16 * PAGE);
    VtdFeatures features = VtdFeatures.of(48, true);
    VtdModel unit = unit(features, memory, BASE);
    if (random.oneIn(4)) {
      set(unit, GCMD_REG, 0);
    }
    long low = 1 | (random.nextLong() & 0x7f) << 2 | random.nextLong() << 32;
    low &= ~IrteLayout.IM.mask();
    memory.write64(BASE, spoilt(random, low | (random.nextLong() & 0xff) << 16));
    long high = SOURCE | (long) random.below(4) << 16 | (long) random.below(3) << 18;
    memory.write64(BASE + 8, spoilt(random, high));
    long address = 0xfee0_0000L | random.below(1 << 20) & 0xffffcL;
    if (!random.oneIn(3)) {
      address = 0xfee0_0010L;
    }
    int data = random.below(1 << 11);
    sent.clear();
    unit.message(SOURCE, address, data, Integer.BYTES);
    VtdMessage said = walker(features, unit, memory).message(SOURCE, address, data);
    if (said.posted().isPresent() || said.stoppedAt().orElse("").contains("cannot ")) {
      return;
    }
    List<String> expected = said.interrupt().map(VtdWalkerModelTest::print).stream().toList();
    assertEquals(expected, sent, said::toString);
    if (sent.isEmpty()) {
      refused++;
    } else {
      reached++;
    }
  }

  private static String print(X86Interrupt i) {
    return "0x%x 0x%x %b".formatted(i.destination(), i.command(), i.wide());
  }
}
