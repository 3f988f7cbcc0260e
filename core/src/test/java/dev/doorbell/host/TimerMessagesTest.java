package dev.doorbell.host;

import static dev.doorbell.host.VtdBench.THEM;
import static dev.doorbell.host.VtdBench.US;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.hw.hpet.HpetDriver;
import dev.doorbell.hw.hpet.HpetModel;
import dev.doorbell.simple.ModelRegisters;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Messages of an HPET through interrupt remapping.
class TimerMessagesTest {
  private final VtdBench bench = new VtdBench(List.of(0L, 2L, 4L, 6L));

  private HpetModel timer(int sourceId) {
    return new HpetModel(
        3, (address, data) -> bench.ring(sourceId, address, data) == BusOutcome.OK);
  }

  private HpetDriver driver(HpetModel model) {
    return HpetDriver.open("hpet:0", new ModelRegisters(model), bench.controller, US);
  }

  @Test
  @DisplayName(
      "a timer's message goes through its IRTE to its CPU, also after it moved, and not when it is given back")
  void remapped() {
    HpetModel model = timer(US);
    HpetDriver driver = driver(model);
    int free = bench.controller.vectorsFree();
    HpetDriver.Timer timer = driver.connect(1, 2);
    timer.at(driver.counter() + 10);
    model.advance(10);
    assertEquals(List.of(List.of(timer.vector(), 2)), bench.collect());
    timer.retarget(3);
    timer.at(driver.counter() + 10);
    model.advance(10);
    assertEquals(List.of(List.of(timer.vector(), 3)), bench.collect());
    assertThrows(IllegalStateException.class, () -> driver.connect(1, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> driver.connect(3, 0));
    timer.at(driver.counter() + 10);
    timer.disconnect();
    model.advance(10);
    assertEquals(List.of(), bench.collect());
    assertEquals(free, bench.controller.vectorsFree());
  }

  @Test
  @DisplayName("another source-id than the timer's raises nothing")
  void foreign() {
    HpetModel theirs = timer(THEM);
    HpetDriver driver = driver(theirs);
    HpetDriver.Timer forged = driver.connect(0, 0);
    forged.at(driver.counter() + 1);
    theirs.advance(1);
    assertEquals(List.of(), bench.collect());
    assertEquals(List.of(0x26), bench.faults());
  }
}
