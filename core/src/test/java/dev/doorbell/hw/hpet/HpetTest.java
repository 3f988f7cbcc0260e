package dev.doorbell.hw.hpet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.hw.LayoutSource;
import dev.doorbell.testkit.Property;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("HPET 1.0a, 2.3: registers, comparators, messages")
class HpetTest {
  private static final long CONF = 0x10;
  private static final long MAIN = 0xf0;

  private final List<String> sent = new ArrayList<>();
  private final HpetModel model =
      new HpetModel(3, (address, data) -> sent.add("0x%x 0x%x".formatted(address, data)));

  private void set(long offset, long value) {
    assertEquals(BusOutcome.OK, model.write(offset, value, 8, -1));
  }

  private long get(long offset) {
    return model.read(offset, 8).value();
  }

  @Test
  @DisplayName("every bit and offset by a second publication")
  void layouts() throws IOException {
    LayoutSource.ofPackage(HpetTest.class).agree("hpet-second-source.txt");
    assertEquals(0x140, HpetRegisters.offset(HpetRegisters.TIMER, 2));
    assertEquals(0x150, HpetRegisters.offset(HpetRegisters.MESSAGE, 2));
  }

  @Test
  @DisplayName("a comparator that the counter meets sends its message once, where it may")
  void comparator() {
    set(0x110, 0xfee0_1000_0000_0031L);
    set(0x108, 100);
    set(0x100, 0x4004);
    model.advance(200);
    assertEquals(0, get(MAIN));
    set(CONF, 1);
    model.advance(99);
    assertEquals(List.of(), sent);
    model.advance(1);
    assertEquals(List.of("0xfee01000 0x31"), sent);
    model.advance(1000);
    assertEquals(1, sent.size());
    set(0x108, 2000);
    set(0x100, 0x4000);
    model.advance(1000);
    assertEquals(1, sent.size());
    set(MAIN, -5L);
    set(0x108, 5);
    set(0x100, 0x4004);
    model.advance(20);
    assertEquals(2, sent.size());
    assertEquals(15, get(MAIN));
  }

  @Test
  @DisplayName(
      "capabilities, read-only bits, halves of registers, and nothing beyond the last timer")
  void registers() {
    assertEquals(0x05f5_e100_8086_2201L, get(0));
    set(0x100, -1);
    assertEquals(0xfe26L, get(0x100) & 0xffff);
    assertEquals(0, get(0x100) >>> 16);
    model.write(0x114, 0xfee0_0000L, 4, -1);
    assertEquals(0xfee0_0000_0000_0000L, get(0x110));
    assertEquals(BusOutcome.ERROR, model.write(0x160, 0, 8, -1));
    assertEquals(BusOutcome.ERROR, model.write(0x100, 0, 2, -1));
    assertEquals(BusOutcome.ERROR, model.read(0x104, 8).outcome());
  }

  @Test
  @DisplayName(
      "a comparator is met exactly when it lies in the ticks that pass, wherever the counter is")
  void met() {
    Property.check(
        "comparators of an HPET",
        2000,
        dice -> {
          long from = dice.anyMagnitude();
          long ticks = 1 + dice.below(1000);
          long ahead = dice.below(1200);
          sent.clear();
          set(CONF, 1);
          set(0x100, 0x4004);
          set(MAIN, from);
          set(0x108, from + ahead);
          model.advance(ticks);
          assertEquals(ahead > 0 && ahead <= ticks ? 1 : 0, sent.size());
          assertTrue(get(MAIN) == from + ticks);
        });
  }
}
