package dev.doorbell.hw.smmuv2;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Every stream match register of an SMMU has a stream already.
public final class StreamMatchesExhausted extends SmmuV2Exception {
  private static final long serialVersionUID = 1L;
  private static final String UNIT = "stream match registers";

  /// @param all how many the SMMU has
  StreamMatchesExhausted(String smmu, int streamId, int all) {
    super(
        new Refusal(
            "StreamMatchesExhausted",
            "StreamID 0x%x needs a stream match register of %s, and all %d have other streams"
                .formatted(streamId, smmu, all),
            Optional.of(new Figure(1, UNIT)),
            Optional.of(new Figure(0, UNIT)),
            List.of("StreamID 0x" + Integer.toHexString(streamId), smmu),
            Source.rule("SMMU_IDR0.NUMSMRG of " + smmu),
            "detach another group behind %s first, or give functions one StreamID in firmware"
                .formatted(smmu)));
  }
}
