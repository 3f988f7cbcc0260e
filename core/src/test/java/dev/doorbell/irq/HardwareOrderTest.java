package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.iommu.Domain;
import dev.doorbell.irq.IrqBench.Function;
import dev.doorbell.simple.SimpleFunction.Shape;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 4: in which order the hardware is written")
class HardwareOrderTest {
  private final IrqBench bench = new IrqBench();
  private final Domain domain = bench.domain("vm");
  private final Function f = bench.function(1, Shape.msix(4), bench.its0);

  HardwareOrderTest() {
    domain.attach(f.group());
  }

  /// Each of some writes comes first after the one before.
  private void inOrder(List<String> log, String... writes) {
    int at = -1;
    for (String write : writes) {
      int next = -1;
      for (int i = 0; i < log.size() && next < 0; i++) {
        next = log.get(i).contains(write) ? i : -1;
      }
      assertTrue(next > at, write + " is not in its place: " + log);
      at = next;
    }
  }

  private List<String> written(Runnable change) {
    int before = bench.hw.log().size();
    change.run();
    List<String> log = bench.hw.log();
    return log.subList(before, log.size());
  }

  @Test
  @DisplayName("doorbell mapped, vectors active, function programmed and turned on last")
  void enable() {
    List<String> log = written(() -> f.msi().enable(1, 1));
    inOrder(log, "smmu0 map", "its0 activate", "address 0", "enable", "unmask 0");
  }

  @Test
  @DisplayName("function off, doorbell unmapped, vectors given back")
  void release() {
    f.msi().enable(1, 1);
    List<String> log = written(f.msi()::release);
    inOrder(log, "disable", "smmu0 unmap", "its0 free");
  }

  @Test
  @DisplayName(
      "R8: doorbells of the new domain are mapped before the stream is led there, those of the old one go after")
  void domainSwitch() {
    f.msi().enable(1, 1);
    Domain other = bench.domain("other");
    List<String> log = written(() -> other.attach(f.group()));
    inOrder(log, "smmu0 map", "smmu0 stream 1 attach", "smmu0 unmap");
    assertEquals(List.of(), domain.groups());
    domain.close();
  }

  @Test
  @DisplayName(
      "PCIe 6.0 2.4.1: messages on their way are waited for, by a read, before the doorbell moves")
  void flushed() {
    f.msi().enable(1, 1);
    Domain other = bench.domain("other", AddressRange.ofSize(0xa000_0000L, 0x4000));
    List<Integer> reads = new ArrayList<>();
    int before = f.device().reads();
    bench.hw.onNextWrite(() ->
        bench.hw.onNextWrite(() -> bench.hw.onNextWrite(() -> reads.add(f.device().reads()))));
    List<String> log = written(() -> other.attach(f.group()));
    inOrder(log, "smmu0 map", "mask 0", "smmu0 stream 1 attach", "address 0", "unmask 0");
    assertEquals(List.of(before + 1), reads, "one between the mask and the stream's entry");
  }
}
