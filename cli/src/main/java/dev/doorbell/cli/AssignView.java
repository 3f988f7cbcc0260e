package dev.doorbell.cli;

import dev.doorbell.cli.Json.ErrorView;
import dev.doorbell.host.Assignment;
import dev.doorbell.irq.LiveVector;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The JSON document of `assign`.
record AssignView(PlanView plan, List<VectorView> vectors, @Nullable ErrorView refusal) {
  /// @param address as programmed
  /// @param iova what the IOMMU is asked to translate
  /// @param doorbell the physical address that it is translated to
  record VectorView(
      String sbdf,
      int vector,
      String address,
      int data,
      String iova,
      String doorbell,
      int intid,
      int cpu,
      boolean delivered) {
    static VectorView of(Assignment.Fired f) {
      LiveVector v = f.vector();
      long address = v.message().address();
      return new VectorView(
          f.function().toString(),
          v.index(),
          Json.hex(address),
          v.message().data(),
          Json.hex(address),
          Json.hex(v.doorbell().value()),
          v.intid(),
          v.cpu(),
          f.delivered());
    }
  }
}
