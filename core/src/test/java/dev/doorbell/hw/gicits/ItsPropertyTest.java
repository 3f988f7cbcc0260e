package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Basis;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Random commands, messages and acknowledgements against a reference that shares no code with the model.
class ItsPropertyTest {
  private static final int CPUS = 3;
  private static final int STEPS = 120;

  /// The model and the reference under the same steps.
  private static final class Pair {
    final RawIts raw = new RawIts(CPUS, ItsConfig.QEMU).enableLpis();
    final ItsReference reference = new ItsReference(CPUS);
    final StringBuilder steps = new StringBuilder();
    int taken;

    Pair(boolean indirect) {
      if (indirect) {
        raw.memory.write64(RawIts.DEVICES, 1L << 63 | RawIts.LEVEL2);
      }
      raw.enableIts(indirect);
      for (int i = 0; i < CPUS; i++) {
        raw.mapc(i, i);
        reference.mapc(i, i);
        raw.mapd(i, 2, RawIts.ITT + i * 0x100L);
        reference.mapd(i, 3);
      }
    }

    void step(SeededRandom random) {
      int device = random.below(3);
      int event = random.below(5);
      int icid = random.below(4);
      int intid = random.between(8191, 8196);
      int cpu = random.below(CPUS);
      int choice = random.below(24);
      steps.append(
          "%d:device %d event %d icid %d intid %d cpu %d%n"
              .formatted(choice, device, event, icid, intid, cpu));
      switch (choice) {
        case 0 -> {
          int bits = random.between(1, 4);
          raw.mapd(device, bits - 1, RawIts.ITT + device * 0x100L);
          reference.mapd(device, bits);
        }
        case 1 -> {
          if (random.oneIn(4)) {
            raw.command(0x08 | (long) device << 32, 0, 0);
            reference.unmapd(device);
          }
        }
        case 2 -> mapc(random, icid, cpu);
        case 3, 4, 5 -> {
          raw.mapti(device, event, intid, icid);
          reference.mapti(device, event, intid, icid);
        }
        case 6 -> onEvent(0x01, device, event, icid);
        case 7 -> onEvent(random.pick(new Integer[] {0x03, 0x04, 0x0f}), device, event, icid);
        case 8, 14, 15 -> {
          int config = random.below(256);
          if (intid >= 8192) {
            raw.configure(intid, config);
            reference.memoryConfig.put(intid, config);
          }
        }
        case 9, 16, 17 -> onEvent(0x0c, device, event, icid);
        case 10 -> {
          raw.command(0x0d, 0, icid);
          reference.invall(icid);
        }
        case 11 -> {
          int to = random.below(CPUS);
          raw.put(0x0e, 0, (long) cpu << 16, (long) to << 16);
          raw.ring();
          reference.movall(cpu, to);
        }
        case 12, 18, 19 -> acknowledge();
        default -> {
          raw.fire(device, event);
          reference.fire(device, event);
        }
      }
    }

    private void mapc(SeededRandom random, int icid, int cpu) {
      int target = cpu + (random.oneIn(6) ? CPUS : 0);
      if (random.oneIn(6)) {
        raw.command(0x09, 0, icid);
        reference.unmapc(icid);
      } else {
        raw.mapc(icid, target);
        reference.mapc(icid, target);
      }
    }

    private void acknowledge() {
      for (int at = 0; at < CPUS; at++) {
        int got = raw.gic.acknowledge(at);
        raw.gic.endOfInterrupt(at, got);
        assertEquals(reference.take(at), got);
        taken += got < 0 ? 0 : 1;
      }
    }

    private void onEvent(int code, int device, int event, int icid) {
      raw.onEvent(code, device, event, icid);
      reference.onEvent(code, device, event, icid);
    }

    void compare() {
      for (int cpu = 0; cpu < CPUS; cpu++) {
        for (int intid = 8184; intid < 8216; intid++) {
          int at = intid;
          int of = cpu;
          assertEquals(
              reference.isPending(cpu, intid),
              raw.isPending(cpu, intid),
              () -> "LPI " + at + " at " + of);
        }
      }
      assertEquals(reference.errors, raw.its.commandErrors(), raw.its::lastCommandError);
      assertEquals(reference.dropped, raw.its.dropped());
    }
  }

  private static int run(SeededRandom random, boolean forgetInv) {
    Pair pair = new Pair(random.nextBoolean());
    for (int i = 0; i < STEPS; i++) {
      try {
        pair.step(random);
        if (forgetInv) {
          pair.raw.command(0x0d, 0, 0);
          pair.reference.errors = (int) pair.raw.its.commandErrors();
        }
        pair.compare();
      } catch (AssertionError e) {
        throw new AssertionError("after\n" + pair.steps, e);
      }
    }
    return pair.taken;
  }

  @Test
  @DisplayName(
      "IHI 0069 5.3: random commands and messages do what a simple reference says, step by step")
  void commands() {
    int[] taken = new int[1];
    Property.check("its commands", 300, random -> taken[0] += run(random, false));
    assertTrue(
        taken[0] > 300,
        () -> "only " + taken[0] + " interrupts were taken: the steps lead nowhere");
  }

  @Test
  @DisplayName("the property test finds a configuration that is read too early")
  void findsFault() {
    assertThrows(
        AssertionError.class,
        () -> Property.check("its commands", 300, random -> run(random, true)));
  }

  @Test
  @DisplayName(
      "design 5: whatever registers and memory hold, a walk ends, in a hop, with at most nine hops")
  void hostileTables() {
    Property.check(
        "its walks",
        2000,
        random -> {
          Map<String, Long> registers = new HashMap<>();
          registers.put("CTLR", 1L);
          registers.put("TYPER", random.oneIn(4) ? random.nextLong() : 0x1f_0001_efb1L);
          for (int i = 0; i < 8; i++) {
            long type = random.pick(new Long[] {1L, 4L, random.bits(3)});
            long word = random.nextLong() & ~(0x7L << 56 | 0x1fL << 48) | type << 56 | 7L << 48;
            registers.put("BASER" + i, word);
          }
          SeededRandom words = random.split();
          ItsWalker walker =
              new ItsWalker(
                  "its",
                  registers,
                  pa ->
                      words.oneIn(9) ? OptionalLong.empty() : OptionalLong.of(words.nextLong() | 3),
                  "qemu",
                  Basis.OBSERVED);
          ItsWalk walk = walker.walk((int) random.anyMagnitude(), (int) random.anyMagnitude());
          assertTrue(!walk.hops().isEmpty() && walk.hops().size() <= 9, walk.hops()::toString);
          assertEquals(walk.outcome() == ItsWalk.Outcome.TRANSLATED, walk.target().isPresent());
        });
  }

  @Test
  @DisplayName("design 5: whatever is written to the registers, the model answers")
  void hostileRegisters() {
    Property.check(
        "its registers",
        200,
        random -> {
          RawIts raw = new RawIts(2, ItsConfig.QEMU).enableLpis();
          for (int i = 0; i < 60; i++) {
            long offset =
                random.pick(
                    new Long[] {
                      0x0L,
                      0x80L,
                      0x88L,
                      0x90L,
                      0x100L,
                      0x108L,
                      0x1_0040L,
                      (long) random.below(0x2_0000)
                    });
            long value =
                random.oneIn(3) ? random.nextLong() : random.bits(20) | RawIts.RAM | 1L << 63;
            raw.its.write(
                offset, value, random.pick(new Integer[] {1, 2, 4, 8}), random.below(4) - 1);
            raw.its.read(offset, 4);
          }
        });
  }
}
