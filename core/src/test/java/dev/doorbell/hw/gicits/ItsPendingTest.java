package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Refusal;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.testkit.Property;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName(
    "IHI 0069 5.3: the driver makes vectors pending (INT), forgets that they are (CLEAR), and maps LPIs by their own numbers (MAPI)")
class ItsPendingTest {
  private static final int DEVICE = 0x100;
  private static final int CPUS = 3;
  private static final int VECTORS = 4;

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName("a raised vector arrives as by its message, at its CPU; a cleared one does not")
  void raise(boolean cpuInterface) {
    DrivenIts m = new DrivenIts(2, cpuInterface);
    VectorBlock v = m.allocate(DEVICE, 2);
    v.activate(0, 1);
    v.activate(1, 0);
    v.raise(0);
    v.raise(0);
    assertEquals(List.of(v.intid(0) + "@1"), m.collect(), "an LPI is an edge: twice is once");
    v.raise(0);
    m.fire(v, 1, DEVICE);
    v.clearPending(0);
    v.clearPending(1);
    assertEquals(List.of(), m.collect());
    m.fire(v, 1, DEVICE);
    assertEquals(List.of(v.intid(1) + "@0"), m.collect(), "the next message comes");
    assertEquals(0, m.itsModel.commandErrors(), m.itsModel::lastCommandError);
  }

  @Test
  @DisplayName("what a CPU has acknowledged for another owner's look is cleared too")
  void acknowledged() {
    DrivenIts m = new DrivenIts(1, true);
    VectorBlock v = m.allocate(DEVICE, 1);
    v.activate(0, 0);
    v.raise(0);
    m.gic.collect("another controller", (intid, cpu) -> {});
    v.clearPending(0);
    assertEquals(List.of(), m.collect());
  }

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName("held back it stays pending; it moves along; inactive or freed it is refused")
  void states(boolean cpuInterface) {
    DrivenIts m = new DrivenIts(2, cpuInterface);
    VectorBlock v = m.allocate(DEVICE, 1);
    assertEquals(
        "vector 0 of 0000:01:00.0 at its@0x8080000 is not active and cannot be raised",
        assertThrows(IllegalStateException.class, () -> v.raise(0)).getMessage());
    assertThrows(IllegalStateException.class, () -> v.clearPending(0));
    v.activate(0, 0);
    v.mask(0);
    v.raise(0);
    assertEquals(List.of(), m.collect());
    v.retarget(0, 1);
    v.unmask(0);
    assertEquals(List.of(v.intid(0) + "@1"), m.collect());
    assertThrows(IndexOutOfBoundsException.class, () -> v.raise(1));
    v.free();
    assertThrows(IllegalStateException.class, () -> v.raise(0));
    assertThrows(IllegalStateException.class, () -> v.clearPending(0));
  }

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "messages, orders, masks, moves and collections at random, against a set of what is pending")
  void random(boolean cpuInterface) {
    Property.check(
        "pending vectors",
        20,
        random -> {
          DrivenIts m = new DrivenIts(CPUS, cpuInterface);
          VectorBlock v = m.allocate(DEVICE, VECTORS);
          int[] at = new int[VECTORS];
          boolean[] masked = new boolean[VECTORS];
          Set<Integer> pending = new HashSet<>();
          for (int i = 0; i < VECTORS; i++) {
            v.activate(i, 0);
          }
          for (int step = 0; step < 60; step++) {
            int i = random.below(VECTORS);
            switch (random.below(6)) {
              case 0 -> {
                m.fire(v, i, DEVICE);
                pending.add(i);
              }
              case 1 -> {
                v.raise(i);
                pending.add(i);
              }
              case 2 -> {
                v.clearPending(i);
                pending.remove(i);
              }
              case 3 -> {
                at[i] = random.below(CPUS);
                v.retarget(i, at[i]);
              }
              case 4 -> {
                masked[i] = !masked[i];
                if (masked[i]) {
                  v.mask(i);
                } else {
                  v.unmask(i);
                }
              }
              default -> {
                List<String> wanted = new ArrayList<>();
                for (int k = 0; k < VECTORS; k++) {
                  if (!masked[k] && pending.remove(k)) {
                    wanted.add(v.intid(k) + "@" + at[k]);
                  }
                }
                assertEquals(new HashSet<>(wanted), new HashSet<>(m.collect()));
              }
            }
          }
          assertEquals(0, m.itsModel.commandErrors(), m.itsModel::lastCommandError);
        });
  }

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName("MAPI: the data are the LPIs' numbers, and other devices' writes of them do nothing")
  void byIntid(boolean cpuInterface) {
    DrivenIts m = new DrivenIts(2, cpuInterface);
    long before = m.frames.bytesInUse();
    int lpis = m.gic.free();
    VectorBlock taken = m.allocate(0x200, 3);
    VectorBlock v = m.its.allocateByIntid(DrivenIts.source(DEVICE), 3);
    for (int i = 0; i < 3; i++) {
      assertEquals(v.intid(i), v.data(i));
      assertTrue(v.data(i) >= 8192);
      v.activate(i, i % 2);
    }
    m.fire(v, 1, DEVICE);
    m.fire(v, 2, 0x200);
    assertEquals(List.of(v.intid(1) + "@1"), m.collect());
    v.retarget(1, 0);
    v.raise(1);
    assertEquals(List.of(v.intid(1) + "@0"), m.collect());
    v.free();
    taken.free();
    assertEquals(before, m.frames.bytesInUse());
    assertEquals(lpis, m.gic.free());
    assertEquals(0, m.itsModel.commandErrors(), m.itsModel::lastCommandError);
  }

  @Test
  @DisplayName(
      "MAPI: a DeviceID whose table ends before the LPIs, and an ITS with fewer EventIDs, are refused, and nothing is taken")
  void byIntidRefused() {
    DrivenIts m = new DrivenIts(1, true);
    VectorBlock usual = m.allocate(DEVICE, 1);
    int lpis = m.gic.free();
    long before = m.frames.bytesInUse();
    VectorsExhausted e =
        assertThrows(
            VectorsExhausted.class, () -> m.its.allocateByIntid(DrivenIts.source(DEVICE), 2));
    assertEquals(Refusal.Figure.vectors(0), e.refusal().available().orElseThrow());
    assertTrue(e.refusal().source().where().contains("2048 events"), e.refusal()::toString);
    assertEquals(lpis, m.gic.free());
    assertEquals(before, m.frames.bytesInUse());
    usual.free();
    DrivenIts small = new DrivenIts(1, true, new ItsConfig(16, 8, false, true, 0b111, 0), 16);
    long smallBefore = small.frames.bytesInUse();
    assertThrows(
        VectorsExhausted.class, () -> small.its.allocateByIntid(DrivenIts.source(DEVICE), 1));
    assertEquals(smallBefore, small.frames.bytesInUse());
    assertEquals(57344, small.gic.free());
    assertThrows(
        IllegalArgumentException.class,
        () -> small.its.allocateByIntid(DrivenIts.source(DEVICE), 0));
  }

  @Test
  @DisplayName("an ITS that stalls on INT is told with the command, and goes on")
  void stalled() {
    DrivenIts m = new DrivenIts(1, true);
    VectorBlock v = m.allocate(DEVICE, 1);
    v.activate(0, 0);
    long dte = (m.itsModel.read(0x0100, 8).value() & 0xffff_ffff_0000L) + DEVICE * 8L;
    long held = m.memory.read64(dte);
    m.memory.write64(dte, held | 1L << 40);
    MsiControllerFailed failed = assertThrows(MsiControllerFailed.class, () -> v.raise(0));
    assertTrue(
        failed.getMessage().contains("INT of DeviceID 0x100, EventID 0"), failed.getMessage());
    m.memory.write64(dte, held);
    v.raise(0);
    assertEquals(List.of(v.intid(0) + "@0"), m.collect());
  }
}
