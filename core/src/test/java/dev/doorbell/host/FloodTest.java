package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.hw.pcie.Flood;
import dev.doorbell.hw.smmuv3.SmmuDriver;
import dev.doorbell.hw.smmuv3.SmmuEvents;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "a function that floods (its doorbell, others' vectors, addresses it was not given, under others' ids): others' messages arrive, and nothing grows")
class FloodTest {
  private static final Sbdf QUIET = Sbdf.parse("04:00.0");
  private static final Sbdf LOUD = Sbdf.parse("01:00.0");
  private static final AddressRange WINDOW = new AddressRange(0x800_0000L, 0x80f_ffffL);
  private static final long TIMES = 20_000;
  private static final long DOORBELL = 0x800_0040L;

  private final EmbeddedMachine machine =
      EmbeddedMachine.of(
          Firmware.read(Sysroot.open(Path.of("..", "samples", "arm64-its-acpi-switch-sriov"))));
  private final Host host = Host.start(machine);
  private final EndpointModel loud = machine.endpoint(LOUD).orElseThrow();

  private Assignment assign(Sbdf function) {
    return Assignment.of(
        host,
        List.of(function),
        new Assignment.Request(Granule.K4, Optional.of(WINDOW), 1, 4, false));
  }

  private static void arrives(Assignment a) {
    HostFunction f = a.functions().getFirst();
    for (LiveVector v : a.vectors(f)) {
      Assignment.Fired fired = a.fire(f, v);
      assertTrue(fired.delivered(), fired::toString);
    }
  }

  private static Set<Integer> intids(Assignment a) {
    Set<Integer> out = new HashSet<>();
    a.vectors(a.functions().getFirst()).forEach(v -> out.add(v.intid()));
    return out;
  }

  @Test
  @DisplayName("each kind of flood, one after another, and after each the quiet function's vectors")
  void floods() {
    try (Assignment quiet = assign(QUIET);
        Assignment noisy = assign(LOUD)) {
      long memory = machine.frames().bytesInUse();
      SmmuDriver smmu =
          (SmmuDriver)
              host.iommu(host.survey().function(QUIET).orElseThrow().stream().orElseThrow().iommu())
                  .orElseThrow();
      assertEquals(List.of(), smmu.drainEvents().events());
      int own = loud.requesterId();
      int others = machine.endpoint(QUIET).orElseThrow().requesterId();

      assertEquals(TIMES, new Flood(own, DOORBELL, 0).by(loud, TIMES), "its own vector is its own");
      host.poll();
      arrives(quiet);

      // The datum of nobody's vector: the ITS drops it.
      assertEquals(TIMES, new Flood(own, DOORBELL, 0x7fff_fff0).by(loud, TIMES));
      arrives(quiet);

      assertEquals(0, new Flood(own, 0x7_0000_0000L, 1).by(loud, TIMES), "not mapped for it");
      SmmuEvents told = smmu.drainEvents();
      assertTrue(told.lost(), "more than the event queue holds, and that is told");
      assertTrue(!told.events().isEmpty() && told.events().size() < TIMES, told::toString);
      arrives(quiet);

      // Nothing on its way looks whose id it is (no Source Validation): another's memory is not
      // reached by it.
      assertEquals(0, new Flood(others, 0x7_0000_0000L, 1).by(loud, TIMES));
      assertEquals(0, new Flood(0xffff, DOORBELL, 0).by(loud, TIMES));
      assertTrue(smmu.drainEvents().events().size() < TIMES);
      host.poll();
      arrives(quiet);
      arrives(noisy);
      assertEquals(memory, machine.frames().bytesInUse());
      Set<Integer> both = intids(quiet);
      both.retainAll(intids(noisy));
      assertEquals(Set.of(), both);
    }
  }
}
