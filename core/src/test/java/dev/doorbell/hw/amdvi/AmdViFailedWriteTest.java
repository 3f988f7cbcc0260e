package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViBench.FEE;
import static dev.doorbell.hw.amdvi.AmdViBench.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.X86Interrupt;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName(
    "A change that fails at its n-th write leaves translations, interrupts and memory as they were")
class AmdViFailedWriteTest {
  private static final int DEVICE = 0x108;
  private static final X86Interrupt TO = new X86Interrupt(0x41, 3, false, 0, false);
  private static final X86Interrupt ELSEWHERE = new X86Interrupt(0x52, 7, false, 0, false);

  private final AmdViBench bench = new AmdViBench();
  private final AmdViModel model = bench.model(AmdViFeatures.all());

  /// Makes each write of a change fail in turn, until the change passes.
  private int sweep(Runnable change, Supplier<Object> state) {
    for (int n = 1; ; n++) {
      Object before = state.get();
      bench.writes.failAt(n);
      RuntimeException failed = null;
      try {
        change.run();
      } catch (RuntimeException e) {
        failed = e;
      }
      if (failed == null) {
        bench.writes.neverFail();
        return n - 1;
      }
      assertEquals(before, state.get(), "after write " + n + " failed: " + failed);
    }
  }

  private Object translations() {
    return List.of(
        write(model, DEVICE, 0x20_0000),
        write(model, DEVICE, 0x21_f000),
        write(model, DEVICE, 0x40_0000),
        write(model, DEVICE, 0x7f_f000),
        bench.frames.bytesInUse());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void translation(boolean pairs) {
    bench.pairs = pairs;
    AmdViDriver iommu = bench.open(model);
    AddressSpace space = iommu.createAddressSpace(Granule.K4);
    AddressSpace other = iommu.createAddressSpace(Granule.K4);
    other.map(new Iova(0x20_0000), new Pa(0x1_0000), 0x1000, Protection.READ_WRITE);
    assertTrue(sweep(() -> iommu.attach(DEVICE, other), this::translations) > 1);
    assertTrue(sweep(() -> iommu.attach(DEVICE, space), this::translations) > 1);
    assertTrue(
        sweep(
                () ->
                    space.map(
                        new Iova(0x20_0000), new Pa(0x100_0000), 0x60_0000, Protection.READ_WRITE),
                this::translations)
            > 1);
    assertTrue(sweep(() -> space.unmap(new Iova(0x20_1000), 0x1f000), this::translations) > 3);
    assertTrue(sweep(() -> space.unmap(new Iova(0x3f_f000), 0x2000), this::translations) > 3);
    assertTrue(sweep(() -> space.unmap(new Iova(0), 0x100_0000), this::translations) > 3);
    assertTrue(sweep(() -> iommu.block(DEVICE), this::translations) > 1);
    iommu.drainEvents();
    space.close();
    other.close();
    iommu.close();
    assertEquals(0, bench.frames.bytesInUse());
  }

  private Object messages() {
    return List.of(
        bench.message(model, DEVICE, FEE, 0),
        bench.message(model, DEVICE, FEE, 1),
        bench.frames.bytesInUse());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void interrupts(boolean wide) {
    AmdViDriver iommu =
        bench.open(model, AmdViSettings.of(bench.domains).with(AmdViSettings.Use.X2APIC, wide));
    MsiSource who = new MsiSource("0000:01:01.0", DEVICE);
    RemapEntries[] taken = new RemapEntries[1];
    assertTrue(sweep(() -> taken[0] = iommu.allocate(who, 2, false), this::messages) > 1);
    RemapEntries entries = taken[0];
    assertTrue(sweep(() -> entries.route(0, TO), this::messages) > 1);
    assertTrue(sweep(() -> entries.route(1, TO), this::messages) > 1);
    assertTrue(sweep(() -> entries.route(1, ELSEWHERE), this::messages) > 1);
    assertTrue(sweep(() -> entries.block(0), this::messages) > 1);
    RemapEntries more = iommu.allocate(who, 1, false);
    assertEquals(2, more.data(0));
    more.free();
    entries.block(1);
    assertTrue(sweep(entries::free, this::messages) > 1);
    iommu.close();
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("A device that still has interrupts keeps its IOMMU from being closed")
  void closing() {
    AmdViDriver iommu = bench.open(model);
    RemapEntries entries = iommu.allocate(new MsiSource("a", DEVICE), 1, false);
    assertThrows(IllegalStateException.class, iommu::close);
    entries.free();
    iommu.close();
  }
}
