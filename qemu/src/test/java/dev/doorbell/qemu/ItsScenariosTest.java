package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.pci.MessageTable;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName(
    "our drivers on QEMU's SMMUv3 (stage 1), GICv3 and ITS: every vector arrives as what it stands for")
class ItsScenariosTest {
  static final Devices DEVICES =
      Devices.of(
              "edu,bus=pcie.0,addr=1",
              "pcie-root-port,id=port0,chassis=1,bus=pcie.0,addr=2",
              "e1000e,romfile=,bus=port0",
              "pcie-root-port,id=port1,chassis=2,bus=pcie.0,addr=3",
              "x3130-upstream,id=upstream,bus=port1",
              "xio3130-downstream,id=down0,bus=upstream,chassis=3,addr=0",
              "xio3130-downstream,id=down1,bus=upstream,chassis=4,addr=1",
              "nvme,serial=a,bus=down0,max_ioqpairs=8,msix_qsize=9",
              "edu,bus=down1",
              "pcie-root-port,id=port2,chassis=5,bus=pcie.0,addr=4",
              "pcie-pci-bridge,id=conventional,bus=port2",
              "edu,bus=conventional,addr=1",
              "pxb-pcie,id=far,bus_nr=128,bus=pcie.0,addr=5",
              "pcie-root-port,id=port3,chassis=6,bus=far",
              "nvme,serial=b,bus=port3,max_ioqpairs=4,msix_qsize=5")
          .withRoots(128);

  private static Lab lab;

  @BeforeAll
  static void open() {
    lab = Lab.open(Board.GICV3, DEVICES);
  }

  @AfterAll
  static void close() {
    if (lab != null) {
      lab.close();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 14, 16})
  @DisplayName("every device, one domain, granules of 4, 16 and 64 KiB")
  void everyDevice(int granule) {
    Host host = lab.fresh();
    try (Assignment a =
        Lab.assign(
            host,
            new Granule(granule),
            lab.edu(0),
            lab.edu(1),
            lab.edu(2),
            lab.e1000e(0),
            lab.nvme(0),
            lab.nvme(1))) {
      long iova = 0x1_0000_0000L;
      for (HostFunction f : a.functions()) {
        if (f.sbdf().equals(lab.nvme(0)) || f.sbdf().equals(lab.nvme(1))) {
          NvmeStimulus nvme = lab.startNvme(a, f, iova);
          assertTrue(Lab.isIdentified(nvme.identify()));
          iova += 0x100_0000;
        }
      }
      assertEquals(22, a.functions().stream().mapToInt(f -> a.vectors(f).size()).sum());
      for (HostFunction f : a.functions()) {
        everyVectorArrives(a, f);
      }
      assertEquals(List.of(), Lab.events(lab.machine));
    }
    assertEquals(0, host.poll());
  }

  @Test
  @DisplayName("devices in domains of their own: one that leaves is silent, the others go on")
  void severalDomains() {
    Host host = lab.fresh();
    try (Assignment second = Lab.assign(host, Granule.K4, lab.edu(1));
        Assignment third = Lab.assign(host, Granule.K64, lab.edu(2))) {
      Assignment first = Lab.assign(host, Granule.K4, lab.edu(0));
      HostFunction gone = first.functions().getFirst();
      try (first) {
        for (Assignment a : List.of(first, second, third)) {
          everyVectorArrives(a, a.functions().getFirst());
        }
      }
      // Back from its domain it may neither interrupt nor reach memory.
      var unused = lab.machine.fire(gone.sbdf(), 0);
      assertEquals(0, host.poll());
      for (Assignment a : List.of(second, third)) {
        everyVectorArrives(a, a.functions().getFirst());
      }
    }
  }

  @Test
  @DisplayName(
      "IHI 0070 3.17: domains that give one IOVA to different memory have ASIDs of their own: each device reads and writes its domain's")
  void oneAddressTwice() {
    Host host = lab.fresh();
    try (Assignment first = Lab.assign(host, Granule.K4, lab.nvme(0));
        Assignment second = Lab.assign(host, Granule.K4, lab.nvme(1))) {
      for (Assignment a : List.of(first, second)) {
        NvmeStimulus nvme = lab.startNvme(a, a.functions().getFirst(), 0x1_0000_0000L);
        assertTrue(Lab.isIdentified(nvme.identify()));
      }
      for (Assignment a : List.of(first, second)) {
        everyVectorArrives(a, a.functions().getFirst());
      }
      assertEquals(List.of(), Lab.events(lab.machine));
    }
  }

  @Test
  @DisplayName(
      "PCI Express to PCI Bridge 1.0, 2.3: behind the bridge a function is its secondary bus's device 0")
  void alias() {
    Host host = lab.fresh();
    HostFunction behind = host.function(lab.edu(2));
    int alias = behind.sbdf().bus() << 8;
    assertEquals(8, behind.sbdf().requesterId() - alias);
    assertEquals(alias, behind.surveyed().msi().orElseThrow().deviceId());
    assertEquals(alias, behind.surveyed().stream().orElseThrow().streamId());
  }

  @Test
  @DisplayName("IHI 0070 3.3.1: streams far apart lie in a stream table of two levels")
  void twoLevels() {
    Host host = lab.fresh();
    try (Assignment a = Lab.assign(host, Granule.K4, lab.edu(0), lab.nvme(1))) {
      long format =
          SmmuRegisters.STRTAB_BASE_CFG_FMT.get(
              Lab.smmu(lab.machine).read32(SmmuRegisters.STRTAB_BASE_CFG.offset()));
      assertEquals(SmmuRegisters.FMT_2LVL, format);
      HostFunction near = a.functions().getFirst();
      HostFunction far = a.functions().getLast();
      assertTrue(far.sbdf().bus() > 128, far::toString);
      var unused = lab.startNvme(a, far, 0x1_0000_0000L);
      everyVectorArrives(a, near);
      everyVectorArrives(a, far);
    }
  }

  @Test
  @DisplayName(
      "PCI Express Base 6.0 6.1.4: a masked vector waits in the PBA and comes when it is unmasked")
  void maskAndPending() {
    Host host = lab.fresh();
    try (Assignment a = Lab.assign(host, Granule.K4, lab.nvme(0))) {
      HostFunction f = a.functions().getFirst();
      var unused = lab.startNvme(a, f, 0x1_0000_0000L);
      MsiFunction vectors = f.vectors().orElseThrow();
      MessageTable table = Lab.messages(lab.machine, f);
      LiveVector third = a.vectors(f).get(3);
      vectors.mask(3, true);
      assertEquals(List.of(), a.fire(f, third).arrivals());
      assertTrue(table.isPending(3));
      assertFalse(table.isPending(2));
      assertTrue(a.fire(f, a.vectors(f).get(2)).delivered());

      List<Integer> arrived = new ArrayList<>();
      Lab.dispatch(host, third).add(third.intid(), (intid, cpu) -> arrived.add(intid));
      vectors.mask(3, false);
      assertEquals(1, host.poll());
      Lab.dispatch(host, third).remove(third.intid());
      assertEquals(List.of(third.intid()), arrived);
      assertFalse(table.isPending(3));
      assertTrue(a.fire(f, third).delivered());
    }
  }

  @Test
  @DisplayName(
      "with its clock running: edu moves data both ways through its domain, e1000e comes again")
  void runningClock() {
    Host host = lab.fresh();
    try (Assignment a = Lab.assign(host, Granule.K4, lab.edu(1), lab.e1000e(0))) {
      lab.machine.runClock();
      HostFunction edu = a.functions().getFirst();
      DmaArea area = lab.give(a.domain(), 0x0f00_0000L, 0x2000);
      for (int i = 0; i < 0x100; i += 8) {
        area.write(i, 0x0123_4567_89ab_cdefL * i, 8);
      }
      lab.machine.edu(edu.sbdf()).fetch(area.iova(), 0, 0x100);
      lab.machine.edu(edu.sbdf()).store(0, new Iova(area.iova().value() + 0x1000), 0x100);
      for (int i = 0; i < 0x100; i += 8) {
        assertEquals(area.read(i, 8), area.read(0x1000 + i, 8));
      }
      HostFunction network = a.functions().getLast();
      for (int round = 0; round < 3; round++) {
        for (LiveVector v : a.vectors(network)) {
          List<Integer> arrived = new ArrayList<>();
          Lab.dispatch(host, v).add(v.intid(), (intid, cpu) -> arrived.add(intid));
          var unused = lab.machine.fire(network.sbdf(), v.index());
          for (int polls = 0; polls < 100_000 && arrived.isEmpty(); polls++) {
            // A command to QEMU, which serves its timers between commands.
            var status = lab.machine.config(network.sbdf()).read32(0);
            host.poll();
          }
          Lab.dispatch(host, v).remove(v.intid());
          assertEquals(List.of(v.intid()), arrived);
        }
      }
    } finally {
      lab.machine.stopClock();
    }
  }

  static void everyVectorArrives(Assignment a, HostFunction f) {
    for (LiveVector v : a.vectors(f)) {
      Assignment.Fired fired = a.fire(f, v);
      assertTrue(fired.delivered(), fired::toString);
    }
  }
}
