package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViBench.FEE;
import static dev.doorbell.hw.amdvi.AmdViBench.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.X86Interrupt;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("What the model caches shows which invalidation a driver leaves out")
class AmdViSabotageTest {
  private static final int DEVICE = 0x108;

  private final AmdViBench bench = new AmdViBench();
  private final AmdViModel model = bench.model(AmdViFeatures.all());
  private final AmdViDriver iommu = bench.open(model);

  /// {@return whether a device still reaches what was taken from it}
  private static void stale(int expectedCulprit, int leftOut, Object right, Object seen) {
    if (leftOut == expectedCulprit) {
      assertNotEquals(right, seen, "the missing command must show");
    } else {
      assertEquals(right, seen, "command " + leftOut + " has nothing to do with it");
    }
  }

  @ParameterizedTest(name = "guest page tables {1}, command left out {0}")
  @DisplayName("INVALIDATE_IOMMU_PAGES after an unmap")
  @CsvSource({
    "0, false",
    "2, false",
    "3, false",
    "5, false",
    "0, true",
    "2, true",
    "3, true",
    "5, true"
  })
  void pages(int leftOut, boolean guest) {
    AmdViDriver iommu =
        bench.open(
            model, AmdViSettings.of(bench.domains).with(AmdViSettings.Use.GUEST_TABLES, guest));
    AddressSpace space = iommu.createAddressSpace(Granule.K4);
    space.map(new Iova(0x1000), new Pa(0x5000), 0x1000, Protection.READ_WRITE);
    iommu.attach(DEVICE, space);
    assertEquals(0x5000, write(model, DEVICE, 0x1000));
    bench.leftOut = leftOut;
    space.unmap(new Iova(0x1000), 0x1000);
    stale(3, leftOut, Translator.FAULT, write(model, DEVICE, 0x1000));
  }

  @ParameterizedTest
  @DisplayName("INVALIDATE_DEVTAB_ENTRY after a block")
  @ValueSource(ints = {0, 2, 3, 5})
  void entry(int leftOut) {
    iommu.bypass(DEVICE);
    assertEquals(0x1000, write(model, DEVICE, 0x1000));
    bench.leftOut = leftOut;
    iommu.block(DEVICE);
    stale(2, leftOut, Translator.FAULT, write(model, DEVICE, 0x1000));
  }

  @ParameterizedTest
  @DisplayName(
      "INVALIDATE_IOMMU_PAGES when the last device leaves a domain whose number is used again")
  @ValueSource(ints = {0, 2, 3, 5})
  void leaving(int leftOut) {
    AddressSpace space = iommu.createAddressSpace(Granule.K4);
    space.map(new Iova(0x1000), new Pa(0x5000), 0x1000, Protection.READ_WRITE);
    iommu.attach(DEVICE, space);
    write(model, DEVICE, 0x1000);
    bench.leftOut = leftOut == 2 ? 0 : leftOut;
    iommu.block(DEVICE);
    space.close();
    iommu.attach(0x300, iommu.createAddressSpace(Granule.K4));
    stale(3, leftOut, Translator.FAULT, write(model, 0x300, 0x1000));
  }

  @ParameterizedTest
  @DisplayName("INVALIDATE_INTERRUPT_TABLE after a vector was moved, and after it was blocked")
  @ValueSource(ints = {0, 2, 3, 5})
  void interrupts(int leftOut) {
    RemapEntries entries = iommu.allocate(new MsiSource("a", DEVICE), 1, false);
    entries.route(0, new X86Interrupt(0x31, 1, false, 0, false));
    assertEquals(List.of("0x1 0x31"), bench.message(model, DEVICE, FEE, 0));
    bench.leftOut = leftOut;
    entries.route(0, new X86Interrupt(0x32, 2, false, 0, false));
    stale(5, leftOut, List.of("0x2 0x32"), bench.message(model, DEVICE, FEE, 0));
    entries.block(0);
    stale(5, leftOut, List.of(), bench.message(model, DEVICE, FEE, 0));
  }
}
