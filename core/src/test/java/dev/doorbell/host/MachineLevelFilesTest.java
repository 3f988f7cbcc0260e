package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.hw.imsic.ImsicRegisters;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.MachineState;
import dev.doorbell.route.ProgrammedVector;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.route.VectorState;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("interrupt files of machine level: firmware's own, there and never given out")
class MachineLevelFilesTest {
  private static final Sbdf FUNCTION = Sbdf.parse("0000:00:05.0");
  private static final long BASE = 0x800_0000L;
  private static final long ELSEWHERE = 0x900_0000L;
  private static final int IDENTITY = 37;

  private final MachineDescription description =
      new WhatIf(FUNCTION, 8, 0, true)
          .addTo(
              Firmware.read(Sysroot.open(Shared.require("captures/riscv64/qemu-virt-iommu-pci"))));
  private final EmbeddedMachine machine = EmbeddedMachine.of(description);
  private final Host host = Host.start(machine);
  private final HostFunction function = host.function(FUNCTION);
  private final MsiFunction vectors = function.vectors().orElseThrow();
  private final Imsic imsic = description.firmwareImsic().orElseThrow();
  private final InterruptFiles files = machine.firmwareFiles().orElseThrow();

  private Domain domain() {
    Domain domain =
        Domain.create(
            "guest",
            DomainPolicy.TRUSTED_USER,
            host.iommu("riscv-iommu@0000:00:01.0").orElseThrow(),
            Granule.K4);
    domain.attach(host.group(FUNCTION).orElseThrow());
    domain.reserveMsiWindow(AddressRange.ofSize(BASE, 8 * 0x1000L));
    function.turnOn();
    return domain;
  }

  private List<Long> pending(int cpu) {
    return List.of(
        files.read(cpu, ImsicRegisters.EIP0),
        machine.interruptFiles().orElseThrow().read(cpu, 0x80));
  }

  /// What a function is programmed with that Doorbell did not program.
  private record Programmed(MachineState live, long address) implements MachineState {
    @Override
    public List<Block> blocks(String kind) {
      return live.blocks(kind);
    }

    @Override
    public MemoryView memory() {
      return live.memory();
    }

    @Override
    public VectorState vector(Sbdf f, int vector) {
      return new ProgrammedVector(address, IDENTITY, false, "MSI-X", Source.rule("test"));
    }

    @Override
    public String itsFormat() {
      return live.itsFormat();
    }

    @Override
    public Basis basis() {
      return live.basis();
    }
  }

  private Route trace(long address) {
    MachineState state = new Programmed(new LiveState(host, List.of(function)), address);
    return new RouteWalker(Survey.of(description), state).walk(FUNCTION, 0);
  }

  @Test
  @DisplayName("no vector's doorbell is among them, and nothing of theirs is written")
  void neverGivenOut() {
    var unused = domain();
    assertEquals(8, vectors.enable(8, 8));
    vectors.vectors().forEach(v -> assertFalse(imsic.answersAt(v.doorbell().value()), v::toString));
    vectors.vectors().forEach(v -> machine.fire(FUNCTION, v.index()));
    for (int cpu = 0; cpu < files.cpus(); cpu++) {
      assertEquals(0, files.read(cpu, ImsicRegisters.EIDELIVERY));
      assertEquals(0, files.read(cpu, ImsicRegisters.EIP0));
    }
    assertEquals(8, host.poll());
  }

  @Test
  @DisplayName("a message that goes there becomes pending at machine level and is nobody's vector")
  void arrives() {
    Domain domain = domain();
    vectors.enable(1, 1);
    long page = imsic.files().get(3).page().start();
    domain.map(new Iova(ELSEWHERE), new Pa(page), 0x1000, Protection.READ_WRITE);
    assertEquals(
        BusOutcome.OK,
        machine.endpoint(FUNCTION).orElseThrow().dmaWrite(ELSEWHERE, IDENTITY, Integer.BYTES));
    assertEquals(List.of(1L << IDENTITY, 0L), pending(3));
    assertEquals(List.of(0L, 0L), pending(2));
    assertEquals(0, host.poll());
    files.write(3, ImsicRegisters.EIE0, 1L << IDENTITY);
    assertEquals(IDENTITY, files.claim(3), "firmware takes it");
  }

  @Test
  @DisplayName("trace: the message is told to be firmware's, and not to be delivered")
  void traced() {
    Domain domain = domain();
    vectors.enable(1, 1);
    long page = imsic.files().get(3).page().start();
    domain.map(new Iova(ELSEWHERE), new Pa(page), 0x1000, Protection.READ_WRITE);
    Route route = trace(ELSEWHERE);
    assertFalse(route.delivered());
    assertEquals(page, route.doorbell().orElseThrow());
    assertTrue(route.stoppedAt().orElse("").contains("firmware's own"), route::toString);
    List<Hop> hops = route.hops();
    assertEquals("identity 37 pending at CPU 3", hops.getLast().in());
    assertTrue(trace(vectors.vectors().getFirst().message().address()).stoppedAt().isEmpty());
  }
}
