package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.GroupUnavailable;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.irq.IrqBench.Function;
import dev.doorbell.pci.MessageTable.Kind;
import dev.doorbell.simple.SimpleFunction;
import dev.doorbell.simple.SimpleFunction.Shape;
import dev.doorbell.simple.SimpleMsiController;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 4: enable(min, max)")
class EnableTest {
  private final IrqBench bench = new IrqBench();

  @Test
  void r01_everyVectorIsProgrammedAndArrivesAtItsCpu() {
    Domain d = bench.domain("d");
    Function f = bench.function(1, Shape.msix(8), bench.its0);
    d.attach(f.group());
    assertEquals(5, f.msi().enable(1, 5));
    for (int i = 0; i < 5; i++) {
      assertEquals(new MsiMessage(0x800_0040, i), f.msi().compose(i));
      assertTrue(f.fire(i));
      assertEquals(List.of((8192 + i) + "@" + i % IrqBench.CPUS), bench.arrived());
    }
    assertFalse(f.fire(5), "an entry that is not in use stays masked");
    assertThrows(IllegalArgumentException.class, () -> f.msi().compose(5));
    assertThrows(IllegalStateException.class, () -> f.msi().enable(1, 1));
  }

  @Test
  void r02_windowTooSmallFailsAllocation() {
    Domain d = bench.domain("d", AddressRange.ofSize(0x800_0000, 0x800));
    Function f = bench.function(1, Shape.msix(8), bench.its0);
    d.attach(f.group());
    List<Object> before = bench.state();
    long writes = bench.hw.count();
    MsiWindowExhausted e = assertThrows(MsiWindowExhausted.class, () -> f.msi().enable(1, 8));
    assertEquals(0x1000, e.refusal().needed().orElseThrow().value());
    assertEquals(0, e.refusal().available().orElseThrow().value());
    assertEquals(before, bench.state());
    assertEquals(writes, bench.hw.count(), "no write, not even one taken back");
    assertFalse(f.msi().isEnabled());
  }

  @Test
  void r02_aOneGranuleWindowHoldsOneOfTwoControllers() {
    Domain d = bench.domain("d", AddressRange.ofSize(0x800_0000, 0x1000));
    Function a = bench.function(1, Shape.msix(4), bench.its0);
    Function b = bench.function(2, Shape.msix(4), bench.its1);
    Function c = bench.function(3, Shape.msix(4), bench.its0);
    for (Function f : List.of(a, b, c)) {
      d.attach(f.group());
    }
    a.msi().enable(1, 4);
    assertThrows(MsiWindowExhausted.class, () -> b.msi().enable(1, 4));
    c.msi().enable(1, 4);
    assertEquals(a.msi().compose(0).address(), c.msi().compose(0).address());
    a.msi().release();
    assertThrows(MsiWindowExhausted.class, () -> b.msi().enable(1, 4));
    c.msi().release();
    b.msi().enable(1, 4);
    assertEquals(0x800_0040, b.msi().compose(0).address());
  }

  @Test
  void maxIsTriedFirstThenLessDownToMin() {
    Domain d = bench.domain("d");
    Function a = bench.function(1, Shape.msix(64), bench.its0);
    Function b = bench.function(2, Shape.msix(64), bench.its0);
    d.attach(a.group());
    d.attach(b.group());
    assertEquals(10, a.msi().enable(1, 10));
    List<Object> before = bench.state();
    VectorsExhausted e = assertThrows(VectorsExhausted.class, () -> b.msi().enable(7, 64));
    assertEquals(7, e.refusal().needed().orElseThrow().value());
    assertEquals(6, e.refusal().available().orElseThrow().value());
    assertEquals(List.of("0000:02:00.0", "its0"), e.refusal().objects());
    assertEquals(before, bench.state());
    assertEquals(6, b.msi().enable(2, 64));
  }

  @Test
  void theTableBoundsWhatCanBeHad() {
    Domain d = bench.domain("d");
    Function f = bench.function(1, Shape.msix(4), bench.its0);
    d.attach(f.group());
    TooFewVectors e = assertThrows(TooFewVectors.class, () -> f.msi().enable(5, 8));
    assertEquals(5, e.refusal().needed().orElseThrow().value());
    assertEquals(4, e.refusal().available().orElseThrow().value());
    assertEquals(4, f.msi().enable(4, 8));
    assertThrows(
        IllegalArgumentException.class,
        () -> bench.function(2, Shape.msix(4), bench.its0).msi().enable(0, 4));
  }

  @Test
  void noControllerNoVectors() {
    Domain d = bench.domain("d");
    Function f = bench.function(1, Shape.msix(4));
    d.attach(f.group());
    NoMsiController e = assertThrows(NoMsiController.class, () -> f.msi().enable(2, 4));
    assertEquals(2, e.refusal().needed().orElseThrow().value());
    assertEquals(0, e.refusal().available().orElseThrow().value());
    assertEquals(List.of("0000:01:00.0", "MSI controller"), e.refusal().objects());
  }

  @Test
  void aGroupInNoDomainIsRefused() {
    Function f = bench.function(1, Shape.msix(4), bench.its0);
    assertThrows(GroupUnavailable.class, () -> f.msi().enable(1, 4));
  }

  @Test
  void maskedAsAsked() {
    Domain d = bench.domain("d");
    for (Shape s : List.of(Shape.msix(4), Shape.msi(4), new Shape(Kind.MSI, 4, true, true))) {
      Function f = bench.function(bench.functions.size() + 1, s, bench.its1);
      d.attach(f.group());
      f.msi().enable(2, 2, true, VectorListener.NONE);
      f.fire(1);
      assertEquals(List.of(), bench.arrived(), s.toString());
      f.msi().mask(1, false);
      assertEquals(1, bench.arrived().size(), "what was pending fires");
      f.msi().mask(1, true);
      f.fire(1);
      assertEquals(List.of(), bench.arrived());
    }
  }

  @Test
  void r18_multiMessageMsiTakesAPowerOfTwoThatIsAlignedAndContiguous() {
    Domain d = bench.domain("d");
    Function pad = bench.function(1, Shape.msix(1), bench.v2m);
    Function f = bench.function(2, Shape.msi(8), bench.v2m);
    d.attach(pad.group());
    d.attach(f.group());
    pad.msi().enable(1, 1);
    assertEquals(3, f.msi().enable(3, 3), "the guest maps 3 of 4");
    assertEquals(84, f.msi().compose(0).data());
    for (int i = 0; i < 3; i++) {
      assertEquals(84 + i, f.msi().compose(i).data());
      assertTrue(f.fire(i));
    }
    assertEquals(List.of("84@0", "85@1", "86@2"), bench.arrived());
    assertFalse(f.fire(3), "the fourth is taken and inactive");
    assertEquals(List.of(), bench.arrived());
    f.msi().release();
    assertEquals(4, f.msi().enable(1, 4));
  }

  @Test
  void r18_msiHalvesUntilItFits() {
    Domain d = bench.domain("d");
    Function a = bench.function(1, Shape.msix(8), bench.its0);
    Function b = bench.function(2, Shape.msi(32), bench.its0);
    d.attach(a.group());
    d.attach(b.group());
    a.msi().enable(5, 5);
    VectorsExhausted e = assertThrows(VectorsExhausted.class, () -> b.msi().enable(9, 32));
    assertEquals(16, e.refusal().needed().orElseThrow().value());
    assertEquals(8, b.msi().enable(1, 32));
  }

  @Test
  void aFunctionWithoutA64BitAddressNeedsAWindowBelow4GiB() {
    Domain d = bench.domain("d", AddressRange.ofSize(0x1_0000_0000L, 0x1000));
    Function f = bench.function(1, new Shape(Kind.MSI, 4, false, false), bench.its0);
    d.attach(f.group());
    long writes = bench.hw.count();
    MessageOutOfReach e = assertThrows(MessageOutOfReach.class, () -> f.msi().enable(1, 1));
    assertEquals(List.of("0000:01:00.0", "its0"), e.refusal().objects());
    assertEquals(writes, bench.hw.count());
    assertEquals(0, d.msiWindow().orElseThrow().used());
  }

  @Test
  void r07_aFunctionBehindTwoControllersGetsADoorbellOfEach() {
    Domain d = bench.domain("d");
    Function f = bench.function(1, Shape.msix(64), bench.its0, bench.its1);
    d.attach(f.group());
    assertEquals(40, f.msi().enable(1, 40), "the first has 16, the second 64");
    assertEquals(2, d.msiWindow().orElseThrow().used());
    assertEquals(0x800_1040, f.msi().compose(0).address());
    assertTrue(f.fire(39));
    f.msi().release();
    assertEquals(0, d.msiWindow().orElseThrow().used());
  }

  @Test
  void r07_twoFunctionsBehindDifferentControllersGetDifferentIovas() {
    Domain d = bench.domain("d");
    Function a = bench.function(1, Shape.msix(1), bench.its0);
    Function b = bench.function(2, Shape.msix(1), bench.its1);
    d.attach(a.group());
    d.attach(b.group());
    a.msi().enable(1, 1);
    b.msi().enable(1, 1);
    assertEquals(0x800_0040, a.msi().compose(0).address());
    assertEquals(0x800_1040, b.msi().compose(0).address());
    assertTrue(a.fire(0));
    assertTrue(b.fire(0));
    assertEquals(List.of("8192@0", "9000@0"), bench.arrived());
  }

  @Test
  void r26_withoutAnIommuTheDoorbellIsRungAtItsPhysicalAddress() {
    SimpleFunction device =
        new SimpleFunction("f", Shape.msix(2), 5, Optional.empty(), List.of(bench.its0), bench.hw);
    MsiFunction f =
        MsiFunction.of(
            "f", device, MsiDomain.untranslated(IrqBench.route(5, bench.its0), bench.ringers));
    assertEquals(2, f.enable(1, 2));
    assertEquals(0x809_0040, f.compose(1).address());
    assertTrue(device.fire(1));
    f.release();
    assertEquals(16, bench.its0.vectorsFree());
  }

  @Test
  void releaseInAnyOrderLeavesNothing() {
    Domain d = bench.domain("d");
    Function a = bench.function(1, Shape.msix(4), bench.its0);
    Function b = bench.function(2, Shape.msix(4), bench.its0, bench.its1);
    d.attach(a.group());
    d.attach(b.group());
    Object tables = bench.iommu.state();
    a.msi().enable(1, 4);
    b.msi().enable(1, 4);
    long stale = a.msi().compose(0).address();
    a.msi().release();
    assertFalse(a.fire(0));
    assertTrue(b.fire(0), "the other one still rings");
    b.msi().release();
    b.msi().release();
    assertEquals(tables, bench.iommu.state());
    assertEquals(16, bench.its0.vectorsFree());
    assertEquals(0, d.msiWindow().orElseThrow().used());
    assertFalse(b.device().write(stale, 0), "a stale translation never delivers");
  }

  @Test
  void aDatumThatTheFunctionCannotCarryIsRefusedAndNothingIsLeft() {
    SimpleMsiController far =
        new SimpleMsiController("far", 0x80d_0040, 0x1_0000, 8, false, bench.hw);
    Domain d = bench.domain("d");
    Function f = bench.function(1, Shape.msi(4), far);
    d.attach(f.group());
    Object tables = bench.state();
    MessageOutOfReach e = assertThrows(MessageOutOfReach.class, () -> f.msi().enable(1, 2));
    assertEquals(List.of("0000:01:00.0", "far"), e.refusal().objects());
    assertEquals(8, far.vectorsFree());
    assertEquals(tables, bench.state());
    assertEquals(0, d.msiWindow().orElseThrow().used());
    Function g = bench.function(2, Shape.msix(4), far);
    d.attach(g.group());
    assertEquals(2, g.msi().enable(1, 2), "MSI-X carries 32 bits");
  }

  @Test
  void r07_theFirstControllerThatHasJustEnoughIsTaken() {
    Domain d = bench.domain("d");
    Function f = bench.function(1, Shape.msix(64), bench.its0, bench.its1);
    d.attach(f.group());
    assertEquals(16, f.msi().enable(16, 16));
    assertEquals(0, bench.its0.vectorsFree());
    assertEquals(64, bench.its1.vectorsFree());
  }

  @Test
  void r07_whenNoControllerHasEnoughTheOneWithMostIsTaken() {
    for (boolean largestFirst : new boolean[] {false, true}) {
      IrqBench small = new IrqBench();
      Domain d = small.domain("d");
      Function f =
          largestFirst
              ? small.function(1, Shape.msix(80), small.its1, small.its0)
              : small.function(1, Shape.msix(80), small.its0, small.its1);
      d.attach(f.group());
      assertEquals(64, f.msi().enable(20, 80));
      assertEquals(16, small.its0.vectorsFree());
      assertEquals(0, small.its1.vectorsFree());
    }
  }
}
