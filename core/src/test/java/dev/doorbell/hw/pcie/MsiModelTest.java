package dev.doorbell.hw.pcie;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.hw.pcie.Hierarchy.Arrived;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.MessageRefused;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("PCIe 7.7.1, 6.1.4: MSI in its shapes")
class MsiModelTest {
  private final Hierarchy h = new Hierarchy();

  private EndpointModel device(EndpointSpec.Msi msi) {
    EndpointModel e =
        EndpointModel.create(EndpointSpec.demoMsi(msi), new DemoRegisters(msi.vectors()));
    h.complex.root().add(8, e);
    Hierarchy.place(e, Hierarchy.WINDOW);
    return e;
  }

  private static MsiCapability msi(EndpointModel e) {
    return PciFunction.of(new Sbdf(0, 0, 1, 0), e.config(), "model").msi().thing().orElseThrow();
  }

  static Stream<EndpointSpec.Msi> shapes() {
    return Stream.of(1, 2, 4, 8, 16, 32)
        .flatMap(n ->
            Stream.of(false, true)
                .flatMap(
                    wide -> Stream.of(false, true).map(m -> new EndpointSpec.Msi(n, wide, m))));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void everyVectorSendsTheDatumWithItsNumberInTheLowBits(EndpointSpec.Msi shape) {
    EndpointModel e = device(shape);
    MsiCapability msi = msi(e);
    assertEquals(shape.vectors(), msi.size());
    assertEquals(shape.maskable(), msi.isMaskable());
    assertEquals(shape.address64(), msi.is64Bit());
    long address = shape.address64() ? 0x12_0000_1040L : 0xfee0_0000L;
    msi.write(0, address, 0x4000);
    for (int given = 1; given <= shape.vectors(); given *= 2) {
      msi.enable(given);
      assertEquals(given, msi.granted());
      h.arrived.clear();
      for (int v = 0; v < shape.vectors(); v++) {
        assertEquals(v < given ? Firing.SENT : Firing.OFF, e.fire(v));
      }
      assertEquals(given, h.arrived.size());
      for (int v = 0; v < given; v++) {
        assertEquals(new Arrived(8, address, 0x4000 | v), h.arrived.get(v));
        assertEquals(0x4000 | v, msi.data(v));
      }
    }
    msi.disable();
    assertEquals(Firing.OFF, e.fire(0));
  }

  @ParameterizedTest(name = "64-bit address: {0}")
  @ValueSource(booleans = {false, true})
  void aMaskedVectorPendsAndFiresOnUnmask(boolean wide) {
    EndpointModel e = device(new EndpointSpec.Msi(4, wide, true));
    MsiCapability msi = msi(e);
    msi.write(0, 0x1000, 0x20);
    msi.mask(2, true);
    msi.enable(4);
    assertEquals(Firing.PENDING, e.fire(2));
    assertTrue(msi.isPending(2));
    assertTrue(msi.isMasked(2));
    assertFalse(msi.isMasked(1));
    int mask = msi.offset() + (wide ? 0x10 : 0x0c);
    assertEquals(4, e.config().read32(mask), "7.7.1.7: where the mask bits lie");
    assertEquals(4, e.config().read32(mask + 4), "7.7.1.8: and the pending bits");
    msi.mask(2, false);
    assertEquals(List.of(new Arrived(8, 0x1000, 0x22)), h.arrived);
    assertFalse(msi.isPending(2));
  }

  @Test
  void whatTheCapabilityCannotHoldIsRefusedBeforeAnythingIsWritten() {
    MsiCapability msi = msi(device(new EndpointSpec.Msi(2, false, false)));
    msi.write(0, 0x1000, 6);
    assertThrows(MessageRefused.class, () -> msi.write(0, 0x1_0000_0000L, 6));
    assertThrows(MessageRefused.class, () -> msi.write(0, 0x1000, 0x1_0000));
    assertThrows(MessageRefused.class, () -> msi.mask(0, true));
    assertThrows(MessageRefused.class, () -> msi.enable(4));
    assertThrows(MessageRefused.class, () -> msi.write(1, 0x1000, 9));
    msi.write(1, 0x1000, 7);
    assertEquals(0x1000, msi.address(1));
    assertEquals(6, msi.data(0));
  }

  @Test
  void theOthersMayFollowADatumThatIsAMultipleOfWhatIsGiven() {
    MsiCapability msi = msi(device(new EndpointSpec.Msi(4, true, false)));
    msi.write(0, 0x1000, 6);
    msi.enable(2);
    msi.write(1, 0x1000, 7);
    assertEquals(7, msi.data(1));
    assertThrows(MessageRefused.class, () -> msi.write(1, 0x1000, 8));
  }

  @ParameterizedTest(name = "64-bit address: {0}")
  @ValueSource(booleans = {false, true})
  void onlyVectorsThatExistCanBeMasked(boolean wide) {
    EndpointModel e = device(new EndpointSpec.Msi(4, wide, true));
    int mask = msi(e).offset() + (wide ? 0x10 : 0x0c);
    e.config().write(mask, -1, 4);
    assertEquals(0xf, e.config().read32(mask));
    e.config().write(mask + 4, -1, 4);
    assertEquals(0, e.config().read32(mask + 4));
  }
}
