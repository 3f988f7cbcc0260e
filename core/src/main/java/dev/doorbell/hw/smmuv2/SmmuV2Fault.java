package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.Iova;
import java.util.List;

/// What an SMMUv2 recorded of an access that it did not let through. A register holds one: of later ones only that there were some is known.
///
/// **Source** IHI 0062 D.c, 3.5 to 3.7 (faults), 9.6.15 (SMMU_sGFSR), 9.6.18 (SMMU_sGFSYNR1), 16.5.9 (SMMU_CBn_FSR).
public sealed interface SmmuV2Fault {
  /// {@return the manual's names of what is set in the fault status register, MULTI among them when there were more}
  List<String> causes();

  /// The stream, or its configuration, is at fault.
  ///
  /// @param streamId who, as the SMMU saw it
  /// @param input what the device emitted
  record Global(List<String> causes, int streamId, Iova input, boolean write)
      implements SmmuV2Fault {
    public Global {
      causes = List.copyOf(causes);
    }
  }

  /// The tables of a context bank did not let it through.
  ///
  /// @param bank which
  /// @param streamId who, as the SMMU saw it
  /// @param input what the device emitted
  /// @param level of the table where it ended
  record Context(List<String> causes, int bank, int streamId, Iova input, boolean write, int level)
      implements SmmuV2Fault {
    public Context {
      causes = List.copyOf(causes);
    }
  }
}
