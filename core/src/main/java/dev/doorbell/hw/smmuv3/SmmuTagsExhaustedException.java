package dev.doorbell.hw.smmuv3;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import dev.doorbell.vmsa.Stage;
import java.util.List;
import java.util.Optional;

/// Every ASID or VMID of the width that an SMMU has is taken by an address space.
public final class SmmuTagsExhaustedException extends SmmuException {
  private static final long serialVersionUID = 1L;

  /// @param bits width of the numbers on the SMMU that asks
  SmmuTagsExhaustedException(Stage stage, int bits) {
    this(stage == Stage.STAGE1 ? "ASIDs" : "VMIDs", bits, (1L << bits) - 1);
  }

  private SmmuTagsExhaustedException(String what, int bits, long all) {
    super(
        new Refusal(
            "SmmuTagsExhaustedException",
            "an address space needs one of the %d %s of %d bits and all are taken"
                .formatted(all, what, bits),
            Optional.of(new Figure(1, what)),
            Optional.of(new Figure(0, what)),
            List.of(what),
            Source.rule("SMMU_IDR0.ASID16 and VMID16"),
            "close a domain first"));
  }
}
