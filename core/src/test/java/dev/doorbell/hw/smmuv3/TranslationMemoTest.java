package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.Translator;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TranslationMemoTest {
  private static final long PA = 0xf_8000_3000L;
  private final TranslationMemo memo = new TranslationMemo(1024);

  private long find(int stream, int substream, long iova, int access, long epoch) {
    return memo.find(stream, substream, iova, access, epoch);
  }

  private void keep() {
    assertEquals(Translator.FAULT, find(5, -1, 0x1234L, Translator.WRITE, 7));
    memo.keep(PA | 0x234);
  }

  @Test
  void knowsNothingAtFirst() {
    assertEquals(Translator.FAULT, find(0, -1, 0, Translator.READ, 1));
    assertEquals(Translator.FAULT, find(0, -1, 0, 0, 0));
  }

  @Test
  void findsThePageWithAnyOffset() {
    keep();
    assertEquals(PA, find(5, -1, 0x1000L, Translator.WRITE, 7));
    assertEquals(PA | 0xfff, find(5, -1, 0x1fffL, Translator.WRITE, 7));
  }

  @Test
  void whatDiffersInOneThingIsNotFound() {
    keep();
    assertEquals(Translator.FAULT, find(4, -1, 0x1234L, Translator.WRITE, 7), "stream");
    assertEquals(Translator.FAULT, find(5 + 1024, -1, 0x1234L, Translator.WRITE, 7), "same place");
    assertEquals(Translator.FAULT, find(5, 0, 0x1234L, Translator.WRITE, 7), "substream");
    assertEquals(Translator.FAULT, find(5, -1, 0x2234L, Translator.WRITE, 7), "page");
    assertEquals(Translator.FAULT, find(5, -1, 0x1234L | 1L << 63, Translator.WRITE, 7), "high");
    assertEquals(Translator.FAULT, find(5, -1, 0x1234L, Translator.READ, 7), "access");
    assertEquals(
        Translator.FAULT, find(5, -1, 0x1234L, Translator.READ | Translator.WRITE, 7), "both");
    assertEquals(Translator.FAULT, find(5, -1, 0x1234L, Translator.WRITE, 8), "epoch");
    assertEquals(PA | 0x234, find(5, -1, 0x1234L, Translator.WRITE, 7), "all of it");
  }

  @Test
  void anOutcomeCountsFromTheEpochItsAccessBeganIn() {
    find(1, 2, 0x5000L, Translator.READ, 3);
    memo.keep(PA);
    assertEquals(PA, find(1, 2, 0x5000L, Translator.READ, 3));
    assertEquals(Translator.FAULT, find(1, 2, 0x5000L, Translator.READ, 4));
    memo.keep(PA + 0x1000);
    assertEquals(PA + 0x1000, find(1, 2, 0x5000L, Translator.READ, 4));
  }

  @Test
  void answersWhatWasKeptLastOrNothing() {
    SplittableRandom random = new SplittableRandom(11);
    Map<String, Long> kept = new HashMap<>();
    long epoch = 1;
    for (int i = 0; i < 200_000; i++) {
      epoch += random.nextInt(5_000) == 0 ? 1 : 0;
      int stream = random.nextInt(3) << 9 | random.nextInt(2);
      int substream = random.nextInt(3) - 1;
      long page = (long) random.nextInt(4) << 22 | random.nextInt(64) | random.nextLong(2) << 51;
      int access = 1 + random.nextInt(3);
      String key = stream + " " + substream + " " + page + " " + access + " " + epoch;
      long found = find(stream, substream, page << 12 | 0x10, access, epoch);
      if (found != Translator.FAULT) {
        assertEquals(kept.get(key) | 0x10, found, key);
      } else {
        long pa = random.nextLong(1L << 40) << 12;
        memo.keep(pa | 0x10);
        kept.put(key, pa);
      }
    }
  }
}
