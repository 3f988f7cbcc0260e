package dev.doorbell.hw.amdvi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class AmdViHostileTest {
  private static final long BYTES = 1L << 20;

  /// {@return a word that may well be an entry or a command}
  private static long word(SeededRandom random) {
    long table = random.bits(8) << 12;
    return switch (random.below(5)) {
      case 0 -> random.nextLong();
      case 1 -> random.anyMagnitude();
      case 2 -> 3L << 61 | table | (long) random.below(8) << 9 | 3;
      case 3 -> (long) random.below(10) << 60 | random.bits(16) | random.bits(16) << 32;
      default -> 1 | (long) random.below(13) << 1 | table | 2L << 60;
    };
  }

  @Test
  @DisplayName(
      "Random tables, commands, registers and messages never end in an exception, and every loop ends")
  void anything() {
    int[] passed = new int[3];
    Property.check(
        "AMD-Vi takes anything",
        150,
        random -> {
          PlainMemory memory = new PlainMemory(0, BYTES);
          AmdViModel model =
              new AmdViModel(
                  AmdViFeatures.all().with(AmdViRegisters.HATS, random.below(4)),
                  memory,
                  (_, _, _) -> random.nextBoolean(),
                  _ -> {});
          for (int i = 0; i < 3000; i++) {
            memory.write64(random.bits(17) << 3, word(random));
          }
          List<Register> registers = AmdViRegisters.MAP.registers();
          for (int i = 0; i < 300; i++) {
            int device = random.oneIn(20) ? (int) random.nextLong() : random.below(1 << 12);
            switch (random.below(6)) {
              case 0 -> {
                Register r = random.pick(registers);
                long value = random.oneIn(2) ? random.nextLong() : word(random);
                model.write(r.offset(), value, 8, SystemBus.CPU);
              }
              case 1 -> {
                long control = 1 | 1 << 2 | 1 << 12 | (random.oneIn(2) ? 1L << 17 | 1L << 50 : 0);
                model.write(AmdViRegisters.CONTROL_REG.offset(), control, 8, SystemBus.CPU);
              }
              case 2 -> memory.write64(random.bits(17) << 3, word(random));
              case 3 -> {
                long iova = random.oneIn(3) ? random.nextLong() : random.bits(40);
                passed[0] += model.translate(device, -1, iova, random.between(1, 3)) < 0 ? 1 : 0;
                passed[1]++;
              }
              default -> {
                model.message(
                    device,
                    AmdViBench.FEE | random.bits(20),
                    random.bits(random.between(4, 32)),
                    4);
                passed[2]++;
              }
            }
          }
        });
    assertTrue(passed[0] > 100 && passed[0] < passed[1], () -> passed[0] + " of " + passed[1]);
    assertTrue(passed[2] > 1000);
  }

  @Test
  @DisplayName(
      "An address that memory does not have ends here, whether passed by an entry or by an IOMMU that is off")
  void widerThanMemory() {
    long wide = 1L << 52;
    PlainMemory memory = new PlainMemory(0, BYTES);
    AmdViModel model = new AmdViModel(AmdViFeatures.all(), memory, (_, _, _) -> true, _ -> {});
    assertEquals(Translator.FAULT, AmdViBench.write(model, 2, wide));
    assertEquals(wide - 8, AmdViBench.write(model, 2, wide - 8));
    model.write(AmdViRegisters.CONTROL_REG.offset(), 1, 8, SystemBus.CPU);
    assertEquals(Translator.FAULT, AmdViBench.write(model, 1, wide), "V=0");
    memory.write64(2 * 32, 3L << 61 | 3);
    assertEquals(Translator.FAULT, AmdViBench.write(model, 2, wide), "Mode=0");
    assertEquals(wide - 8, AmdViBench.write(model, 2, wide - 8));
  }

  @Test
  @DisplayName("A command buffer full of commands ends although its tail moves at every one")
  void wholeRing() {
    PlainMemory memory = new PlainMemory(0, BYTES);
    AmdViModel model = new AmdViModel(AmdViFeatures.all(), memory, (_, _, _) -> true, _ -> {});
    for (long at = 0; at < 0x1000; at += 16) {
      memory.write64(at, 1L << 60 | 1 | at);
    }
    model.write(AmdViRegisters.CMD_BUF_BASE_REG.offset(), 8L << 56, 8, SystemBus.CPU);
    model.write(AmdViRegisters.CONTROL_REG.offset(), 1 | 1 << 12, 8, SystemBus.CPU);
    model.write(AmdViRegisters.CMD_TAIL_REG.offset(), 0xff0, 8, SystemBus.CPU);
    assertTrue(model.read(AmdViRegisters.CMD_HEAD_REG.offset(), 8).value() <= 0xff0);
    assertEquals(0, memory.read64(0x10) & 0xfff0_0000_0000_0000L, "commands stored over commands");
  }
}
