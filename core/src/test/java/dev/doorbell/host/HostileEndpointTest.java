package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.irq.InterruptDispatch;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.ProjectRoot;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a function that misbehaves behind an SMMUv3 and an ITS, and another one beside it")
class HostileEndpointTest {
  private static final Sbdf HOSTILE = Sbdf.parse("01:10.0");
  private static final Sbdf QUIET = Sbdf.parse("01:10.2");
  private static final Sbdf FAR = Sbdf.parse("04:00.0");
  private static final long WINDOW = 0x800_0000L;
  private static final int FLOOD = 20_000;

  private EmbeddedMachine machine;
  private Host host;
  private LiveVector hostile;
  private LiveVector quiet;
  private final AtomicInteger ofHostile = new AtomicInteger();
  private final AtomicInteger ofQuiet = new AtomicInteger();

  @BeforeEach
  void start() {
    machine =
        EmbeddedMachine.of(
            Firmware.read(
                Sysroot.open(ProjectRoot.path().resolve("samples/arm64-its-acpi-switch-sriov"))));
    host = Host.start(machine);
    hostile = enable(HOSTILE);
    quiet = enable(QUIET);
    count(hostile, ofHostile);
    count(quiet, ofQuiet);
  }

  private LiveVector enable(Sbdf sbdf) {
    IommuGroup group = host.group(sbdf).orElseThrow();
    Domain domain =
        Domain.create(
            "guest of " + sbdf,
            DomainPolicy.USER,
            group.members().getFirst().streams().getFirst().iommu(),
            Granule.K4);
    domain.reserveMsiWindow(AddressRange.ofSize(WINDOW, 0x10_0000));
    domain.attach(group);
    HostFunction function = host.function(sbdf);
    function.turnOn();
    MsiFunction vectors = function.vectors().orElseThrow();
    vectors.enable(1, 1);
    return vectors.vectors().getFirst();
  }

  private void count(LiveVector vector, AtomicInteger counter) {
    InterruptDispatch dispatch =
        host.interrupts().at(host.msiController(vector.controller()).orElseThrow());
    dispatch.add(vector.intid(), (intid, cpu) -> counter.incrementAndGet());
  }

  private EndpointModel endpoint(Sbdf sbdf) {
    return machine.endpoint(sbdf).orElseThrow();
  }

  private void quietIsHeard() {
    int before = ofQuiet.get();
    assertEquals(
        BusOutcome.OK,
        endpoint(QUIET)
            .dmaWrite(
                quiet.message().address(), Integer.toUnsignedLong(quiet.message().data()), 4));
    host.poll();
    assertEquals(before + 1, ofQuiet.get());
  }

  @Test
  @DisplayName(
      "a flood of messages between two looks is one interrupt of its own, and the other's arrives among it")
  void floodOfMessages() {
    for (int round = 1; round <= 3; round++) {
      for (int i = 0; i < FLOOD; i++) {
        assertEquals(
            BusOutcome.OK,
            endpoint(HOSTILE)
                .dmaWrite(
                    hostile.message().address(),
                    Integer.toUnsignedLong(hostile.message().data()),
                    4));
      }
      quietIsHeard();
      assertEquals(round, ofHostile.get());
    }
    host.function(HOSTILE).vectors().orElseThrow().release();
    assertEquals(
        BusOutcome.ERROR,
        endpoint(HOSTILE).dmaWrite(hostile.message().address(), 0, 4),
        "its doorbell is unmapped");
    quietIsHeard();
    assertEquals(3, ofHostile.get());
  }

  @Test
  @DisplayName("events that the ITS does not know reach nobody, however many")
  void foreignData() {
    for (int data = 0; data < FLOOD; data++) {
      if (data != hostile.message().data()) {
        BusOutcome any = endpoint(HOSTILE).dmaWrite(hostile.message().address(), data, 4);
        assertEquals(BusOutcome.OK, any, "the ITS takes it and drops it");
      }
    }
    host.poll();
    assertEquals(0, ofHostile.get());
    assertEquals(0, ofQuiet.get());
    quietIsHeard();
  }

  @Test
  @DisplayName(
      "a forged requester id of another bus ends at the port (ACS Source Validation); one of its own bus passes for the other, as on hardware, where nothing tells")
  void forgedRequester() {
    LiveVector far = enable(FAR);
    AtomicInteger ofFar = new AtomicInteger();
    count(far, ofFar);
    assertEquals(BusOutcome.ERROR, forged(FAR, far));
    host.poll();
    assertEquals(0, ofFar.get());
    assertEquals(BusOutcome.OK, forged(QUIET, quiet));
    host.poll();
    assertEquals(1, ofQuiet.get());
    assertEquals(0, ofHostile.get());
    assertEquals(
        BusOutcome.ERROR,
        endpoint(HOSTILE).forgedWrite(0x01ff, quiet.message().address(), 0, 4),
        "of its own bus, where nobody has that id");
    quietIsHeard();
  }

  private BusOutcome forged(Sbdf as, LiveVector vector) {
    return endpoint(HOSTILE)
        .forgedWrite(
            as.requesterId(),
            vector.message().address(),
            Integer.toUnsignedLong(vector.message().data()),
            4);
  }

  @Test
  @DisplayName(
      "DMA outside its window reaches nothing, neither page by page nor under the physical address of the doorbell")
  void outsideItsWindow() {
    long page = hostile.message().address() & -Granule.K4.bytes();
    assertTrue(page >= WINDOW);
    for (long i = 0; i < 2_000; i++) {
      long at = WINDOW - 0x10_0000 + i * Granule.K4.bytes();
      if (at != page) {
        assertEquals(BusOutcome.ERROR, endpoint(HOSTILE).dmaWrite(at + 0x40, 0, 4));
      }
    }
    host.doorbells()
        .forEach(d ->
            assertEquals(
                BusOutcome.ERROR,
                endpoint(HOSTILE).dmaWrite(d.doorbell().value(), hostile.message().data(), 4)));
    host.poll();
    assertEquals(0, ofHostile.get());
    assertEquals(0, ofQuiet.get());
    quietIsHeard();
  }
}
