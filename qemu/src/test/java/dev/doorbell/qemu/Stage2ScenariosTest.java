package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.hw.smmuv3.EventLayout;
import dev.doorbell.irq.LiveVector;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("our drivers on an SMMUv3 of QEMU 10 that has stage 2 only")
class Stage2ScenariosTest {
  private static final long ELSEWHERE = 0x3_0000_0000L;

  private static Lab lab;

  @BeforeAll
  static void open() {
    lab =
        Lab.open(
            Qemus.tenOrSkip(),
            Board.GICV3_STAGE2,
            Devices.of(
                "edu,addr=1",
                "pcie-root-port,id=port0,chassis=1,addr=2",
                "nvme,serial=a,bus=port0,max_ioqpairs=4,msix_qsize=5",
                "pcie-root-port,id=port1,chassis=2,addr=3",
                "igb,romfile=,bus=port1"));
  }

  @AfterAll
  static void close() {
    if (lab != null) {
      lab.close();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 14, 16})
  @DisplayName("every vector arrives and DMA does, granules of 4, 16 and 64 KiB")
  void everyVector(int granule) {
    Host host = lab.fresh();
    try (Assignment a =
        Lab.assign(
            host,
            new Granule(granule),
            lab.edu(0),
            lab.nvme(0),
            lab.find(IgbLayout.VENDOR, IgbLayout.DEVICE, 0))) {
      HostFunction disk = a.functions().get(1);
      NvmeStimulus nvme = lab.startNvme(a, disk, 0x1_0000_0000L);
      assertTrue(Lab.isIdentified(nvme.identify()));
      assertEquals(1 + 5 + 10, a.functions().stream().mapToInt(f -> a.vectors(f).size()).sum());
      for (HostFunction f : a.functions()) {
        ItsScenariosTest.everyVectorArrives(a, f);
      }
      assertEquals(List.of(), Lab.events(lab.machine));
    }
  }

  @Test
  @DisplayName(
      "IHI 0070 7.3.13: a doorbell that stage 2 does not map leaves F_TRANSLATION with S2, CLASS IN and the IPA")
  void unmappedDoorbell() {
    Host host = lab.fresh();
    try (Assignment a = Lab.assign(host, Granule.K4, lab.edu(0))) {
      HostFunction f = a.functions().getFirst();
      LiveVector v = a.vectors(f).getFirst();
      Lab.messages(lab.machine, f).write(0, ELSEWHERE | 0x40, v.message().data());
      assertEquals(List.of(), a.fire(f, v).arrivals());
      List<List<Long>> events = Lab.events(lab.machine);
      assertEquals(1, events.size());
      List<Long> e = events.getFirst();
      assertEquals(0x10, EventLayout.EVENT_ID.get(e.get(0)));
      assertEquals(f.sbdf().requesterId(), EventLayout.STREAM_ID.get(e.get(0)));
      assertTrue(EventLayout.S2.isSet(e.get(1)));
      assertEquals(EventLayout.CLASS_IN, EventLayout.CLASS.get(e.get(1)));
      assertEquals(0, EventLayout.RNW.get(e.get(1)));
      assertEquals(ELSEWHERE | 0x40, EventLayout.INPUT_ADDR.get(e.get(2)));
      assertEquals(ELSEWHERE, EventLayout.IPA.get(e.get(3)));
    }
  }
}
