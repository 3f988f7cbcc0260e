package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Pa;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.host.NotAssignable;
import dev.doorbell.hw.smmuv3.EventLayout;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.Ringers;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiDomain;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.irq.MsiRoute;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "a root bus past the SMMU (pxb-pcie, bypass_iommu): a device without an IOMMU beside one that has it")
class SpecialRootsTest {
  private static final int PAST = 64;

  private static Lab lab;

  @BeforeAll
  static void open() {
    lab =
        Lab.open(
            Board.GICV3,
            Devices.of(
                    "edu,bus=pcie.0,addr=1",
                    "pxb-pcie,id=past,bus_nr=" + PAST + ",bus=pcie.0,addr=2,bypass_iommu=on",
                    "pcie-root-port,id=port0,chassis=1,bus=past",
                    "edu,bus=port0")
                .withRoots(PAST));
  }

  @AfterAll
  static void close() {
    if (lab != null) {
      lab.close();
    }
  }

  @Test
  @DisplayName(
      "the IORT tells who is past the SMMU; such a function is refused, and rings the physical doorbell")
  void pastTheSmmu() {
    MachineDescription told = withStreamsOf(lab.machine.acpiDescription());
    Sbdf past = lab.edu(1);
    assertTrue(past.bus() > PAST);
    Host host = lab.fresh(m -> new Around(m, told));
    assertThrows(NotAssignable.class, () -> host.function(past));

    MsiControllerDescription its = told.msiControllers().getFirst();
    MsiController driver = host.msiController(its.id()).orElseThrow();
    DoorbellFrame frame =
        new DoorbellFrame(
            its.id(),
            new Pa(its.doorbell().orElseThrow()),
            its.frame().orElseThrow(),
            its.source());
    MsiRoute route =
        new MsiRoute(
            List.of(new MsiRoute.Target(driver, past.requesterId(), frame)), 1, its.source());
    PciFunction pci = PciFunction.of(past, lab.machine.config(past), past.toString());
    ConfigAccess.header(pci.config())
        .set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE, 1);
    MsiFunction vectors =
        MsiFunction.of(
            past.toString(),
            pci.msi().thing().orElseThrow(),
            MsiDomain.untranslated(route, new Ringers()));
    assertEquals(1, vectors.enable(1, 1));
    LiveVector v = vectors.vectors().getFirst();
    assertEquals(its.doorbell().orElseThrow(), v.message().address());
    assertEquals(List.of(v.intid()), fire(host, past, v));
    assertEquals(List.of(), Lab.events(lab.machine));

    // The same address from a function behind the SMMU is an IOVA that nothing maps.
    try (Assignment a = Lab.assign(host, Granule.K4, lab.edu(0))) {
      HostFunction behind = a.functions().getFirst();
      LiveVector w = a.vectors(behind).getFirst();
      assertTrue(a.fire(behind, w).delivered());
      Lab.messages(lab.machine, behind).write(0, v.message().address(), w.message().data());
      assertEquals(List.of(), a.fire(behind, w).arrivals());
      List<List<Long>> events = Lab.events(lab.machine);
      assertEquals(1, events.size());
      assertEquals(v.message().address(), EventLayout.INPUT_ADDR.get(events.getFirst().get(2)));
      assertEquals(List.of(v.intid()), fire(host, past, v));
    }
    vectors.release();
  }

  private static List<Integer> fire(Host host, Sbdf function, LiveVector v) {
    List<Integer> arrived = new ArrayList<>();
    Lab.dispatch(host, v).add(v.intid(), (intid, cpu) -> arrived.add(intid));
    var unused = lab.machine.fire(function, v.index());
    host.poll();
    Lab.dispatch(host, v).remove(v.intid());
    return arrived;
  }

  /// The device tree knows nothing of `bypass_iommu`; the IORT does.
  private static MachineDescription withStreamsOf(MachineDescription acpi) {
    MachineDescription d = lab.machine.description();
    HostBridge tree = d.hostBridges().getFirst();
    HostBridge mixed =
        new HostBridge(
            tree.id(),
            tree.segment(),
            tree.firstBus(),
            tree.lastBus(),
            tree.ecam(),
            acpi.hostBridges().getFirst().streams().stream()
                .map(s ->
                    new HostBridge.StreamMapping(
                        s.ridMask(),
                        s.firstRid(),
                        s.count(),
                        tree.streams().getFirst().iommu(),
                        s.firstStreamId(),
                        s.source()))
                .toList(),
            tree.msis(),
            tree.windows(),
            tree.dmaRanges(),
            tree.dmaBits(),
            tree.source());
    return new MachineDescription(
        d.arch(),
        d.firmware(),
        d.iommus(),
        d.msiControllers(),
        d.gic(),
        d.apic(),
        List.of(mixed),
        d.functions(),
        d.memory(),
        d.reserved(),
        d.recorded(),
        d.oddities(),
        d.unseen());
  }
}
