package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.explain.Refused;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName(
    "our drivers on QEMU's SMMUv3, GICv2 and v2m frame: SPIs are acknowledged at the CPU interface")
class V2mScenariosTest {
  /// SPIs of the frame: 80 to 143.
  private static final int FIRST = 80;

  private static final int LAST = 143;

  private static Lab lab;

  @BeforeAll
  static void open() {
    lab =
        Lab.open(
            Board.GICV2M,
            Devices.of(
                "edu,addr=1",
                "pcie-root-port,id=port0,chassis=1,addr=2",
                "nvme,serial=a,bus=port0,max_ioqpairs=8,msix_qsize=9",
                "pcie-root-port,id=port1,chassis=2,addr=3",
                "e1000e,romfile=,bus=port1"));
  }

  @AfterAll
  static void close() {
    if (lab != null) {
      lab.close();
    }
  }

  private static Assignment assign(Host host, Granule granule, Sbdf... functions) {
    return Assignment.of(
        host,
        List.of(functions),
        new Assignment.Request(granule, Optional.of(Lab.WINDOW), 1, 32, true));
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 14, 16})
  @DisplayName("every vector of several devices arrives, granules of 4, 16 and 64 KiB")
  void everyVector(int granule) {
    Host host = lab.fresh();
    try (Assignment a =
        assign(host, new Granule(granule), lab.edu(0), lab.nvme(0), lab.e1000e(0))) {
      var unused = lab.startNvme(a, a.functions().get(1), 0x1_0000_0000L);
      assertEquals(1 + 9 + 5, a.functions().stream().mapToInt(f -> a.vectors(f).size()).sum());
      for (HostFunction f : a.functions()) {
        ItsScenariosTest.everyVectorArrives(a, f);
        for (LiveVector v : a.vectors(f)) {
          assertTrue(v.intid() >= FIRST && v.intid() <= LAST, v::toString);
        }
      }
      assertEquals(List.of(), Lab.events(lab.machine));
    }
  }

  @Test
  @DisplayName(
      "the frame tells nobody apart: without leave for unsafe interrupts the function is refused")
  void notIsolated() {
    Host host = lab.fresh();
    RuntimeException refused =
        assertThrows(RuntimeException.class, () -> Lab.assign(host, Granule.K4, lab.edu(0)));
    assertEquals(
        "NotIsolated", refused instanceof Refused r ? r.refusal().type() : refused.toString());
  }

  @Test
  @DisplayName("a message with an SPI that nobody holds, or outside the frame, reaches nobody")
  void foreignSpi() {
    Host host = lab.fresh();
    try (Assignment a = assign(host, Granule.K4, lab.edu(0))) {
      HostFunction f = a.functions().getFirst();
      LiveVector v = a.vectors(f).getFirst();
      for (int spi : new int[] {LAST, LAST + 1, FIRST - 1, 33, 0xffff}) {
        Lab.messages(lab.machine, f).write(0, v.message().address(), spi);
        assertEquals(List.of(), a.fire(f, v).arrivals(), "SPI " + spi);
      }
      assertEquals(List.of(), Lab.events(lab.machine));
      Lab.messages(lab.machine, f).write(0, v.message().address(), v.message().data());
      assertTrue(a.fire(f, v).delivered());
    }
  }
}
