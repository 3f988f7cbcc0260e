package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.xics.XicsDriver;
import dev.doorbell.hw.xics.XicsHardware;
import dev.doorbell.hw.xics.XicsModel;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.simple.ModelRegisters;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PHB3: messages, their entries, owners and states; windows; fence")
class Phb3DriverTest {
  private final Phb3Bench bench = new Phb3Bench();
  private final Phb3Driver driver = bench.driver;

  @Test
  @DisplayName(
      "a message raises the interrupt of its PE, and no other: whoever tries is stopped, the owner is not")
  void owners() {
    VectorBlock mine = driver.messages().allocate(new MsiSource("mine", 0x100), 2, false);
    VectorBlock theirs = driver.messages().allocate(new MsiSource("theirs", 0x200), 1, false);
    mine.activate(0, 1);
    mine.activate(1, 2);
    theirs.activate(0, 3);
    assertEquals(BusOutcome.OK, bench.send(0x100, mine, 1));
    assertEquals(BusOutcome.ERROR, bench.send(0x200, mine, 0));
    assertEquals(BusOutcome.ERROR, bench.send(0x200, theirs, 0), "it is stopped");
    assertEquals(List.of("1@2"), bench.collected());
    assertTrue(driver.stopped(0x200).orElseThrow().cause().contains("MSI"));
    driver.thaw(0x200);
    assertEquals(BusOutcome.OK, bench.send(0x200, theirs, 0));
    assertEquals(BusOutcome.ERROR, bench.send(0x300, theirs, 0), "nobody's PE");
    assertEquals(1, bench.collected().size());
    mine.free();
    assertEquals(BusOutcome.ERROR, bench.send(0x100, mine, 0), "given back");
    theirs.free();
    assertEquals(Phb3Bench.MESSAGES, driver.messages().vectorsFree());
  }

  @Test
  @DisplayName("entries lie as far apart as firmware has set: 16 bytes, or 128")
  void spacing() {
    for (boolean wide : new boolean[] {false, true}) {
      Phb3Bench other = new Phb3Bench(wide);
      VectorBlock b = other.driver.messages().allocate(new MsiSource("f", 1), 3, false);
      for (int i = 0; i < b.count(); i++) {
        b.activate(i, i);
      }
      long bar = new ModelRegisters(other.model).read64(Phb3Registers.IVT_BAR.offset());
      long second = Phb3Registers.IVT_BASE.get(bar) + (wide ? 128 : 16);
      assertEquals(2 * 8, IveLayout.server(IveLayout.swapped(other.memory.read64(second))));
      for (int i = 0; i < b.count(); i++) {
        assertEquals(BusOutcome.OK, other.send(1, b, i));
        assertEquals(List.of(i + "@" + i), other.collected());
      }
    }
  }

  @Test
  @DisplayName(
      "a masked vector's messages are kept, one of them, and sent by the unmask; two while one is handled are one more")
  void masked() {
    VectorBlock b = driver.messages().allocate(new MsiSource("f", 1), 1, false);
    b.mask(0);
    b.activate(0, 0);
    bench.send(1, b, 0);
    bench.send(1, b, 0);
    assertEquals(0, bench.collected().size());
    b.unmask(0);
    assertEquals(1, bench.collected().size());
    assertEquals(0, bench.collected().size());
    bench.send(1, b, 0);
    bench.send(1, b, 0);
    assertEquals(1, bench.collected().size());
    assertEquals(1, bench.collected().size(), "the second, sent again by the end of the first");
    assertEquals(0, bench.collected().size());
    bench.send(1, b, 0);
    b.mask(0);
    assertEquals(0, bench.collected().size(), "on its way when it was masked");
    bench.send(1, b, 0);
    b.unmask(0);
    assertEquals(2, bench.collected().size(), "the one that was held, and the one behind it");
    assertEquals(0, bench.collected().size());
    bench.send(1, b, 0);
    b.deactivate(0);
    assertEquals(0, bench.collected().size());
    b.activate(0, 0);
    assertEquals(0, bench.collected().size(), "what was pending is discarded");
  }

  @Test
  @DisplayName(
      "an interrupt goes to the server of its CPU, and moves; PEs that may not are stopped")
  void moves() {
    VectorBlock b = driver.messages().allocate(new MsiSource("f", 1), 1, false);
    b.activate(0, 0);
    bench.send(1, b, 0);
    assertEquals(List.of("0@0"), bench.collected());
    b.retarget(0, 3);
    bench.send(1, b, 0);
    assertEquals(List.of("0@3"), bench.collected());
    b.activate(0, 1);
    assertEquals(1, b.cpu(0), "active, and moved");
    bench.send(1, b, 0);
    assertEquals(List.of("0@1"), bench.collected());
    b.mask(0);
    b.retarget(0, 2);
    bench.send(1, b, 0);
    assertEquals(List.of(), bench.collected());
    b.unmask(0);
    assertEquals(List.of("0@2"), bench.collected());
    driver.bypass(1);
    assertEquals((1L << 50) - 1, bench.write(1, (1L << 50) - 1));
    assertEquals(Translator.FAULT, bench.write(1, 1L << 50));
    assertTrue(driver.stopped(1).isPresent());
    assertEquals(BusOutcome.ERROR, bench.send(1, b, 0));
  }

  @Test
  @DisplayName("without memory for the IVT nothing is kept")
  void noMemory() {
    long before = bench.frames.bytesInUse();
    bench.frames.limit(before + 0x2_4000);
    Phb3Hardware hw = bench.hardware();
    assertThrows(OutOfFramesException.class, () -> new Phb3Tables(hw));
    assertEquals(before, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName(
      "a bridge that is fenced when it is started: nothing is kept, and it can be started again")
  void startFails() {
    long before = bench.frames.bytesInUse();
    bench.model.fence();
    Phb3Hardware hw = bench.hardware();
    XicsDriver servers = servers();
    assertThrows(PhbException.class, () -> Phb3Driver.open(hw, servers));
    assertEquals(before, bench.frames.bytesInUse());
    bench.model.reset();
    assertEquals(0, new ModelRegisters(bench.model).read64(Phb3Registers.IVT_BAR.offset()));
    Phb3Driver again = Phb3Driver.open(hw, servers);
    assertTrue(bench.frames.bytesInUse() > before, again.id());
  }

  private static XicsDriver servers() {
    return XicsDriver.open(
        new XicsHardware(
            "xics",
            List.of(
                new XicsHardware.Server(8, new ModelRegisters(new XicsModel(List.of(8)).page(0)))),
            List.of(new XicsHardware.Sources(Phb3Bench.FIRST, Phb3Bench.MESSAGES))));
  }

  @Test
  @DisplayName(
      "the bridge keeps entries: without PHB_IVC_UPDATE a message goes to the former CPU, without PHB_IVC_INVALIDATE the former owner keeps it")
  void entriesAreKept() {
    VectorBlock b = driver.messages().allocate(new MsiSource("f", 1), 1, false);
    b.activate(0, 0);
    assertEquals(BusOutcome.OK, bench.send(1, b, 0));
    assertEquals(List.of("0@0"), bench.collected());
    bench.leftOut = Phb3Registers.IVC_UPDATE.offset();
    b.retarget(0, 2);
    bench.send(1, b, 0);
    assertEquals(List.of("0@0"), bench.collected(), "the former CPU's, from the cache");
    bench.leftOut = 0;
    b.free();
    VectorBlock c = driver.messages().allocate(new MsiSource("f", 1), 1, false);
    c.activate(0, 0);
    assertEquals(BusOutcome.OK, bench.send(1, c, 0));
    bench.leftOut = Phb3Registers.IVC_INVALIDATE.offset();
    c.free();
    driver.messages().allocate(new MsiSource("g", 2), 1, false);
    assertEquals(BusOutcome.OK, bench.send(1, c, 0), "the former owner's, from the cache");
    bench.leftOut = 0;
  }

  @Test
  @DisplayName(
      "multi-message MSI: an aligned block under one address; more than there are is refused with both figures")
  void blocks() {
    driver.messages().allocate(new MsiSource("one", 1), 1, false);
    VectorBlock b = driver.messages().allocate(new MsiSource("f", 1), 16, true);
    assertEquals(16, b.intid(0));
    for (int i = 0; i < 16; i++) {
      assertEquals(b.doorbell(0), b.doorbell(i));
      assertEquals(16 + i, b.data(i));
    }
    VectorsExhausted e =
        assertThrows(
            VectorsExhausted.class,
            () -> driver.messages().allocate(new MsiSource("g", 2), 32, true));
    assertEquals(16, e.refusal().available().orElseThrow().value());
  }

  @Test
  @DisplayName(
      "fence: nothing passes and changes are refused; after reset and restore all is as before")
  void fence() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    driver.attach(1, s);
    s.map(new Iova(0), new Pa(0x2000_0000L), 0x1000, Protection.READ_WRITE);
    VectorBlock b = driver.messages().allocate(new MsiSource("f", 1), 2, false);
    b.activate(0, 0);
    bench.model.fence();
    assertTrue(driver.isFenced());
    assertEquals(Translator.FAULT, bench.write(1, 0));
    assertEquals(BusOutcome.ERROR, bench.send(1, b, 0));
    PhbException e = assertThrows(PhbException.class, () -> driver.attach(2, s));
    assertEquals("PhbFenced", e.refusal().type());
    bench.model.reset();
    assertFalse(driver.isFenced());
    assertEquals(Translator.FAULT, bench.write(1, 0), "no tables yet");
    driver.restore();
    assertEquals(0x2000_0000L, bench.write(1, 0));
    assertEquals(BusOutcome.OK, bench.send(1, b, 0));
    assertEquals(1, bench.collected().size());
  }

  @Test
  @DisplayName("an interrupt that could not be sent to a CPU stays off, also behind a reset")
  void noSuchCpu() {
    VectorBlock b = driver.messages().allocate(new MsiSource("f", 1), 1, false);
    assertThrows(IllegalArgumentException.class, () -> b.activate(0, 4));
    bench.model.reset();
    driver.restore();
    assertEquals(BusOutcome.OK, bench.send(1, b, 0));
    assertEquals(List.of(), bench.collected());
    b.activate(0, 3);
    assertEquals(List.of(), bench.collected());
    bench.send(1, b, 0);
    assertEquals(List.of("0@3"), bench.collected());
  }
}
