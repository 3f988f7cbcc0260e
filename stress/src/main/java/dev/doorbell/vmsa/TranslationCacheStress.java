package dev.doorbell.vmsa;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;
import org.openjdk.jcstress.infra.results.Z_Result;

/// The translation cache: a look-up never sees halves of two entries, and nothing of before an invalidation is there after it.
public class TranslationCacheStress {
  private static final int PAGE = 12;
  private static final long ADDRESS = 0x7000;
  private static final int WHO = TranslationCache.who(1, 0);
  private static final Invalidation ALL = Invalidation.all(1);

  private static CacheProbe entry(TranslationCache cache, long data, int world) {
    CacheProbe entry = new CacheProbe();
    entry.data = data;
    entry.extra = data;
    entry.shape = TranslationCache.shape(PAGE, world, false, PAGE, 3);
    entry.generation = cache.generation();
    return entry;
  }

  private static void find(TranslationCache cache, long address, JJ_Result r) {
    CacheProbe probe = new CacheProbe();
    if (cache.find(address, 0, WHO, probe)) {
      r.r1 = probe.data;
      r.r2 = probe.extra;
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = {"1, 1", "2, 2"},
      expect = Expect.ACCEPTABLE,
      desc = "old or new")
  @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "a miss while it changed")
  public static class Replaced {
    private final TranslationCache cache = new TranslationCache(4);
    private final CacheProbe second;

    public Replaced() {
      cache.insert(ADDRESS, WHO, entry(cache, 1, 0));
      second = entry(cache, 2, 0);
    }

    @Actor
    public void insert() {
      cache.insert(ADDRESS, WHO, second);
    }

    @Actor
    public void find(JJ_Result r) {
      TranslationCacheStress.find(cache, ADDRESS, r);
    }
  }

  /// The entry of one address leaves for that of another, which has the same place.
  @JCStressTest
  @State
  @Outcome(
      id = {"1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "the old one")
  @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "gone, or about to go")
  public static class PushedOut {
    private final TranslationCache cache = new TranslationCache(4);
    private final CacheProbe later;

    public PushedOut() {
      for (int i = 0; i < 4; i++) {
        cache.insert(ADDRESS + ((long) i << PAGE), WHO, entry(cache, 1, 0));
      }
      later = entry(cache, 2, 0);
    }

    @Actor
    public void insert() {
      for (int i = 4; i < 8; i++) {
        cache.insert(ADDRESS + ((long) i << PAGE), WHO, later);
      }
    }

    @Actor
    public void find(JJ_Result r) {
      TranslationCacheStress.find(cache, ADDRESS, r);
    }
  }

  @JCStressTest
  @State
  @Outcome(
      id = "false",
      expect = Expect.ACCEPTABLE,
      desc = "what was walked before is not there afterwards")
  public static class Invalidated {
    private final TranslationCache cache = new TranslationCache(4);
    private final CacheProbe before = entry(cache, 1, 0);

    @Actor
    public void insert() {
      cache.insert(ADDRESS, WHO, before);
    }

    @Actor
    public void invalidate() {
      cache.invalidate(ALL);
    }

    @Arbiter
    public void find(Z_Result r) {
      r.r1 = cache.find(ADDRESS, 0, WHO, new CacheProbe());
    }
  }

  /// Two fills and an invalidation that names one of them.
  @JCStressTest
  @State
  @Outcome(
      id = {"0, 1, 0", "0, 0, 0"},
      expect = Expect.ACCEPTABLE,
      desc = "the named one is gone; the other one is there, or was dropped")
  public static class InvalidatedBesideAnother {
    private final TranslationCache cache = new TranslationCache(4);
    private final CacheProbe named = entry(cache, 1, 0);
    private final CacheProbe other = entry(cache, 2, 1);

    @Actor
    public void insert() {
      cache.insert(ADDRESS, WHO, named);
      cache.insert(ADDRESS, WHO, other);
    }

    @Actor
    public void invalidate() {
      cache.invalidate(ALL);
    }

    @Arbiter
    public void find(III_Result r) {
      CacheProbe probe = new CacheProbe();
      r.r1 = cache.find(ADDRESS, 0, WHO, probe) ? 1 : 0;
      r.r2 = cache.find(ADDRESS, 1, WHO, probe) && probe.data == 2 ? 1 : 0;
      r.r3 = cache.find(ADDRESS, 2, WHO, probe) ? 1 : 0;
    }
  }
}
