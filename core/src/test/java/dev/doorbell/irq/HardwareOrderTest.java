package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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

  @Test
  @DisplayName(
      "a vector whose change takes several steps is masked at the function meanwhile, what it sent before has arrived, and what it sends then comes after")
  void inSteps() {
    bench.its0.changeInSteps();
    f.msi().enable(1, 1);
    int before = f.device().reads();
    bench.hw.onNextWrite(() ->
        bench.hw.onNextWrite(() -> {
          assertEquals(before + 1, f.device().reads(), "what was on its way has arrived");
          assertFalse(f.fire(0), "held back");
        }));
    List<String> log = written(() -> f.msi().retarget(0, 2));
    inOrder(log, "mask 0", "its0 retarget", "its0 finish steps", "unmask 0");
    List<Integer> cpus = new ArrayList<>();
    bench.its0.collect((_, cpu) -> cpus.add(cpu));
    assertEquals(List.of(2), cpus, "not lost");
    PostedInterrupt to = new PostedInterrupt(0x1000, 0x40, false);
    inOrder(written(() -> f.msi().post(0, to)), "mask 0", "its0 post", "unmask 0");
    inOrder(written(() -> f.msi().endPost(0)), "mask 0", "its0 end post", "unmask 0");
    f.msi().mask(0, true);
    log = written(() -> f.msi().retarget(0, 1));
    assertFalse(log.contains("unmask 0"), "its owner wants it masked: " + log);
  }

  @Test
  @DisplayName(
      "a function that cannot mask single vectors is moved all the same, and one whose change is one step is not masked")
  void notMasked() {
    f.msi().enable(1, 1);
    assertEquals(List.of(), masks(written(() -> f.msi().retarget(0, 2))));
    Function plain = bench.function(2, Shape.msi(1), bench.its0);
    domain.attach(plain.group());
    plain.msi().enable(1, 1);
    bench.its0.changeInSteps();
    assertEquals(List.of(), masks(written(() -> plain.msi().retarget(0, 2))));
    assertEquals(2, plain.msi().vectors().getFirst().cpu());
  }

  private static List<String> masks(List<String> log) {
    return log.stream().filter(w -> w.contains("mask")).toList();
  }
}
