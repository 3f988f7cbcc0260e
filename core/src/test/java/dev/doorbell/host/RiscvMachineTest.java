package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.iommu.NotIsolated;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a RISC-V machine with a doorbell for each hart")
class RiscvMachineTest {
  private static final Sbdf FUNCTION = Sbdf.parse("0000:00:05.0");
  private static final long BASE = 0x800_0000L;

  private final MachineDescription description =
      new WhatIf(FUNCTION, 4, 0, true)
          .addTo(
              Firmware.read(Sysroot.open(Shared.require("captures/riscv64/qemu-virt-iommu-pci"))));
  private final EmbeddedMachine machine = EmbeddedMachine.of(description);
  private final Host host = Host.start(machine);
  private final HostFunction function = host.function(FUNCTION);
  private final MsiFunction vectors = function.vectors().orElseThrow();

  private Domain domain(int pages) {
    IommuGroup group = host.group(FUNCTION).orElseThrow();
    Domain domain = Domain.create("guest", DomainPolicy.TRUSTED_USER, iommu(), Granule.K4);
    domain.attach(group);
    domain.reserveMsiWindow(AddressRange.ofSize(BASE, pages * 0x1000L));
    function.turnOn();
    return domain;
  }

  private Iommu iommu() {
    return host.iommu("riscv-iommu@0000:00:01.0").orElseThrow();
  }

  private List<String> fired(int vector) {
    List<String> out = new ArrayList<>();
    LiveVector v = vectors.vectors().get(vector);
    var dispatch = host.interrupts().at(host.msiController(v.controller()).orElseThrow());
    dispatch.add(v.number(), (_, cpu) -> out.add("cpu " + cpu));
    machine.fire(FUNCTION, vector);
    host.poll();
    dispatch.remove(v.number());
    return out;
  }

  private List<Long> addresses() {
    return vectors.vectors().stream().map(v -> v.message().address()).toList();
  }

  @Test
  @DisplayName(
      "design 4: enable claims the files of its vectors' harts; too small a window is refused with both figures, nothing changed")
  void enable() {
    Domain domain = domain(2);
    MsiWindowExhausted e = assertThrows(MsiWindowExhausted.class, () -> vectors.enable(1, 4));
    assertEquals(0x4000, e.refusal().needed().orElseThrow().value());
    assertEquals(0x2000, e.refusal().available().orElseThrow().value());
    assertTrue(domain.translate(new Iova(BASE)).isEmpty());
    assertEquals(2, vectors.enable(1, 2));
    assertEquals(List.of(BASE, BASE + 0x1000), addresses());
    assertEquals(List.of("cpu 0"), fired(0));
    assertEquals(List.of("cpu 1"), fired(1));
    vectors.release();
    assertTrue(domain.translate(new Iova(BASE)).isEmpty());
  }

  @Test
  @DisplayName(
      "design 4: a retarget maps the new doorbell first and gives the old one back; in a full window it fails typed, the old target intact")
  void retarget() {
    domain(3);
    vectors.enable(2, 2);
    vectors.retarget(0, 7);
    assertEquals(List.of(BASE + 0x2000, BASE + 0x1000), addresses());
    assertEquals(List.of("cpu 7"), fired(0));
    vectors.retarget(1, 3);
    assertEquals(BASE, addresses().getLast(), "the place that was given back");
    assertEquals(List.of("cpu 3"), fired(1));
    vectors.retarget(0, 3);
    assertEquals(List.of(BASE, BASE), addresses(), "a doorbell that is there is shared");
    vectors.release();
    vectors.enable(3, 3);
    List<Long> before = addresses();
    MsiWindowExhausted e = assertThrows(MsiWindowExhausted.class, () -> vectors.retarget(2, 5));
    assertEquals(0x1000, e.refusal().needed().orElseThrow().value());
    assertTrue(e.getMessage().contains("CPU 5"), e.getMessage());
    assertEquals(before, addresses());
    assertEquals(List.of("cpu 2"), fired(2));
    assertEquals(List.of("cpu 0"), fired(0));
  }

  @Test
  @DisplayName("vectors that come one by one go to their harts")
  void dynamic() {
    domain(8);
    vectors.enable(1, 1);
    vectors.addVector(3, 6, false, dev.doorbell.irq.VectorListener.NONE);
    assertEquals(6, vectors.vectors().getLast().cpu());
    assertEquals(0x2900_8000L, vectors.vectors().getLast().doorbell().value());
    machine.fire(FUNCTION, 3);
    assertEquals(1, host.poll());
    vectors.removeVector(3);
    vectors.retarget(0, 5);
    assertEquals(List.of("cpu 5"), fired(0));
  }

  @Test
  @DisplayName("remapped is not isolated: a domain that does not allow it is refused")
  void notIsolated() {
    IommuGroup group = host.group(FUNCTION).orElseThrow();
    Domain domain = Domain.create("guest", DomainPolicy.USER, iommu(), Granule.K4);
    assertThrows(NotIsolated.class, () -> domain.attach(group));
  }
}
