package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.iommu.Domain;
import dev.doorbell.irq.IrqBench.Function;
import dev.doorbell.simple.SimpleFunction.Shape;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

@DisplayName(
    "a function's vectors: no operation keeps the group's lock, refused ones do not either")
class VectorLocksLetGoTest {
  private final IrqBench bench = new IrqBench();
  private final Domain domain = bench.domain("vm");
  private final Function f = bench.function(1, Shape.msix(4), bench.its0);

  @Test
  @DisplayName("each operation, done and refused")
  void everyOperation() {
    domain.attach(f.group());
    MsiFunction msi = f.msi();
    List<Map.Entry<String, Executable>> operations =
        List.of(
            Map.entry("release of nothing", msi::release),
            Map.entry("reapply of nothing", msi::reapply),
            refused("early addVector", () -> add(3)),
            refused("early removeVector", () -> msi.removeVector(0)),
            Map.entry("too many", () -> assertThrows(TooFewVectors.class, () -> msi.enable(5, 5))),
            Map.entry("enable", () -> msi.enable(2, 2)),
            refused("second enable", () -> msi.enable(1, 1)),
            Map.entry("addVector", () -> add(3)),
            refused("second addVector", () -> add(3)),
            Map.entry("mask", () -> msi.mask(3, true)),
            refused("mask of nobody", () -> msi.mask(2, true)),
            Map.entry("retarget", () -> msi.retarget(0, 2)),
            refused("retarget of nobody", () -> msi.retarget(2, 0)),
            refused("post", () -> msi.endPost(2)),
            Map.entry("vectors", msi::vectors),
            Map.entry("reapply", msi::reapply),
            Map.entry("removeVector", () -> msi.removeVector(3)),
            Map.entry("removeVector of several", () -> msi.removeVector(1)),
            refused("second removeVector", () -> msi.removeVector(1)),
            Map.entry("release", msi::release));
    for (var operation : operations) {
      assertDoesNotThrow(operation.getValue(), operation.getKey());
      assertFalse(f.group().lock().isLocked(), operation.getKey());
    }
  }

  private void add(int index) {
    f.msi().addVector(index, 1, false, VectorListener.NONE);
  }

  private static Map.Entry<String, Executable> refused(String what, Executable operation) {
    return Map.entry(what, () -> assertThrows(RuntimeException.class, operation));
  }
}
