package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.explain.Refusal;
import dev.doorbell.irq.DeviceIdOutOfRange;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The drivers of ITS and GICv3 on the models. Where a test takes `cpuInterface`, both ways to collect are tried: CPUs acknowledge, or the
/// pending tables in memory are read and CLEAR is sent.
class ItsDriverTest {
  private static final int DEVICE = 0x100;

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "a message reaches the CPU that its vector was activated for, once; before activation it is dropped")
  void deliver(boolean cpuInterface) {
    DrivenIts m = new DrivenIts(2, cpuInterface);
    VectorBlock v = m.allocate(DEVICE, 3);
    assertEquals(0x0809_0040L, v.doorbell(0));
    m.fire(v, 0, DEVICE);
    assertEquals(1, m.itsModel.dropped());
    for (int i = 0; i < 3; i++) {
      v.activate(i, i % 2);
    }
    m.fire(v, 2, DEVICE);
    m.fire(v, 1, DEVICE);
    m.fire(v, 1, DEVICE);
    assertEquals(
        Set.of(v.intid(2) + "@0", v.intid(1) + "@1"),
        new HashSet<>(m.collect()),
        "an LPI is an edge: twice is once");
    assertEquals(List.of(), m.collect());
    assertEquals(0, m.itsModel.commandErrors(), m.itsModel::lastCommandError);
  }

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName("IHI 0069 5.3.14: retarget takes a pending message along")
  void retarget(boolean cpuInterface) {
    DrivenIts m = new DrivenIts(2, cpuInterface);
    VectorBlock v = m.allocate(DEVICE, 1);
    v.activate(0, 0);
    m.fire(v, 0, DEVICE);
    v.retarget(0, 1);
    assertEquals(1, v.cpu(0));
    assertEquals(List.of(v.intid(0) + "@1"), m.collect());
    m.fire(v, 0, DEVICE);
    assertEquals(List.of(v.intid(0) + "@1"), m.collect());
    assertThrows(IllegalArgumentException.class, () -> v.retarget(0, 2));
    assertEquals(1, v.cpu(0));
  }

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "mask keeps a message pending, unmask lets it through; a vector masked before activation stays so")
  void mask(boolean cpuInterface) {
    DrivenIts m = new DrivenIts(1, cpuInterface);
    VectorBlock v = m.allocate(DEVICE, 1);
    v.mask(0);
    v.activate(0, 0);
    m.fire(v, 0, DEVICE);
    assertEquals(List.of(), m.collect());
    v.unmask(0);
    assertEquals(List.of(v.intid(0) + "@0"), m.collect());
    v.mask(0);
    m.fire(v, 0, DEVICE);
    assertEquals(List.of(), m.collect());
    v.unmask(0);
    assertEquals(List.of(v.intid(0) + "@0"), m.collect());
  }

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "IHI 0069 5.3.4: deactivate drops what is pending and what comes; activate starts afresh")
  void deactivate(boolean cpuInterface) {
    DrivenIts m = new DrivenIts(1, cpuInterface);
    VectorBlock v = m.allocate(DEVICE, 1);
    v.activate(0, 0);
    m.fire(v, 0, DEVICE);
    v.deactivate(0);
    m.fire(v, 0, DEVICE);
    assertEquals(List.of(), m.collect());
    v.activate(0, 0);
    assertEquals(List.of(), m.collect());
    m.fire(v, 0, DEVICE);
    assertEquals(List.of(v.intid(0) + "@0"), m.collect());
  }

  @Test
  @DisplayName("design 5: a device raises its own vectors alone, whatever it writes")
  void forged() {
    DrivenIts m = new DrivenIts(1, true);
    VectorBlock mine = m.allocate(DEVICE, 4);
    VectorBlock other = m.allocate(0x200, 4);
    for (int i = 0; i < 4; i++) {
      mine.activate(i, 0);
    }
    for (int data = -3; data < 70000; data++) {
      m.fire(mine.doorbell(0), data, 0x200);
      m.fire(mine.doorbell(0), data, 0x201);
    }
    assertEquals(List.of(), m.collect());
    assertTrue(m.its.isolated());
    other.free();
    mine.free();
  }

  @Test
  @DisplayName("free gives back LPIs, events, table and memory; a late message is dropped")
  void free() {
    DrivenIts m = new DrivenIts(1, true);
    long before = m.frames.bytesInUse();
    int lpis = m.gic.free();
    VectorBlock v = m.allocate(DEVICE, 5);
    VectorBlock w = m.allocate(DEVICE, 5);
    Set<Integer> data = new HashSet<>();
    Set<Integer> intids = new HashSet<>();
    for (int i = 0; i < 5; i++) {
      v.activate(i, 0);
      w.activate(i, 0);
      data.addAll(List.of(v.data(i), w.data(i)));
      intids.addAll(List.of(v.intid(i), w.intid(i)));
    }
    assertEquals(10, data.size());
    assertEquals(10, intids.size());
    m.fire(v, 0, DEVICE);
    m.fire(w, 0, DEVICE);
    v.free();
    v.free();
    assertEquals(
        List.of(w.intid(0) + "@0"), m.collect(), "the other block of the same DeviceID lives");
    w.free();
    m.fire(w, 1, DEVICE);
    assertEquals(List.of(), m.collect());
    assertEquals(before, m.frames.bytesInUse());
    assertEquals(lpis, m.gic.free());
    assertThrows(IllegalStateException.class, () -> v.activate(0, 0));
    assertEquals(0, m.itsModel.commandErrors(), m.itsModel::lastCommandError);
  }

  @Test
  @DisplayName("multi-message MSI: consecutive data from a multiple of the count")
  void contiguous() {
    DrivenIts m = new DrivenIts(1, true);
    VectorBlock odd = m.allocate(DEVICE, 3);
    VectorBlock block = m.its.allocate(DrivenIts.source(DEVICE), 8, true);
    assertEquals(0, block.data(0) % 8);
    for (int i = 0; i < 8; i++) {
      assertEquals(block.data(0) + i, block.data(i));
    }
    assertTrue(block.data(0) >= odd.count());
    assertThrows(
        IllegalArgumentException.class, () -> m.its.allocate(DrivenIts.source(DEVICE), 3, true));
  }

  @Test
  @DisplayName(
      "GICD_TYPER.IDbits: too few LPIs is VectorsExhausted with both figures, and nothing has changed")
  void lpisExhausted() {
    DrivenIts m = new DrivenIts(1, true, ItsConfig.QEMU, 14);
    assertEquals(8192, m.gic.free());
    VectorBlock all = m.allocate(DEVICE, 8190);
    long before = m.frames.bytesInUse();
    VectorsExhausted e = assertThrows(VectorsExhausted.class, () -> m.allocate(0x200, 3));
    assertEquals(Refusal.Figure.vectors(3), e.refusal().needed().orElseThrow());
    assertEquals(Refusal.Figure.vectors(2), e.refusal().available().orElseThrow());
    assertTrue(e.refusal().source().where().contains("IDbits"), e.refusal()::toString);
    assertEquals(before, m.frames.bytesInUse());
    assertEquals(2, m.its.vectorsFree());
    m.allocate(0x200, 2);
    all.free();
    assertEquals(8190, m.its.vectorsFree());
  }

  @Test
  @DisplayName("GITS_TYPER.ID_bits: too few events is VectorsExhausted with both figures")
  void eventsExhausted() {
    DrivenIts m = new DrivenIts(1, true, new ItsConfig(16, 4, false, true, 0b111, 0), 16);
    m.allocate(DEVICE, 10);
    VectorsExhausted e = assertThrows(VectorsExhausted.class, () -> m.allocate(DEVICE, 7));
    assertEquals(Refusal.Figure.vectors(7), e.refusal().needed().orElseThrow());
    assertEquals(Refusal.Figure.vectors(6), e.refusal().available().orElseThrow());
    assertTrue(e.refusal().source().where().contains("ID_bits"), e.refusal()::toString);
    e =
        assertThrows(
            VectorsExhausted.class, () -> m.its.allocate(DrivenIts.source(DEVICE), 8, true));
    assertEquals(Refusal.Figure.vectors(6), e.refusal().available().orElseThrow());
    assertEquals(16, m.allocate(0x300, 16).count(), "another device has its own");
  }

  @Test
  @DisplayName("a DeviceID outside the table is refused by name")
  void deviceIdOutOfRange() {
    DrivenIts m = new DrivenIts(1, true);
    DeviceIdOutOfRange e = assertThrows(DeviceIdOutOfRange.class, () -> m.allocate(0x1_0000, 1));
    assertTrue(
        e.getMessage().contains("0x10000") && e.getMessage().contains("0xffff"), e.getMessage());
    assertEquals(57344, m.gic.free());
  }

  @Test
  @DisplayName("no memory for a translation table: the LPIs are given back")
  void outOfFrames() {
    DrivenIts m = new DrivenIts(1, true);
    long before = m.frames.bytesInUse();
    m.frames.limit(before + 100);
    assertThrows(OutOfFramesException.class, () -> m.allocate(DEVICE, 1));
    assertEquals(before, m.frames.bytesInUse());
    assertEquals(57344, m.gic.free());
    m.frames.limit(Long.MAX_VALUE);
    VectorBlock v = m.allocate(DEVICE, 1);
    v.activate(0, 0);
    m.fire(v, 0, DEVICE);
    assertEquals(1, m.collect().size());
  }

  @Test
  @DisplayName(
      "IHI 0069 5.2.1: 20-bit DeviceIDs take a two-level table, with pages as devices need them")
  void indirect() {
    DrivenIts m = new DrivenIts(1, false, new ItsConfig(20, 16, false, true, 0b001, 0), 16);
    assertEquals(1 << 20, m.its.deviceIds());
    long before = m.frames.bytesInUse();
    VectorBlock far = m.allocate(0xf_f234, 1);
    assertEquals(before + 0x1000 + 2048 * 12, m.frames.bytesInUse());
    VectorBlock near = m.allocate(0xf_f235, 1);
    assertEquals(before + 0x1000 + 2 * 2048 * 12, m.frames.bytesInUse(), "the same page");
    far.activate(0, 0);
    near.activate(0, 0);
    m.fire(far, 0, 0xf_f234);
    assertEquals(List.of(far.intid(0) + "@0"), m.collect());
    assertEquals(0, m.itsModel.commandErrors(), m.itsModel::lastCommandError);
  }

  @Test
  @DisplayName("IHI 0069 12.19.1: without two levels a table holds what 256 pages hold")
  void flatOnly() {
    DrivenIts m = new DrivenIts(1, false, new ItsConfig(20, 16, false, false, 0b001, 0), 16);
    assertEquals(256 * 4096 / 8, m.its.deviceIds());
    DeviceIdOutOfRange e = assertThrows(DeviceIdOutOfRange.class, () -> m.allocate(0x2_0000, 1));
    assertTrue(e.getMessage().contains("0x1ffff"), e.getMessage());
  }

  @ParameterizedTest(name = "PTA = {0}")
  @ValueSource(booleans = {false, true})
  @DisplayName(
      "IHI 0069 12.19.10: targets by processor number or address; collections in the ITS itself")
  void targets(boolean byAddress) {
    DrivenIts m = new DrivenIts(3, true, new ItsConfig(16, 16, byAddress, true, 0b010, 2), 16);
    assertEquals(2, m.its.cpus(), "two collections for three CPUs");
    VectorBlock v = m.allocate(DEVICE, 1);
    v.activate(0, 1);
    m.fire(v, 0, DEVICE);
    assertEquals(List.of(v.intid(0) + "@1"), m.collect());
    assertThrows(IllegalArgumentException.class, () -> v.activate(0, 2));
  }

  @Test
  @DisplayName("two ITSes of one GIC: each collects its own, whoever looks first")
  void twoItses() {
    DrivenIts m = new DrivenIts(2, true);
    ItsModel secondModel = new ItsModel(ItsConfig.QEMU, m.memory, m.gicModel);
    ItsDriver second = ItsDriver.open(m.itsHardware("its@0x8090000", secondModel), m.gic);
    VectorBlock a = m.allocate(DEVICE, 1);
    VectorBlock b = second.allocate(DrivenIts.source(DEVICE), 1, false);
    a.activate(0, 0);
    b.activate(0, 0);
    assertEquals(a.data(0), b.data(0), "the same DeviceID and EventID at both");
    m.fire(a, 0, DEVICE);
    assertEquals(0, second.collect((intid, cpu) -> {}));
    secondModel.write(0x1_0040, b.data(0), 4, DEVICE);
    assertEquals(List.of(a.intid(0) + "@0"), m.collect());
    assertEquals(1, second.collect((intid, cpu) -> assertEquals(b.intid(0), intid)));
    assertFalse(a.intid(0) == b.intid(0));
  }

  @Test
  @DisplayName(
      "IHI 0069 12.19.3: a stall is a typed failure that names the command; the queue goes on")
  void stall() {
    DrivenIts m = new DrivenIts(1, true);
    VectorBlock v = m.allocate(DEVICE, 2);
    v.activate(0, 0);
    long dte = m.memory.read64(deviceTable(m) + DEVICE * 8L);
    m.memory.write64(deviceTable(m) + DEVICE * 8L, dte | 1L << 40);
    MsiControllerFailed e = assertThrows(MsiControllerFailed.class, () -> v.activate(1, 0));
    assertTrue(
        e.getMessage().contains("MAPTI of DeviceID 0x100, EventID 1")
            && e.getMessage().contains("stalled")
            && e.getMessage().contains("GITS_CREADR 0x"),
        e.getMessage());
    m.memory.write64(deviceTable(m) + DEVICE * 8L, dte);
    v.activate(1, 0);
    m.fire(v, 1, DEVICE);
    m.fire(v, 0, DEVICE);
    assertEquals(2, m.collect().size());
  }

  private static long deviceTable(DrivenIts m) {
    return m.itsModel.read(0x0100, 8).value() & 0xffff_ffff_0000L;
  }

  @Test
  @DisplayName(
      "a device that is no ITS, or a GIC without a redistributor for a CPU, is refused with what was read; memory comes back")
  void unusable() {
    DrivenIts m = new DrivenIts(1, true);
    long before = m.frames.bytesInUse();
    MsiControllerFailed e =
        assertThrows(
            MsiControllerFailed.class,
            () -> ItsDriver.open(m.itsHardware("its@0x0", m.gicModel.redistributor(0)), m.gic));
    assertTrue(e.getMessage().contains("its@0x0"), e.getMessage());
    e =
        assertThrows(
            MsiControllerFailed.class,
            () ->
                dev.doorbell.hw.gicv3.GicV3Driver.open(m.hardware(2, java.util.Optional.empty())));
    assertTrue(e.getMessage().contains("affinity"), e.getMessage());
    assertEquals(before, m.frames.bytesInUse());
  }

  @Test
  @DisplayName("no memory for the ITS's tables: it stays disabled and all memory comes back")
  void openWithoutMemory() {
    DrivenIts m = new DrivenIts(1, true);
    ItsModel other = new ItsModel(ItsConfig.QEMU, m.memory, m.gicModel);
    long before = m.frames.bytesInUse();
    for (long spare = 0; spare < 0xa_0000; spare += 0x1_0000) {
      m.frames.limit(before + spare);
      assertThrows(
          OutOfFramesException.class,
          () -> ItsDriver.open(m.itsHardware("its@0x9000000", other), m.gic));
      assertEquals(before, m.frames.bytesInUse());
      assertEquals(0, other.read(0, 4).value() & 1);
    }
    m.frames.limit(before + 0xa_0000);
    ItsDriver.open(m.itsHardware("its@0x9000000", other), m.gic);
  }
}
