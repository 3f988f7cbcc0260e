package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.simple.InjectedFault;
import dev.doorbell.simple.ModelRegisters;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PHB4: register writes that fail, and what is told of PEs that are stopped")
class Phb4FaultTest {
  private static final int MOST_WRITES = 64;
  private static final MsiSource SOURCE = new MsiSource("f", 0x100);

  private final Phb4Bench bench = new Phb4Bench();
  private final Phb4Driver driver = bench.driver;

  @Test
  @DisplayName("a bridge that could not be told of a requester id's PE is told the next time")
  void told() {
    assertEquals(Translator.FAULT, bench.read(0x100, 0), "the bridge keeps that it is nobody's");
    bench.writes.failAt(1);
    assertThrows(InjectedFault.class, () -> driver.messages().allocate(SOURCE, 1, false));
    VectorBlock b = driver.messages().allocate(SOURCE, 1, false);
    b.activate(0, 2);
    assertEquals(BusOutcome.OK, bench.send(0x100, b, 0));
    assertEquals(1, bench.collected().size());
  }

  @Test
  @DisplayName(
      "an attach that is taken back, wherever it fails, leaves a stopped PE stopped and its cause known")
  void stopped() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    AddressSpace other = driver.createAddressSpace(Granule.K4);
    s.map(new Iova(0), new Pa(0x2000_0000L), 0x1000, Protection.READ_WRITE);
    driver.attach(0x100, s);
    assertEquals(Translator.FAULT, bench.read(0x100, 0x5008));
    Optional<PeStop> before = driver.stopped(0x100);
    assertEquals(OptionalLong.of(0x5008), before.orElseThrow().address());
    int failures = 0;
    for (int n = 1; n < MOST_WRITES; n++) {
      bench.writes.failAt(n);
      try {
        driver.attach(0x100, other);
        break;
      } catch (InjectedFault expected) {
        failures++;
        assertEquals(before, driver.stopped(0x100), "write " + n);
        assertEquals(Translator.FAULT, bench.read(0x100, 0), "write " + n);
      }
    }
    bench.writes.neverFail();
    assertTrue(failures > 4, failures + " writes failed");
    assertTrue(driver.stopped(0x100).isEmpty(), "attached: it runs");
    driver.attach(0x100, s);
    assertEquals(0x2000_0000L, bench.read(0x100, 0));
  }

  @Test
  @DisplayName("a PE that runs and stops while an attach is taken back stays stopped")
  void stopsMeanwhile() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    AddressSpace other = driver.createAddressSpace(Granule.K4);
    s.map(new Iova(0), new Pa(0x2000_0000L), 0x1000, Protection.READ_WRITE);
    driver.attach(0x100, s);
    bench.writes.failAt(3);
    bench.writes.onNextWrite(() -> bench.read(0x100, 0x7000));
    assertThrows(InjectedFault.class, () -> driver.attach(0x100, other));
    assertEquals(OptionalLong.of(0x7000), driver.stopped(0x100).orElseThrow().address());
  }

  @Test
  @DisplayName(
      "who is let go on finds no error of before: each part's status, its first one and logs, and the sum of all, are cleared")
  void errors() {
    driver.attach(0x100, driver.createAddressSpace(Granule.K4));
    assertEquals(Translator.FAULT, bench.read(0x100, 0x7000));
    List<Register> all =
        Stream.of(
                Phb4Registers.ERR_STATUS,
                Phb4Registers.ERR1_STATUS,
                Phb4Registers.ERR_LOG_0,
                Phb4Registers.ERR_LOG_1,
                List.of(Phb4Registers.LEM_WOF))
            .flatMap(List::stream)
            .toList();
    all.forEach(r -> bench.model.set(r, 0xff00L));
    bench.model.set(Phb4Registers.LEM_FIR_ACCUM, 0xf000_0000L);
    driver.thaw(0x100);
    ModelRegisters registers = new ModelRegisters(bench.model);
    all.forEach(r -> assertEquals(0, registers.read64(r.offset()), r.name()));
    assertEquals(0, registers.read64(Phb4Registers.ETU_ERR_SUMMARY.offset()));
    assertTrue(driver.stopped(0x100).isEmpty());
  }

  @Test
  @DisplayName("an allocation that fails, wherever, leaves every interrupt nobody's, off and free")
  void cutShort() {
    int failures = 0;
    for (int n = 1; n < MOST_WRITES; n++) {
      bench.writes.failAt(n);
      try {
        VectorBlock b = driver.messages().allocate(SOURCE, 4, true);
        bench.writes.neverFail();
        b.free();
        break;
      } catch (InjectedFault expected) {
        failures++;
        for (int i = 0; i < 4; i++) {
          Long word = driver.own().get("MIST" + i / MistLayout.PER_WORD);
          long owner = word == null ? driver.nobody() : MistLayout.owner(i).get(word);
          assertEquals(driver.nobody(), owner, "interrupt %d, write %d".formatted(i, n));
        }
        assertEquals(Phb4Bench.MESSAGES, driver.messages().vectorsFree());
      }
    }
    assertTrue(failures >= 8, failures + " writes failed");
    assertEquals(Phb4Bench.MESSAGES, driver.messages().vectorsFree());
  }

  @Test
  @DisplayName(
      "a PE that is stopped along with another has no cause of its own, nor one of an earlier time")
  void along() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    driver.attach(1, s);
    driver.attach(2, s);
    assertEquals(Translator.FAULT, bench.read(2, 0x9000));
    assertEquals(OptionalInt.of(2), driver.stopped(2).orElseThrow().requesterId());
    driver.thaw(2);
    bench.takesAlong(1, 2);
    assertEquals(Translator.FAULT, bench.read(1, 0x1000));
    PeStop stop = driver.stopped(2).orElseThrow();
    assertEquals(OptionalInt.empty(), stop.requesterId());
    assertEquals(OptionalLong.empty(), stop.address());
    assertEquals("stopped along with another PE", stop.cause());
    assertEquals(OptionalInt.of(1), driver.stopped(1).orElseThrow().requesterId());
  }

  @Test
  @DisplayName(
      "a release that fails, wherever, is completed by the next one, and takes nothing from who has come meanwhile")
  void releasedInTwo() {
    MsiSource late = new MsiSource("late", 0x200);
    int failures = 0;
    for (int n = 1; n < MOST_WRITES; n++) {
      VectorBlock b = driver.messages().allocate(SOURCE, 4, false);
      for (int i = 0; i < b.count(); i++) {
        b.activate(i, 0);
      }
      bench.writes.failAt(n);
      try {
        b.free();
        break;
      } catch (InjectedFault expected) {
        failures++;
        VectorBlock other = driver.messages().allocate(late, 2, false);
        other.activate(0, 1);
        b.free();
        assertEquals(Phb4Bench.MESSAGES - 2, driver.messages().vectorsFree(), "write " + n);
        assertEquals(BusOutcome.OK, bench.send(0x200, other, 0), "write " + n);
        bench.collected();
        other.free();
      }
    }
    bench.writes.neverFail();
    assertTrue(failures >= 4, failures + " writes failed");
    assertEquals(Phb4Bench.MESSAGES, driver.messages().vectorsFree());
  }
}
