package dev.doorbell.hw.hpet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Basis;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("HPET 1.0a, 2.3.8 to 2.3.10: what a timer writes")
class HpetWalkerTest {
  private static HpetWalk walk(Map<String, Long> registers) {
    return new HpetWalker("hpet:0", registers).walk(1);
  }

  @Test
  @DisplayName(
      "a timer with Tn_FSB_EN_CNF writes TN_FSB's value to its address, held back while interrupts or the counter are off")
  void message() {
    long route = 0xfee0_1018_0000_0007L;
    HpetWalk on = walk(Map.of("TN_CONF1", 0x4004L, "TN_FSB1", route, "GEN_CONF", 1L));
    assertEquals(Optional.of(new HpetWalk.Message(0xfee0_1018L, 7)), on.message());
    assertEquals(Basis.OBSERVED, on.hop().basis());
    assertEquals(false, on.masked());
    assertEquals(false, walk(Map.of("TN_CONF1", 0x4004L, "TN_FSB1", route)).masked());
    assertTrue(walk(Map.of("TN_CONF1", 0x4000L, "TN_FSB1", route)).masked());
    assertTrue(walk(Map.of("TN_CONF1", 0x4004L, "TN_FSB1", route, "GEN_CONF", 0L)).masked());
  }

  @Test
  @DisplayName(
      "a timer without it writes nothing and has a pin; what is not recorded cannot be seen")
  void none() {
    HpetWalk off = walk(Map.of("TN_CONF1", 0x1404L));
    assertEquals(Optional.empty(), off.message());
    assertTrue(off.hop().why().contains("pin 10 "), off.hop().why());
    assertEquals(Basis.OBSERVED, off.hop().basis());
    for (Map<String, Long> registers :
        java.util.List.of(Map.<String, Long>of(), Map.of("TN_CONF1", 0x4004L))) {
      HpetWalk unseen = walk(registers);
      assertEquals(Optional.empty(), unseen.message());
      assertEquals(Basis.UNSEEN, unseen.hop().basis());
    }
  }
}
