package dev.doorbell.hw.smmuv3;

import dev.doorbell.vmsa.Regime;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// A decoded STE and the decoded CDs that were fetched through it: one entry of the configuration cache.
final class StreamContext {
  /// What the STE asks for.
  enum Kind {
    /// V = 0 or an illegal combination.
    BAD,
    ABORT,
    BYPASS,
    TRANSLATE
  }

  /// Stream worlds, as the tags of cached translations number them.
  static final int EL1 = 0;

  static final int EL2 = 1;
  static final int EL2_E2H = 2;

  /// Stage 1 of an STE.
  ///
  /// @param table S1ContextPtr
  /// @param log2Cds S1CDMax
  /// @param format S1Fmt
  /// @param defaultSubstream S1DSS
  /// @param world stream world
  /// @param privileged whether accesses count as privileged
  record Stage1(
      long table, int log2Cds, int format, int defaultSubstream, int world, boolean privileged) {}

  /// Stage 2 of an STE.
  ///
  /// @param regime its tables
  /// @param flagFaultDisabled S2AFFD
  /// @param protectedWalk S2PTW
  /// @param recorded S2R
  /// @param updates what hardware changes in the tables
  record Stage2(
      Regime regime,
      boolean flagFaultDisabled,
      boolean protectedWalk,
      boolean recorded,
      Updates updates) {}

  /// What hardware changes in translation tables (HTTU).
  enum Updates {
    NONE,
    /// HA: the access flag.
    ACCESS,
    /// HA and HD: the access flag and the dirty state.
    ACCESS_AND_DIRTY;

    /// {@return whether a clear access flag is set}
    boolean setFlags() {
      return this != NONE;
    }

    /// {@return whether a clean page becomes dirty when it is written}
    boolean setDirty() {
      return this == ACCESS_AND_DIRTY;
    }

    /// {@return what HA and HD together mean; HD alone means nothing}
    static Updates of(boolean ha, boolean hd) {
      return !ha ? NONE : hd ? ACCESS_AND_DIRTY : ACCESS;
    }
  }

  /// A decoded CD.
  ///
  /// @param valid false when V = 0 or a combination is illegal
  /// @param substream which one
  /// @param asid tag of its translations
  /// @param low tables of TTB0
  /// @param high tables of TTB1
  /// @param flagFaultDisabled AFFD
  /// @param recorded R
  /// @param privilegedNever PAN
  /// @param updates what hardware changes in the tables
  record Context(
      boolean valid,
      int substream,
      int asid,
      Regime low,
      Regime high,
      boolean flagFaultDisabled,
      boolean recorded,
      boolean privilegedNever,
      Updates updates) {}

  static final StreamContext BAD = new StreamContext(Kind.BAD, null, null, 0);
  static final StreamContext ABORT = new StreamContext(Kind.ABORT, null, null, 0);
  static final StreamContext BYPASS = new StreamContext(Kind.BYPASS, null, null, 0);

  private static final VarHandle CONTEXTS = MethodHandles.arrayElementVarHandle(Context[].class);
  private static final int MOST_CONTEXTS = 1024;

  final Kind kind;
  final @Nullable Stage1 stage1;
  final @Nullable Stage2 stage2;
  final int vmid;
  private final @Nullable Context[] contexts;

  StreamContext(Kind kind, @Nullable Stage1 stage1, @Nullable Stage2 stage2, int vmid) {
    this.kind = kind;
    this.stage1 = stage1;
    this.stage2 = stage2;
    this.vmid = vmid;
    int cds = stage1 == null ? 0 : stage1.log2Cds() >= 10 ? MOST_CONTEXTS : 1 << stage1.log2Cds();
    contexts = new Context[cds];
  }

  /// {@return the cached CD, if it is}
  @Nullable Context cached(int substream) {
    Context there = (Context) CONTEXTS.getAcquire(contexts, substream & (contexts.length - 1));
    return there != null && there.substream() == substream ? there : null;
  }

  void cache(Context context) {
    CONTEXTS.setRelease(contexts, context.substream() & (contexts.length - 1), context);
  }

  void forget(int substream) {
    int at = substream & (contexts.length - 1);
    if (contexts.length != 0) {
      Context there = (Context) CONTEXTS.getAcquire(contexts, at);
      if (there != null && there.substream() == substream) {
        CONTEXTS.setRelease(contexts, at, (Context) null);
      }
    }
  }

  void forgetAll() {
    for (int i = 0; i < contexts.length; i++) {
      CONTEXTS.setRelease(contexts, i, (Context) null);
    }
  }
}
