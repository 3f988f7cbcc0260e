package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Pa;
import dev.doorbell.iommu.Domain;
import dev.doorbell.irq.IrqBench.Function;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.simple.SimpleFunction.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("vectors of a function: who is told, what is shown, and what single steps write")
class VectorDetailsTest {
  private final IrqBench bench = new IrqBench();
  private final Domain domain = bench.domain("vm");
  private final Function f = bench.function(1, Shape.msix(4), bench.its0);

  VectorDetailsTest() {
    domain.attach(f.group());
  }

  private List<String> written(Runnable change) {
    int before = bench.hw.log().size();
    change.run();
    List<String> log = bench.hw.log();
    return log.subList(before, log.size());
  }

  private static int indexOf(List<String> log, String what) {
    for (int i = 0; i < log.size(); i++) {
      if (log.get(i).contains(what)) {
        return i;
      }
    }
    return -1;
  }

  @Test
  @DisplayName(
      "whoever waits is told of each vector with its controller and number, before the function can raise it")
  void listener() {
    List<String> told = new ArrayList<>();
    VectorListener listener =
        (vector, controller, number) ->
            told.add(
                "%d %s %d on %b".formatted(vector, controller.id(), number, f.msi().isEnabled()));
    f.msi().enable(1, 2, false, listener);
    f.msi().addVector(3, 1, false, listener);
    assertEquals(
        List.of("0 its0 8192 on false", "1 its0 8193 on false", "3 its0 8194 on true"), told);
  }

  @Test
  @DisplayName(
      "a vector is shown as it is: message, doorbell behind it, interrupt, number, CPU, and whether its owner masks it")
  void shown() {
    f.msi().enable(2, 2, false, VectorListener.NONE);
    f.msi().mask(1, true);
    MsiMessage message = f.msi().compose(1);
    assertEquals(
        new LiveVector(
            1, message, new Pa(0x809_0040), "its0", 8193, OptionalInt.empty(), 8193, 1, true),
        f.msi().vectors().getLast());
    assertFalse(f.msi().vectors().getFirst().masked());
    assertEquals(0x40, message.address() & 0xfff);
    assertEquals(4, f.msi().size());
    assertEquals(MessageTable.Kind.MSIX, f.msi().kind());
    assertEquals(f.group(), f.msi().domain().group().orElseThrow());
    assertSame(f.msi().domain(), f.msi().domain());
  }

  @Test
  @DisplayName("a vector that comes later is masked while it is programmed")
  void added() {
    f.msi().enable(1, 1);
    List<String> log = written(() -> f.msi().addVector(2, 0, false, VectorListener.NONE));
    assertTrue(indexOf(log, "mask 2") >= 0, log::toString);
    assertTrue(indexOf(log, "mask 2") < indexOf(log, "address 2"), log::toString);
    assertTrue(indexOf(log, "address 2") < indexOf(log, "unmask 2"), log::toString);
  }

  @Test
  @DisplayName("vectors of MSI, and of a function without any, do not come and go one by one")
  void dynamic() {
    assertThrows(
        IllegalStateException.class, () -> f.msi().addVector(0, 0, false, VectorListener.NONE));
    assertThrows(IllegalStateException.class, () -> f.msi().removeVector(0));
    Function plain = bench.function(2, Shape.msi(2), bench.its0);
    domain.attach(plain.group());
    plain.msi().enable(1, 1);
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> plain.msi().removeVector(0));
    assertTrue(e.getMessage().endsWith("it has MSI"), e.getMessage());
    assertEquals(1, plain.msi().vectors().size());
    f.msi().enable(1, 1);
    f.msi().addVector(2, 0, false, VectorListener.NONE);
    f.msi().removeVector(2);
    assertEquals(1, f.msi().vectors().size());
  }

  @Test
  @DisplayName(
      "after the last messages were turned off, what is on its way has arrived before the doorbell goes")
  void quiesced() {
    f.msi().enable(1, 1);
    int before = f.device().reads();
    f.msi().release();
    assertEquals(before + 1, f.device().reads());
  }

  @Test
  @DisplayName(
      "each CPU's doorbell: a vector that moves takes the other page and gives its own back, unless another rings there")
  void perCpu() {
    Function harts = bench.function(3, Shape.msix(2), bench.imsic);
    domain.attach(harts.group());
    harts.msi().enable(2, 2);
    long used = domain.msiWindow().orElseThrow().used();
    List<String> there = written(() -> harts.msi().retarget(0, 2));
    assertTrue(indexOf(there, "smmu0 map") >= 0, there::toString);
    assertEquals(new Pa(0x2800_2000L), harts.msi().vectors().getFirst().doorbell());
    List<String> both = written(() -> harts.msi().retarget(1, 2));
    assertEquals(-1, indexOf(both, "smmu0 map"), "it is there");
    assertTrue(indexOf(both, "smmu0 unmap") >= 0, "nobody rings at the first one any more");
    assertEquals(used, domain.msiWindow().orElseThrow().used());
    List<String> back = written(() -> harts.msi().retarget(0, 0));
    assertEquals(-1, indexOf(back, "smmu0 unmap"), "the other one still rings there");
    assertTrue(harts.fire(0));
    assertTrue(harts.fire(1));
    assertEquals(2, bench.arrived().size());
    harts.msi().release();
    assertEquals(0, domain.msiWindow().orElseThrow().used());
  }

  @Test
  @DisplayName(
      "a controller without an order for it makes nothing pending, and says so; one that has no such vector, too")
  void pending() {
    f.msi().enable(1, 1);
    List<Object> before = bench.state();
    PendingStateUnsupported e =
        assertThrows(PendingStateUnsupported.class, () -> f.msi().setPending(0, true));
    assertEquals("vector 0 of its0 cannot be made pending, or not pending, there", e.getMessage());
    assertThrows(PendingStateUnsupported.class, () -> f.msi().setPending(0, false));
    assertThrows(IllegalArgumentException.class, () -> f.msi().setPending(1, true));
    assertEquals(before, bench.state());
  }

  @Test
  @DisplayName("post and its end reach the controller, of a vector that is there")
  void posted() {
    f.msi().enable(2, 2);
    PostedInterrupt to = new PostedInterrupt(0x1000, 0x40, false);
    assertEquals(List.of("its0 post 8193"), written(() -> f.msi().post(1, to)));
    assertEquals(List.of("its0 end post 8193"), written(() -> f.msi().endPost(1)));
    assertThrows(IllegalArgumentException.class, () -> f.msi().post(2, to));
  }
}
