package dev.doorbell.hw.smmuv3;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// Which context descriptor an access uses, by its SubstreamID or by having none.
///
/// **Source** IHI 0070 G.b, 3.3.2, 5.2 (STE.S1DSS, S1CDMax, S1Fmt), 5.3 (L1CD).
///
/// @param substream of the access, when it carries one
record ContextLookup(SmmuTrail trail, OptionalInt substream) {
  /// The access passes stage 1 as it is.
  static final long BYPASS = -1;

  private static final int DSS_BYPASS = 1;
  private static final int FORMAT_L2_4K = 1;
  private static final int FORMAT_L2_64K = 2;
  private static final int LOG2_LEAF_4K = 6;
  private static final int LOG2_LEAF_64K = 10;

  /// {@return where the descriptor lies, or BYPASS; empty, with the break told, when the access ends here}
  OptionalLong find(long[] ste, MemoryView memory) {
    int bits = SteLayout.S1_CD_MAX.getInt(ste[0]);
    int dss = SteLayout.S1_DSS.getInt(ste[1]);
    if (substream.isPresent()) {
      int id = substream.getAsInt();
      if (bits == 0 || id >>> bits != 0) {
        return stop("C_BAD_SUBSTREAMID: S1CDMax=%d".formatted(bits));
      }
      return id == 0 && dss == SteLayout.S1DSS_SSID0
          ? stop("F_STREAM_DISABLED: CD 0 is for accesses without a SubstreamID (S1DSS=2)")
          : entry(ste, id, memory);
    }
    if (bits == 0 || dss == SteLayout.S1DSS_SSID0) {
      return entry(ste, 0, memory);
    }
    return dss == DSS_BYPASS
        ? OptionalLong.of(BYPASS)
        : stop("F_STREAM_DISABLED: S1CDMax is not 0 and S1DSS=%d".formatted(dss));
  }

  /// Refuses an access that carries a SubstreamID where stage 1 is off.
  boolean isRefused() {
    return substream.isPresent()
        && stop("C_BAD_SUBSTREAMID: stage 1 does not translate here").isEmpty();
  }

  private OptionalLong entry(long[] ste, int index, MemoryView memory) {
    long table = SteLayout.S1_CONTEXT_PTR.get(ste[0]);
    int format = SteLayout.S1_CD_MAX.isSet(ste[0]) ? SteLayout.S1_FMT.getInt(ste[0]) : 0;
    if (format != FORMAT_L2_4K && format != FORMAT_L2_64K) {
      return OptionalLong.of(table + (long) index * CdLayout.BYTES);
    }
    int leaf = format == FORMAT_L2_4K ? LOG2_LEAF_4K : LOG2_LEAF_64K;
    long at = table + (long) (index >>> leaf) * Long.BYTES;
    OptionalLong word = memory.read64(at);
    if (word.isEmpty()) {
      trail.stop(
          told(),
          "cannot see the level 1 context descriptor at 0x%x".formatted(at),
          memory.source(at));
      return OptionalLong.empty();
    }
    if (!CdLayout.L1_V.isSet(word.getAsLong())) {
      trail.stop(
          told(),
          "C_BAD_SUBSTREAMID: the level 1 context descriptor is 0x%x, V=0"
              .formatted(word.getAsLong()),
          memory.source(at));
      return OptionalLong.empty();
    }
    long array = CdLayout.L1_L2_PTR.get(word.getAsLong());
    long found = array + (long) (index & ((1 << leaf) - 1)) * CdLayout.BYTES;
    trail.add(
        new Hop(
            "L1CD",
            told(),
            "CD at 0x%x".formatted(found),
            SmmuTrail.print(CdLayout.L1CD, word.getAsLong()),
            memory.source(at),
            Basis.OBSERVED));
    return OptionalLong.of(found);
  }

  private OptionalLong stop(String why) {
    trail.stop(told(), why, Source.rule("IHI 0070 5.2 STE.S1DSS, STE.S1CDMax"));
    return OptionalLong.empty();
  }

  private String told() {
    return substream.isPresent()
        ? "SubstreamID 0x%x".formatted(substream.getAsInt())
        : "no SubstreamID";
  }
}
