package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RawTables.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.WalkCheck;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("RISC-V IOMMU 1.0: what the model refuses, the walker explains as refused")
class RefusedContextsTest {
  private static final long FAULT = Translator.FAULT;

  @Test
  @DisplayName("2.1.4: settings that the capabilities do not allow are misconfigured (259)")
  void misconfigured() {
    long[][] wrong = {
      {1 | 1 << 1},
      {1 | 1 << 5, 0, 0, 4L << 60},
      {1 | 1 << 5, 0, 0, 8L << 60},
      {1 | 1 << 5, 0, 0, 1L << 60 | 1L << 44},
      {1 | 1 << 7},
      {1 | 1 << 9},
      {1 | 1 << 10},
      {1 | 1 << 11},
      {1 | 1 << 12},
      {1, 0, 0, 1L << 60},
      {1, 0, 0, 11L << 60},
      {1, 0, 0, 1L << 50},
      {1, atp(8, G + 0x1000)},
      {1, 7L << 60},
      {1, 0, 1},
      {1, 0, 1L << 40},
      {1, 0, 0, 0, 1L << 60},
      {1, atp(8, G), 0, 0, 2L << 60},
      {1, atp(8, G), 0, 0, 1L << 60, 1L << 47},
      {1, atp(8, G), 0, 0, 0, 0, 0, 1},
    };
    for (long[] words : wrong) {
      RawTables t = new RawTables();
      t.mode(2);
      t.context(ROOT, words);
      assertEquals(FAULT, t.write(0, 0));
      assertEquals(259, t.cause(), Arrays.toString(words));
      // The model has no 32-bit spaces, and refuses SXL; the walker cannot see.
      boolean narrow = (words[0] & 1 << 11) != 0;
      assertTrue(
          narrow || stoppedAt(t, 0).contains("(cause 259)"),
          () -> "the walker says of %s: %s".formatted(Arrays.toString(words), stoppedAt(t, 0)));
    }
  }

  private static String stoppedAt(RawTables t, long iova) {
    long capabilities = t.get(0, 8);
    return new RiscvIommuWalker(
            "iommu",
            Map.of("ddtp", t.get(0x10, 8), "capabilities", capabilities),
            WalkCheck.view(t.memory))
        .walk(0, new Iova(iova), true)
        .stoppedAt()
        .orElse("nothing");
  }

  @Test
  @DisplayName(
      "capabilities.PAS: what has more bits is an access fault (7), and the walker says so")
  void widerThanMemory() {
    RawTables t = new RawTables();
    t.mode(1);
    assertEquals(FAULT, t.write(0, 1L << 48));
    assertEquals(7, t.cause());
    assertTrue(stoppedAt(t, 1L << 48).contains("(cause 7)"), () -> stoppedAt(t, 1L << 48));
    assertEquals("nothing", stoppedAt(t, 0x1000));
  }
}
