package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusException;
import dev.doorbell.explain.Refused;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.irq.VectorListener;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName(
    "design 4: real drivers on models, each write failing in turn: nothing leaks and everything works afterwards")
class FailedWriteOnModelsTest {
  private static final Sbdf FUNCTION = Sbdf.parse("04:00.0");
  private static final Sbdf BESIDE = Sbdf.parse("01:10.0");

  /// Something that is all or nothing, and what takes it back.
  record Change(String name, Consumer<Stage> before, Consumer<Stage> change) {
    @Override
    public String toString() {
      return name;
    }
  }

  /// A host with two domains, a function in the first one, and another one that is live throughout.
  static final class Stage {
    final FaultyMachine machine;
    final Host host;
    final Domain first;
    final Domain second;
    final Domain elsewhere;
    final IommuGroup group;
    final MsiFunction msi;
    final MsiFunction beside;

    /// Bytes of tables that drivers keep once they are made, such as second levels of stream tables.
    final long kept;

    Stage() {
      machine =
          new FaultyMachine(
              EmbeddedMachine.of(
                  Firmware.read(
                      Sysroot.open(Path.of("..", "samples", "arm64-its-acpi-switch-sriov")))));
      host = Host.start(machine);
      group = host.group(FUNCTION).orElseThrow();
      HostFunction f = host.function(FUNCTION);
      HostFunction b = host.function(BESIDE);
      f.turnOn();
      b.turnOn();
      msi = f.vectors().orElseThrow();
      beside = b.vectors().orElseThrow();
      Domain once = domain("once", 0x800_0000L);
      live(once);
      msi.enable(1, 8);
      release(List.of(once));
      kept = machine.frames().bytesInUse();
      first = domain("first", 0x800_0000L);
      second = domain("second", 0x800_0000L);
      elsewhere = domain("elsewhere", 0xa000_0000L);
      live(first);
    }

    private void live(Domain d) {
      d.attach(group);
      d.attach(host.group(BESIDE).orElseThrow());
      beside.enable(1, 2);
    }

    private void release(List<Domain> domains) {
      msi.release();
      beside.release();
      for (Domain d : domains) {
        d.groups().forEach(d::detach);
        d.close();
      }
    }

    /// Lets go of everything; nothing may be left.
    void dissolve(String when) {
      release(List.of(first, second, elsewhere));
      assertEquals(kept, machine.frames().bytesInUse(), when);
    }

    private Domain domain(String name, long window) {
      IommuGroup g = host.group(FUNCTION).orElseThrow();
      Domain d =
          Domain.create(
              name,
              DomainPolicy.USER,
              g.members().getFirst().streams().getFirst().iommu(),
              Granule.K4);
      d.reserveMsiWindow(AddressRange.ofSize(window, 0x10_0000));
      return d;
    }

    /// {@return what software and hardware hold, as far as it must not change}
    List<Object> state() {
      List<Object> out = new ArrayList<>();
      out.add(msi.vectors());
      out.add(beside.vectors());
      out.add(group.placement());
      for (Domain d : List.of(first, second, elsewhere)) {
        out.add(d.msiWindow());
        out.add(d.groups());
        out.add(d.mappings());
        out.add(d.translate(new Iova(0x1_001f_e000L)));
        out.add(d.translate(new Iova(0x1_0020_0000L)));
        out.add(d.translate(new Iova(0x1_0060_1fffL)));
      }
      host.msiControllers().forEach(c -> out.add(c.vectorsFree()));
      out.add(machine.frames().bytesInUse());
      for (Sbdf f : List.of(FUNCTION, BESIDE)) {
        for (int at = 0; at < 0x100; at += Integer.BYTES) {
          out.add(machine.config(f).read32(at));
        }
        PciFunction.of(f, machine.config(f), "test")
            .msix()
            .thing()
            .ifPresent(m -> {
              for (int at = 0; at < m.tableBytes(); at += Integer.BYTES) {
                out.add(machine.bar(f, m.tableBar()).read(m.tableOffset() + at, 4));
              }
            });
      }
      return out;
    }

    /// Every live vector arrives once, as the interrupt that it stands for.
    void everyVectorArrives(String when) {
      fire(FUNCTION, msi, when);
      fire(BESIDE, beside, when);
    }

    private void fire(Sbdf sbdf, MsiFunction f, String when) {
      for (LiveVector v : f.vectors()) {
        if (v.masked()) {
          continue;
        }
        List<String> arrived = new ArrayList<>();
        host.poll();
        host.interrupts()
            .at(host.msiController(v.controller()).orElseThrow())
            .add(v.intid(), (intid, cpu) -> arrived.add(intid + "@" + cpu));
        Firing firing = machine.fire(sbdf, v.index());
        host.poll();
        host.interrupts().at(host.msiController(v.controller()).orElseThrow()).remove(v.intid());
        assertEquals(Firing.SENT, firing, () -> when + ": " + v);
        assertEquals(List.of(v.intid() + "@" + v.cpu()), arrived, () -> when + ": " + v);
      }
    }
  }

  static Stream<Change> changes() {
    Consumer<Stage> nothing = s -> {};
    Consumer<Stage> enable = s -> s.msi.enable(1, 3);
    return Stream.of(
        new Change("enable", nothing, enable),
        new Change("release", enable, s -> s.msi.release()),
        new Change("mask", enable, s -> s.msi.mask(1, true)),
        new Change("add vector", enable, s -> s.msi.addVector(5, 0, false, VectorListener.NONE)),
        new Change("remove vector", enable, s -> s.msi.removeVector(1)),
        new Change("domain switch", enable, s -> s.second.attach(s.group)),
        new Change("domain switch, other window", enable, s -> s.elsewhere.attach(s.group)),
        new Change("detach", nothing, s -> s.first.detach(s.group)));
  }

  @ParameterizedTest
  @MethodSource("changes")
  void everyWrite(Change change) {
    everyWrite(change, false);
  }

  /// Changes that write to memory: tables, queues, entries.
  static Stream<Change> changesInMemory() {
    Consumer<Stage> map =
        s ->
            s.first.map(
                new Iova(0x1_001f_e000L), new Pa(0x8_001f_e000L), 0x40_4000, Protection.READ_WRITE);
    return Stream.concat(
        changes().filter(c -> !c.name().equals("mask")),
        Stream.of(
            new Change("map memory", s -> {}, map),
            new Change(
                "unmap memory",
                map,
                s -> s.first.unmap(AddressRange.ofSize(0x1_001f_e000L, 0x40_4000)))));
  }

  @ParameterizedTest
  @MethodSource("changesInMemory")
  void everyWriteToMemory(Change change) {
    everyWrite(change, true);
  }

  private static void everyWrite(Change change, boolean memory) {
    int failures = 0;
    for (int n = 1; ; n++) {
      Stage s = new Stage();
      change.before().accept(s);
      List<Object> before = s.state();
      if (memory) {
        s.machine.failInMemoryAt(n);
      } else {
        s.machine.failAt(n);
      }
      try {
        change.change().accept(s);
        s.machine.neverFail();
        s.everyVectorArrives("done");
        s.dissolve("done");
        break;
      } catch (BusException e) {
        failures++;
      } catch (RuntimeException e) {
        if (!(e instanceof Refused) && !(e.getCause() instanceof BusException)) {
          throw e;
        }
        failures++;
      }
      s.machine.neverFail();
      String when = "write " + n + " failed";
      List<Object> after = s.state();
      for (int i = 0; i < before.size(); i++) {
        assertEquals(before.get(i), after.get(i), when);
      }
      s.everyVectorArrives(when);
      change.change().accept(s);
      s.everyVectorArrives(when + ", then done");
      s.dissolve(when);
    }
    assertTrue(failures > 0, "the change writes something");
  }
}
