package dev.doorbell.hw.smmuv2;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Every context bank of an SMMU that could translate by an address space has another one already.
public final class ContextBanksExhausted extends SmmuV2Exception {
  private static final long serialVersionUID = 1L;
  private static final String UNIT = "context banks";

  /// @param space what needs one
  /// @param fit how many the SMMU has of the kind
  ContextBanksExhausted(String smmu, String space, int fit) {
    super(
        new Refusal(
            "ContextBanksExhausted",
            "%s needs a context bank of %s, and all %d that could serve have other address spaces"
                .formatted(space, smmu, fit),
            Optional.of(new Figure(1, UNIT)),
            Optional.of(new Figure(0, UNIT)),
            List.of(space, smmu),
            Source.rule("SMMU_IDR1.NUMCB and NUMS2CB of " + smmu),
            "put functions behind %s into one domain, or close another domain first"
                .formatted(smmu)));
  }
}
