package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.Granule;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.hw.phb.Phb4Driver;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.GroupUnavailable;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.VectorsLive;
import dev.doorbell.irq.InterruptDispatch;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.irq.VectorsShareMessage;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Shared;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "design 4 on x86 and POWER: any sequence of steps, compared with a plain model of who may raise what")
class AnySequenceTest {
  private static final int STEPS = 250;
  private static final String FIRST_STAGE = "+stage1";

  /// One interrupt as whoever waits for it sees it.
  private record Arrival(int function, int vector, int cpu) {}

  /// What a vector is to do.
  private static final class Vector {
    int cpu;
    boolean masked;
    boolean pending;
  }

  /// A function and what the plain model knows of it.
  private static final class Fn {
    final HostFunction function;
    final MsiFunction vectors;
    final IommuGroup group;
    final Domain domain;
    final EndpointModel device;
    final Map<Integer, Vector> live = new HashMap<>();
    final List<Runnable> stopWaiting = new ArrayList<>();
    boolean attached;

    Fn(HostFunction f, IommuGroup group, Domain domain, EndpointModel device) {
      this.function = f;
      this.vectors = f.vectors().orElseThrow();
      this.group = group;
      this.domain = domain;
      this.device = device;
    }
  }

  private final List<Fn> functions = new ArrayList<>();
  private final List<Arrival> arrived = new ArrayList<>();
  private Host host;
  private boolean isolated;
  private int cpus;

  /// @param capture its folder; with `+stage1` behind it, VT-d is driven in scalable mode
  private void build(String capture, boolean isolates, List<Sbdf> names) {
    boolean first = capture.endsWith(FIRST_STAGE);
    String folder = first ? capture.substring(0, capture.length() - FIRST_STAGE.length()) : capture;
    MachineDescription m = Firmware.read(Sysroot.open(Shared.require("lab-captures/" + folder)));
    List<Sbdf> at = m.functions().stream().map(f -> f.sbdf()).filter(names::contains).toList();
    assertEquals(names.size(), at.size());
    EmbeddedMachine machine = EmbeddedMachine.of(m);
    host = Host.start(machine, first ? HostOptions.USUAL.withStage(1) : HostOptions.USUAL);
    isolated = isolates;
    cpus = m.cpus();
    for (Sbdf s : at) {
      IommuGroup group = host.group(s).orElseThrow();
      HostFunction f = host.function(s);
      f.turnOn();
      Domain domain =
          Domain.create(
              "domain of " + s,
              isolates ? DomainPolicy.USER : DomainPolicy.TRUSTED_USER,
              group.members().getFirst().streams().getFirst().iommu(),
              Granule.K4);
      functions.add(new Fn(f, group, domain, machine.endpoint(s).orElseThrow()));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "x86-vtd-intremap, true, 00:1e.0 01:00.0 05:00.0 04:00.0, 1",
    "x86-vtd-intremap, true, 00:1e.0 01:00.0 05:00.0 04:00.0, 2",
    "x86-vtd-intremap, true, 00:1e.0 01:00.0 05:00.0 04:00.0, 3",
    "x86-vtd-intremap+stage1, true, 00:1e.0 01:00.0 05:00.0 04:00.0, 8",
    "x86-vtd-nointremap, false, 00:1e.0 01:00.0 02:00.0 00:05.0, 4",
    "x86-vtd-nointremap, false, 00:1e.0 01:00.0 02:00.0 00:05.0, 5",
    "x86-amdvi, true, 00:1e.0 01:00.0 02:00.0 00:05.0, 6",
    "x86-amdvi, true, 00:1e.0 01:00.0 02:00.0 00:05.0, 7",
    "ppc64le-powernv9, true, 0000:01:00.0 0001:01:00.0 0002:01:00.0, 8",
    "ppc64le-powernv9, true, 0000:01:00.0 0001:01:00.0 0002:01:00.0, 9",
    "../captures/ppc64le/talos2-power9, true, 0003:01:00.0 0004:01:00.0, 10"
  })
  @DisplayName(
      "each vector arrives once, where it was routed to; nobody else's write raises it; what is given back is gone")
  void anySequence(String capture, boolean isolates, String names, long seed) {
    build(capture, isolates, Stream.of(names.split(" ")).map(Sbdf::parse).toList());
    Random dice = new Random(seed);
    int free = host.msiControllers().getLast().vectorsFree();
    for (int step = 0; step < STEPS; step++) {
      int at = dice.nextInt(functions.size());
      step(at, functions.get(at), dice);
      poll();
      assertEquals(List.of(), arrived, "step " + step);
      probe(dice, step);
    }
    for (Fn f : functions) {
      if (!f.live.isEmpty()) {
        release(f);
      }
    }
    assertEquals(free, host.msiControllers().getLast().vectorsFree());
  }

  private void step(int at, Fn f, Random dice) {
    switch (dice.nextInt(7)) {
      case 0 -> attach(f);
      case 1 -> detach(f);
      case 2, 3 -> enable(at, f, 1 + dice.nextInt(f.vectors.size()));
      case 4 -> {
        if (!f.live.isEmpty() && dice.nextInt(3) == 0) {
          release(f);
        }
      }
      case 5 -> retarget(f, dice);
      default -> mask(at, f, dice);
    }
  }

  private void attach(Fn f) {
    if (f.attached) {
      assertThrows(GroupUnavailable.class, () -> f.domain.attach(f.group));
    } else {
      f.domain.attach(f.group);
      f.attached = true;
    }
  }

  private static void detach(Fn f) {
    if (!f.attached) {
      assertThrows(GroupUnavailable.class, () -> f.domain.detach(f.group));
    } else if (!f.live.isEmpty()) {
      assertThrows(VectorsLive.class, () -> f.domain.detach(f.group));
    } else {
      f.domain.detach(f.group);
      f.attached = false;
    }
  }

  private void enable(int at, Fn f, int max) {
    if (!f.attached) {
      assertThrows(GroupUnavailable.class, () -> f.vectors.enable(1, max));
      return;
    }
    if (!f.live.isEmpty()) {
      assertThrows(IllegalStateException.class, () -> f.vectors.enable(1, max));
      return;
    }
    int given =
        f.vectors.enable(
            1,
            max,
            false,
            (vector, controller, number) -> await(at, f, vector, controller, number));
    assertEquals(max, given);
    for (LiveVector v : f.vectors.vectors()) {
      Vector mine = new Vector();
      mine.cpu = v.cpu();
      f.live.put(v.index(), mine);
    }
  }

  private void await(int at, Fn f, int vector, MsiController controller, int number) {
    InterruptDispatch dispatch = host.interrupts().at(controller);
    dispatch.add(number, (_, cpu) -> arrived.add(new Arrival(at, vector, cpu)));
    f.stopWaiting.add(() -> dispatch.remove(number));
  }

  /// A function keeps the pending bits of entries that are masked when its messages go off: none is left here.
  private void release(Fn f) {
    f.live.forEach((vector, v) -> f.vectors.mask(vector, false));
    poll();
    arrived.clear();
    f.vectors.release();
    f.stopWaiting.forEach(Runnable::run);
    f.stopWaiting.clear();
    f.live.clear();
  }

  private void retarget(Fn f, Random dice) {
    if (f.live.isEmpty()) {
      return;
    }
    int vector = dice.nextInt(f.live.size());
    int cpu = dice.nextInt(cpus);
    Vector v = f.live.get(vector);
    boolean bound = !isolated && f.function.msix().isEmpty() && f.live.size() > 1;
    if (bound && cpu != v.cpu) {
      assertThrows(VectorsShareMessage.class, () -> f.vectors.retarget(vector, cpu));
    } else {
      f.vectors.retarget(vector, cpu);
      v.cpu = cpu;
    }
    assertEquals(v.cpu, f.vectors.vectors().get(vector).cpu());
  }

  private void mask(int at, Fn f, Random dice) {
    if (f.live.isEmpty()) {
      return;
    }
    int vector = dice.nextInt(f.live.size());
    Vector v = f.live.get(vector);
    boolean on = dice.nextBoolean();
    f.vectors.mask(vector, on);
    v.masked = on;
    if (!on && v.pending) {
      v.pending = false;
      poll();
      assertEquals(List.of(new Arrival(at, vector, v.cpu)), arrived);
      arrived.clear();
    }
  }

  /// Fires vectors, and lets functions write what others are programmed with.
  private void probe(Random dice, int step) {
    long stray = host.interrupts().unclaimed();
    for (int at = 0; at < functions.size(); at++) {
      Fn f = functions.get(at);
      // The others of a function that is on would stay pending at it.
      int vector = dice.nextInt(f.live.isEmpty() ? f.vectors.size() : f.live.size());
      Vector v = f.live.get(vector);
      var unused = f.device.fire(vector);
      poll();
      boolean arrives = v != null && !v.masked;
      assertEquals(
          arrives ? List.of(new Arrival(at, vector, v.cpu)) : List.of(), arrived, "step " + step);
      arrived.clear();
      if (v != null && v.masked) {
        v.pending = true;
      }
      Fn other = functions.get((at + 1) % functions.size());
      if (isolated && !f.live.isEmpty()) {
        LiveVector target = f.vectors.vectors().getFirst();
        var forged =
            other.device.dmaWrite(
                target.message().address(),
                Integer.toUnsignedLong(target.message().data()),
                Integer.BYTES);
        poll();
        goOn(other);
        arrived.removeIf(a -> functions.get(a.function()) == other);
        assertEquals(List.of(), arrived, "forged in step " + step + ": " + forged);
      }
    }
    assertEquals(stray, host.interrupts().unclaimed());
  }

  /// A host bridge of POWER stops whoever writes what is another's.
  private static void goOn(Fn f) {
    f.group.members().stream()
        .flatMap(m -> m.streams().stream())
        .filter(s -> s.iommu() instanceof Phb4Driver)
        .forEach(s -> ((Phb4Driver) s.iommu()).thaw(s.streamId()));
  }

  private void poll() {
    host.poll();
  }
}
