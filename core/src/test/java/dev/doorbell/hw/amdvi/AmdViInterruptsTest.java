package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViBench.FEE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.irq.X86Interrupt;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AmdViInterruptsTest {
  private static final MsiSource A = new MsiSource("0000:01:01.0", 0x108);
  private static final MsiSource B = new MsiSource("0000:02:02.0", 0x210);

  private final AmdViBench bench = new AmdViBench();
  private final AmdViModel model = bench.model(AmdViFeatures.all());

  private static X86Interrupt to(int vector, long destination) {
    return new X86Interrupt(vector, destination, false, 0, false);
  }

  @ParameterizedTest
  @DisplayName(
      "48882 2.2.5: a device's datum selects an entry of its own table; what another writes raises only the other's")
  @ValueSource(booleans = {false, true})
  void perDevice(boolean wide) {
    String kind = wide ? " wide" : "";
    AmdViDriver iommu =
        bench.open(model, AmdViSettings.of(bench.domains).with(AmdViSettings.Use.X2APIC, wide));
    assertEquals(List.of(), bench.message(model, A.deviceId(), FEE, 0), "off at first");
    RemapEntries a = iommu.allocate(A, 3, false);
    RemapEntries b = iommu.allocate(B, 1, false);
    assertEquals(List.of(), bench.message(model, A.deviceId(), FEE, 0), "off until routed");
    a.route(0, to(0x31, 1));
    a.route(2, to(0x33, 3));
    b.route(0, to(0x41, 4));
    assertEquals(FEE, a.address(2));
    assertEquals(List.of("0x1 0x31" + kind), bench.message(model, A.deviceId(), FEE, a.data(0)));
    assertEquals(List.of("0x3 0x33" + kind), bench.message(model, A.deviceId(), FEE, a.data(2)));
    assertEquals(List.of("0x4 0x41" + kind), bench.message(model, B.deviceId(), FEE, b.data(0)));
    assertEquals(List.of(), bench.message(model, A.deviceId(), FEE, a.data(1)));
    assertEquals(List.of(), bench.message(model, B.deviceId(), FEE, a.data(2)), "not B's");
    assertEquals(List.of(), bench.message(model, 0x300, FEE, a.data(0)), "nobody's");
    assertEquals(
        List.of("0x1 0x31" + kind),
        bench.message(model, A.deviceId(), FEE | 0xff000, a.data(0)),
        "the address names no processor");
    a.route(0, to(0x61, 6));
    assertEquals(List.of("0x6 0x61" + kind), bench.message(model, A.deviceId(), FEE, a.data(0)));
    a.block(0);
    assertEquals(List.of(), bench.message(model, A.deviceId(), FEE, a.data(0)));
    a.free();
    assertEquals(List.of(), bench.message(model, A.deviceId(), FEE, 2));
    b.free();
    iommu.close();
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName(
      "Destinations above 254 are reached through entries of 128 bits, and refused without")
  void wideDestinations() {
    AmdViDriver iommu =
        bench.open(model, AmdViSettings.of(bench.domains).with(AmdViSettings.Use.X2APIC, true));
    RemapEntries a = iommu.allocate(A, 1, false);
    a.route(0, new X86Interrupt(0x31, 0x8100_0123L, false, 0, true));
    assertEquals(
        List.of("0x81000123 0x31 wide"), bench.message(model, A.deviceId(), FEE, a.data(0)));
    AmdViModel second = bench.model(AmdViFeatures.all());
    AmdViDriver narrow = bench.open(second);
    assertEquals(0xfe, narrow.lastDestination());
    RemapEntries b = narrow.allocate(B, 1, false);
    assertThrows(IllegalArgumentException.class, () -> b.route(0, to(0x31, 0x100)));
  }

  @Test
  @DisplayName(
      "Multi-message MSI gets entries from a multiple of their number on; 512 are all that there are")
  void blocks() {
    AmdViDriver iommu = bench.open(model);
    RemapEntries one = iommu.allocate(A, 1, false);
    RemapEntries eight = iommu.allocate(A, 8, true);
    assertEquals(8, eight.data(0));
    assertEquals(15, eight.data(7));
    RemapEntries rest = iommu.allocate(A, 503, false);
    assertEquals(1, rest.data(0));
    assertEquals(511, rest.data(502));
    VectorsExhausted none = assertThrows(VectorsExhausted.class, () -> iommu.allocate(A, 1, false));
    assertEquals(0, none.refusal().available().orElseThrow().value());
    rest.route(502, to(0x99, 9));
    assertEquals(
        List.of("0x9 0x99"),
        bench.message(model, A.deviceId(), FEE, 511),
        "an index whose bit 8 looks like arbitrated delivery");
    eight.free();
    assertThrows(VectorsExhausted.class, () -> iommu.allocate(A, 16, true));
    assertEquals(8, iommu.allocate(A, 4, true).data(0));
    assertEquals(0, iommu.allocate(B, 2, true).data(0), "another device has its own");
    assertEquals(0, one.data(0));
  }

  @Test
  @DisplayName("Interrupts of a device stay what they are while its accesses are moved")
  void independentOfTranslation() {
    AmdViDriver iommu = bench.open(model);
    RemapEntries a = iommu.allocate(A, 1, false);
    a.route(0, to(0x31, 1));
    iommu.bypass(A.deviceId());
    assertEquals(List.of("0x1 0x31"), bench.message(model, A.deviceId(), FEE, 0));
    iommu.attach(A.deviceId(), iommu.createAddressSpace(dev.doorbell.address.Granule.K4));
    assertEquals(List.of("0x1 0x31"), bench.message(model, A.deviceId(), FEE, 0));
    iommu.block(A.deviceId());
    assertEquals(List.of("0x1 0x31"), bench.message(model, A.deviceId(), FEE, 0));
    a.free();
    assertEquals(AmdViBench.write(model, A.deviceId(), 0x1000), -1);
  }
}
