package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;
import dev.doorbell.iommu.GuestRefused;
import java.util.List;

/// The stage 1 half of a stream table entry, as a guest wrote it: where its own context descriptors lie, which the SMMU fetches by way of the host's stage 2.
///
/// Of the guest's words count what a guest may decide: V, Config (abort, bypass, stage 1), S1Fmt, S1ContextPtr, S1CDMax, S1DSS, S1CIR, S1COR, S1CSH.
/// S1STALLD is the host's, as nobody resumes what stalls. All else must be zero.
///
/// @param words its first two quadwords
///
/// **Source** IHI 0070 G.b, 5.2; 4.3.7 (how a hypervisor shadows a guest's entries).
public record SmmuGuestEntry(List<Long> words) {
  private static final GuestRefused.Rule RULE =
      new GuestRefused.Rule("IHI 0070 5.2", "tell the guest C_BAD_STE, and block the stream");

  private static final long GUESTS_0 =
      masks(
          SteLayout.V,
          SteLayout.CONFIG,
          SteLayout.S1_FMT,
          SteLayout.S1_CONTEXT_PTR,
          SteLayout.S1_CD_MAX);
  private static final long GUESTS_1 =
      masks(SteLayout.S1_DSS, SteLayout.S1_CIR, SteLayout.S1_COR, SteLayout.S1_CSH);

  public SmmuGuestEntry {
    words = SmmuGuestCommand.two(words);
  }

  /// {@return the whole entry, with the guest's stage 1 above the host's stage 2}
  ///
  /// A guest's bypass leaves stage 2 alone, and what is not valid aborts, as V = 0 does on hardware.
  ///
  /// @param smmu whose entry it becomes
  /// @param below one of stage 2 alone
  /// @throws GuestRefused when the guest asks for what is not its own, or what the SMMU has not
  long[] above(String smmu, long[] below, ProbedFeatures features) {
    long w0 = words.getFirst();
    long w1 = words.getLast();
    refuse(smmu, "word 0", w0, w0 & ~GUESTS_0);
    refuse(smmu, "word 1", w1, w1 & ~(GUESTS_1 | SteLayout.S1_STALLD.mask()));
    int config = SteLayout.CONFIG.getInt(w0);
    if (!SteLayout.V.isSet(w0) || config < SteLayout.CONFIG_BYPASS) {
      return StreamTableEntries.abort();
    }
    if (config == SteLayout.CONFIG_BYPASS) {
      return below.clone();
    }
    refuse(
        smmu, "Config", w0, config == SteLayout.CONFIG_S1_TRANS ? 0 : w0 & SteLayout.CONFIG.mask());
    int log2 = SteLayout.S1_CD_MAX.getInt(w0);
    boolean shaped =
        log2 == 0
            || SteLayout.S1_FMT.get(w0) == SteLayout.S1FMT_LINEAR
            || features.twoLevelContexts();
    refuse(
        smmu,
        "S1CDMax (%d bits of SubstreamID, the SMMU has %d)"
            .formatted(log2, features.substreamIdBits()),
        w0,
        log2 > features.substreamIdBits() ? w0 & SteLayout.S1_CD_MAX.mask() : 0);
    refuse(
        smmu,
        "S1Fmt (two levels, which the SMMU has not)",
        w0,
        shaped ? 0 : w0 & SteLayout.S1_FMT.mask());
    long[] out = below.clone();
    out[0] = SteLayout.CONFIG.with(w0, SteLayout.CONFIG_NESTED);
    out[1] |= w1 & GUESTS_1 | SteLayout.S1_STALLD.place(features.stalls() ? 1 : 0);
    return out;
  }

  private static void refuse(String smmu, String what, long word, long bits) {
    GuestRefused.ifAny(bits, smmu, "stream table entry: " + what, word, RULE);
  }

  private static long masks(Field... fields) {
    long mask = 0;
    for (Field field : fields) {
      mask |= field.mask();
    }
    return mask;
  }
}
