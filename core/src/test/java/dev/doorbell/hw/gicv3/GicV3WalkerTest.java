package dev.doorbell.hw.gicv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.MemoryView;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0069 5.1: an LPI's configuration and pending state at its Redistributor")
class GicV3WalkerTest {
  private static final long CONFIG = 0x4100_0000L;
  private static final long PENDING = 0x4200_0000L;

  private final Map<Long, Long> words = new HashMap<>();

  private MemoryView memory() {
    return pa -> words.containsKey(pa) ? OptionalLong.of(words.get(pa)) : OptionalLong.empty();
  }

  private static Map<String, Long> redistributor(int processor, long ctlr, int idBits) {
    long place = 0x10_0000L * processor;
    return Map.of(
        "CTLR",
        ctlr,
        "TYPER",
        1L | (long) processor << 8 | (long) (0x100 + processor) << 32,
        "PROPBASER",
        CONFIG | idBits - 1,
        "PENDBASER",
        PENDING + place);
  }

  private GicV3Walker walker(long ctlr, int idBits) {
    return new GicV3Walker(
        List.of(redistributor(0, ctlr, idBits), redistributor(1, ctlr, idBits)),
        memory(),
        Basis.OBSERVED);
  }

  @ParameterizedTest(name = "INTIDs of {0} bits: {1}")
  @CsvSource({
    "14, 8191, false",
    "14, 8192, true",
    "14, 16383, true",
    "14, 16384, false",
    "16, 65535, true",
    "16, 65536, false",
    "24, 65536, true"
  })
  @DisplayName("GICR_PROPBASER.IDbits: LPIs are 8192 to the last INTID of so many bits")
  void range(int bits, int intid, boolean lpi) {
    words.put(CONFIG + (intid - 8192 & -8), 0xa1a1_a1a1_a1a1_a1a1L);
    LpiState state = walker(1, bits).lpi(0, intid);
    assertEquals(Optional.of(lpi), state.enabled(), state.hops()::toString);
    assertEquals(lpi ? OptionalInt.of(0xa0) : OptionalInt.empty(), state.priority());
    assertTrue(
        lpi || state.hops().getLast().why().contains("outside its LPIs"), state.hops()::toString);
  }

  @Test
  @DisplayName("GICR_CTLR.EnableLPIs = 0: dropped, whatever the tables hold")
  void disabled() {
    words.put(CONFIG, 1L);
    LpiState state = walker(0, 16).lpi(0, 8192);
    assertEquals("dropped", state.hops().getLast().out());
    assertTrue(state.hops().getLast().why().contains("LPIs are disabled"));
    assertEquals(Optional.of(false), state.pending());
  }

  @Test
  @DisplayName(
      "configuration is the byte of the LPI, the pending state the bit of the INTID in the processor's own table")
  void places() {
    words.put(CONFIG, 0xa3L << 24 | 0xc2L << 32);
    words.put(PENDING + 8192 / 8, 1L << 4);
    words.put(PENDING + 0x10_0000L + 8192 / 8, 1L << 3);
    LpiState at0 = walker(1, 16).lpi(0, 8195);
    assertEquals(Optional.of(true), at0.enabled());
    assertEquals(OptionalInt.of(0xa0), at0.priority());
    assertEquals(Optional.of(false), at0.pending());
    assertEquals(Optional.of(true), walker(1, 16).lpi(1, 8195).pending());
    LpiState next = walker(1, 16).lpi(0, 8196);
    assertEquals(Optional.of(false), next.enabled());
    assertEquals(OptionalInt.of(0xc0), next.priority());
    assertEquals(Optional.of(true), next.pending());
  }

  @Test
  @DisplayName("a processor by its number: its affinity, and nothing of one that was not recorded")
  void processors() {
    assertEquals(OptionalLong.of(0x101), walker(1, 16).affinity(1));
    assertEquals(OptionalLong.empty(), walker(1, 16).affinity(2));
    LpiState none = walker(1, 16).lpi(2, 8192);
    assertEquals(Optional.empty(), none.enabled());
    assertEquals("cannot see", none.hops().getLast().out());
  }
}
