package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.VectorsLive;
import dev.doorbell.irq.IrqBench.Function;
import dev.doorbell.pci.MessageTable.Kind;
import dev.doorbell.simple.SimpleFunction.Shape;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 4: vectors between enable and release")
class VectorLifeTest {
  private final IrqBench bench = new IrqBench();
  private final Domain domain = bench.domain("d");

  private Function enabled(Shape shape, int vectors) {
    Function f = bench.function(bench.functions.size() + 1, shape, bench.its1);
    domain.attach(f.group());
    f.msi().enable(vectors, vectors);
    return f;
  }

  @Test
  void r15_composeIsALookUpThatNeedsNoLock() throws InterruptedException {
    Function f = enabled(Shape.msix(4), 4);
    MsiMessage here = f.msi().compose(3);
    long writes = bench.hw.count();
    MsiMessage[] there = new MsiMessage[1];
    f.group().lock().lock();
    try {
      Thread t = Thread.ofPlatform().start(() -> there[0] = f.msi().compose(3));
      assertTrue(t.join(Duration.ofMinutes(1)), "compose waits for the group's lock");
    } finally {
      f.group().lock().unlock();
    }
    assertSame(here, there[0]);
    assertSame(here, f.msi().compose(3));
    assertEquals(writes, bench.hw.count());
  }

  @Test
  void r16_retargetingKeepsTheMessageAndTheMask() {
    Function f = enabled(Shape.msix(4), 4);
    MsiMessage before = f.msi().compose(1);
    f.msi().mask(2, true);
    f.msi().retarget(1, 3);
    f.msi().retarget(2, 3);
    assertEquals(before, f.msi().compose(1));
    assertTrue(f.fire(1));
    f.fire(2);
    assertEquals(List.of("9001@3"), bench.arrived());
    assertThrows(IllegalArgumentException.class, () -> f.msi().retarget(1, 99));
    assertTrue(f.fire(1));
    assertEquals(List.of("9001@3"), bench.arrived(), "still where it was");
    assertThrows(IllegalArgumentException.class, () -> f.msi().retarget(4, 0));
  }

  @Test
  void r17_aFunctionThatLostItsTableIsProgrammedAnew() {
    for (Shape s : List.of(Shape.msix(4), Shape.msi(4), new Shape(Kind.MSI, 4, true, true))) {
      Function f = enabled(s, 4);
      f.msi().mask(2, true);
      List<Object> before = f.device().state();
      f.device().lose();
      assertNotEquals(before, f.device().state());
      assertFalse(f.fire(0));
      f.msi().reapply();
      assertEquals(before, f.device().state(), s.toString());
      assertTrue(f.fire(1));
      assertEquals(1, bench.arrived().size());
    }
    Function none = bench.function(bench.functions.size() + 1, Shape.msix(1), bench.its1);
    none.msi().reapply();
    assertFalse(none.device().isEnabled());
  }

  @Test
  void vectorsComeAndGoWhileOthersFire() {
    Function f = enabled(Shape.msix(8), 2);
    f.msi().addVector(6, 2, false, VectorListener.NONE);
    assertTrue(f.fire(6));
    assertEquals(List.of("9002@2"), bench.arrived());
    assertThrows(
        IllegalStateException.class, () -> f.msi().addVector(6, 0, false, VectorListener.NONE));
    f.msi().removeVector(6);
    assertEquals(62, bench.its1.vectorsFree());
    f.msi().removeVector(0);
    assertEquals(62, bench.its1.vectorsFree(), "one that came with others stays the function's");
    assertFalse(f.fire(0));
    assertFalse(f.fire(6));
    assertTrue(f.fire(1));
    assertThrows(IllegalArgumentException.class, () -> f.msi().removeVector(0));
    assertThrows(IllegalArgumentException.class, () -> f.msi().compose(0));
    f.msi().addVector(0, 1, true, VectorListener.NONE);
    assertTrue(f.msi().vectors().getFirst().masked());
    f.msi().release();
    assertEquals(64, bench.its1.vectorsFree());
    assertEquals(0, domain.msiWindow().orElseThrow().used());
  }

  @Test
  void msiVectorsDoNotComeOneByOne() {
    Function f = enabled(Shape.msi(4), 2);
    assertThrows(
        IllegalStateException.class, () -> f.msi().addVector(2, 0, false, VectorListener.NONE));
    assertThrows(IllegalStateException.class, () -> f.msi().removeVector(0));
    f.msi().release();
    assertThrows(
        IllegalStateException.class, () -> f.msi().addVector(0, 0, false, VectorListener.NONE));
  }

  @Test
  void r08_liveVectorsMoveWithTheirFunction() {
    for (Shape s : List.of(Shape.msix(4), new Shape(Kind.MSI, 4, true, true))) {
      Function f = enabled(s, 4);
      f.msi().mask(2, true);
      f.fire(2);
      Domain other = bench.domain("other", AddressRange.ofSize(0xa000_0000L, 0x1000));
      other.attach(f.group());
      assertEquals(0xa000_0040L, f.msi().compose(0).address());
      assertTrue(f.fire(3));
      assertEquals(1, bench.arrived().size(), "the masked one is still masked");
      f.msi().mask(2, false);
      assertEquals(1, bench.arrived().size(), "and fires when its owner lets it");
      f.msi().release();
      assertEquals(0, other.msiWindow().orElseThrow().used());
    }
  }

  @Test
  void r08_anUnmaskableFunctionMovesOnlyWhereItsDoorbellStays() {
    Function f = enabled(Shape.msi(2), 2);
    Domain elsewhere = bench.domain("elsewhere", AddressRange.ofSize(0xa000_0000L, 0x1000));
    List<Object> before = bench.state();
    VectorsLive e = assertThrows(VectorsLive.class, () -> elsewhere.attach(f.group()));
    assertEquals(List.of(f.msi().name()), e.refusal().objects());
    assertEquals(before, bench.state());
    Domain same = bench.domain("same");
    same.attach(f.group());
    assertTrue(f.fire(1));
  }

  @Test
  void r20_aGroupWithLiveVectorsStays() {
    Function f = enabled(Shape.msix(1), 1);
    assertThrows(VectorsLive.class, () -> domain.detach(f.group()));
    f.msi().release();
    domain.detach(f.group());
  }

  @Test
  void r17_aFunctionWhoseVectorsWereAllRemovedIsProgrammedAnewAndReleased() {
    Function f = enabled(Shape.msix(4), 1);
    f.msi().removeVector(0);
    assertEquals(64, bench.its1.vectorsFree());
    List<Object> none = f.device().state();
    f.device().lose();
    f.msi().reapply();
    assertTrue(f.msi().isEnabled());
    assertTrue(f.device().isEnabled());
    assertEquals(none.get(1), f.device().state().get(1));
    f.msi().addVector(2, 1, false, VectorListener.NONE);
    assertTrue(f.fire(2));
    f.msi().removeVector(2);
    f.msi().release();
    assertFalse(f.device().isEnabled(), "messages are off");
    assertFalse(f.msi().isEnabled());
    domain.detach(f.group());
    domain.attach(f.group());
    f.msi().enable(1, 1);
    assertTrue(f.fire(0));
  }

  @Test
  void aReleasedFunctionIsLeftOffAndMasked() {
    for (Shape s : List.of(Shape.msix(4), new Shape(Kind.MSI, 4, true, true))) {
      Function f = enabled(s, 3);
      f.msi().release();
      assertFalse(f.device().isEnabled());
      for (int i = 0; i < 3; i++) {
        assertTrue(f.device().isMasked(i), "vector " + i + " of " + s);
      }
    }
  }

  @Test
  void r08_aFunctionThatWasEnabledAgainMovesOnce() {
    Function f = enabled(Shape.msix(4), 4);
    f.msi().release();
    f.msi().enable(2, 2);
    Domain other = bench.domain("other", AddressRange.ofSize(0xa000_0000L, 0x1000));
    other.attach(f.group());
    assertTrue(f.fire(1));
    assertEquals(1, other.msiWindow().orElseThrow().used());
    f.msi().release();
    assertEquals(0, other.msiWindow().orElseThrow().used());
    other.detach(f.group());
  }

  @Test
  void aVectorIsSilencedAtItsFunctionBeforeItLeaves() {
    Function f = enabled(Shape.msix(4), 3);
    f.msi().addVector(3, 1, false, VectorListener.NONE);
    for (int vector : new int[] {1, 3}) {
      int from = bench.hw.log().size();
      f.msi().removeVector(vector);
      assertTrue(f.device().isMasked(vector));
      List<String> log = bench.hw.log();
      assertEquals("%s mask %d".formatted(f.msi().name(), vector), log.get(from), log::toString);
    }
  }

  @Test
  void r08_vectorsThatCameOneByOneMoveAlong() {
    Function f = enabled(Shape.msix(6), 2);
    f.msi().addVector(4, 1, false, VectorListener.NONE);
    f.msi().addVector(5, 2, true, VectorListener.NONE);
    f.msi().removeVector(0);
    Domain other = bench.domain("other", AddressRange.ofSize(0xa000_0000L, 0x1000));
    other.attach(f.group());
    for (LiveVector v : f.msi().vectors()) {
      assertEquals(0xa000_0040L, v.message().address());
      assertEquals(v.index() != 5, f.fire(v.index()));
    }
    assertEquals(2, bench.arrived().size());
    f.msi().removeVector(4);
    assertTrue(f.fire(1));
    f.msi().release();
    assertEquals(0, other.msiWindow().orElseThrow().used());
    assertEquals(0, domain.msiWindow().orElseThrow().used());
  }

  @Test
  void aFunctionWithoutAControllerIsolatesNothing() {
    assertFalse(IrqBench.route(1).isolated());
    assertTrue(IrqBench.route(1, bench.its0, bench.its1).isolated());
    assertFalse(IrqBench.route(1, bench.its0, bench.v2m).isolated());
  }
}
