package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.pci.AcsCapability;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.ExtendedLayout;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCI Express Base 6.0 9: an nvme's VFs on QEMU, each in a domain of its own")
class SriovScenariosTest {
  /// Virtualization Management: actions and resources (NVM Express Base Specification 2.0c, 5.28).
  private static final int ONLINE = 9;

  private static final int ASSIGN = 8;
  private static final int QUEUES = 0;
  private static final int INTERRUPTS = 1;

  private static Lab lab;

  @BeforeAll
  static void open() {
    lab =
        Lab.open(
            Board.GICV3,
            Devices.of(
                "nvme-subsys,id=ss",
                "pcie-root-port,id=port0,chassis=1,addr=1",
                "nvme,serial=a,subsys=ss,bus=port0,sriov_max_vfs=2,sriov_vq_flexible=4,"
                    + "sriov_vi_flexible=4,max_ioqpairs=6,msix_qsize=7"));
  }

  @AfterAll
  static void close() {
    if (lab != null) {
      lab.close();
    }
  }

  @Test
  @DisplayName("PF and two VFs: own requester ids, streams, DeviceIDs, vectors and DMA")
  void ownDomains() {
    lab.machine.reset();
    Sbdf pf = lab.nvme(0);
    isolate(Sbdf.parse("00:01.0"));
    List<Sbdf> vfs = lab.machine.enableVfs(pf, 2);
    assertEquals(
        List.of(pf.requesterId() + 1, pf.requesterId() + 2),
        vfs.stream().map(Sbdf::requesterId).toList());
    Host host = Host.start(lab.machine);
    try (Assignment a = Lab.assign(host, Granule.K4, pf)) {
      NvmeStimulus primary = lab.startNvme(a, a.functions().getFirst(), 0x1_0000_0000L);
      for (int controller = 1; controller <= 2; controller++) {
        primary.virtualize(ASSIGN, QUEUES, controller, 2);
        primary.virtualize(ASSIGN, INTERRUPTS, controller, 2);
        primary.virtualize(ONLINE, QUEUES, controller, 0);
      }
      try (Assignment first = Lab.assign(host, Granule.K4, vfs.get(0));
          Assignment second = Lab.assign(host, Granule.K64, vfs.get(1))) {
        for (Assignment of : List.of(first, second)) {
          HostFunction vf = of.functions().getFirst();
          assertEquals(vf.sbdf().requesterId(), vf.surveyed().stream().orElseThrow().streamId());
          assertEquals(2, of.vectors(vf).size());
          // The same IOVA in each domain, and other memory behind it.
          NvmeStimulus nvme = lab.startNvme(of, vf, 0x1_0000_0000L);
          assertTrue(Lab.isIdentified(nvme.identify()));
          ItsScenariosTest.everyVectorArrives(of, vf);
        }
        ItsScenariosTest.everyVectorArrives(a, a.functions().getFirst());
        assertEquals(List.of(), Lab.events(lab.machine));
      }
    }
  }

  /// What an operating system does before it forms groups: the port redirects what its functions send to each other.
  private static void isolate(Sbdf port) {
    ConfigSpace config = lab.machine.config(port);
    AcsCapability acs = PciFunction.of(port, config, port.toString()).acs().thing().orElseThrow();
    ConfigAccess registers = new ConfigAccess(config, acs.offset());
    registers.set(ExtendedLayout.ACS_CONTROL, ExtendedLayout.SOURCE_VALIDATION, 1);
    registers.set(ExtendedLayout.ACS_CONTROL, ExtendedLayout.REQUEST_REDIRECT, 1);
    registers.set(ExtendedLayout.ACS_CONTROL, ExtendedLayout.COMPLETION_REDIRECT, 1);
    registers.set(ExtendedLayout.ACS_CONTROL, ExtendedLayout.UPSTREAM_FORWARDING, 1);
  }
}
