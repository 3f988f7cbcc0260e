package dev.doorbell.hw.imsic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.irq.VectorsShareMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("AIA 1.0 3: interrupt files, their driver and their walker")
class ImsicTest {
  private static final List<Long> FILES = List.of(0x2800_0000L, 0x2800_4000L);
  private static final MsiSource NIC = new MsiSource("0000:01:00.0", 0x100);

  private final ImsicModel model = new ImsicModel(2, 63);
  private final List<String> arrived = new ArrayList<>();

  private ImsicDriver driver() {
    return ImsicDriver.open(
        new ImsicHardware("imsic@0x28000000", FILES, 63, Source.rule("test"), model));
  }

  private BusOutcome message(int cpu, long offset, long value, int bytes) {
    return model.page(cpu).write(offset, value, bytes, 7);
  }

  private void send(VectorBlock b, int index) {
    assertEquals(BusOutcome.OK, message(FILES.indexOf(b.doorbell(index)), 0, b.data(index), 4));
  }

  private List<String> collect(ImsicDriver d) {
    arrived.clear();
    d.collect((number, cpu) -> arrived.add(number + "@" + cpu));
    return List.copyOf(arrived);
  }

  @Test
  @DisplayName(
      "3.1, 3.2: each guest of a hart has a file of its own, with the identities for itself")
  void guests() {
    ImsicModel harts = new ImsicModel(2, 63, 3);
    assertEquals(BusOutcome.OK, harts.page(1, 3).write(0, 7, 4, 0x100));
    for (int guest = 1; guest <= 3; guest++) {
      for (int cpu = 0; cpu < 2; cpu++) {
        boolean there = guest == 3 && cpu == 1;
        assertEquals(there ? 1L << 7 : 0, harts.guest(guest).read(cpu, ImsicRegisters.EIP0));
      }
    }
    assertEquals(0, harts.read(1, ImsicRegisters.EIP0), "supervisor level");
    harts.guest(3).write(1, ImsicRegisters.EIE0, 1L << 7);
    assertEquals(7, harts.guest(3).claim(1));
    assertEquals(0, harts.guest(3).claim(1));
    assertThrows(IllegalArgumentException.class, () -> new ImsicModel(2, 63, 64));
  }

  @Test
  @DisplayName("numbers of the manual: offsets, selectors, stopei")
  void numbers() {
    assertEquals(0, ImsicRegisters.SETEIPNUM_LE.offset());
    assertEquals(4, ImsicRegisters.SETEIPNUM_BE.offset());
    assertEquals(
        List.of(0x70, 0x72, 0x80, 0xbf, 0xc0, 0xff),
        List.of(
            ImsicRegisters.EIDELIVERY,
            ImsicRegisters.EITHRESHOLD,
            ImsicRegisters.EIP0,
            ImsicRegisters.EIP63,
            ImsicRegisters.EIE0,
            ImsicRegisters.EIE63));
    assertEquals(0xc2, ImsicRegisters.select(ImsicRegisters.EIE0, 64));
    assertEquals(0x7ff, ImsicRegisters.TOP_PRIORITY.mask());
    assertEquals(0x7ff_0000, ImsicRegisters.TOP_IDENTITY.mask());
  }

  @Test
  @DisplayName(
      "3.5: little and big endian, 32 bits only; 0 and identities that are not there are ignored; reads are 0")
  void doorbell() {
    model.write(0, ImsicRegisters.EIE0, -1L);
    assertEquals(-2L, model.read(0, ImsicRegisters.EIE0), "identity 0 does not exist");
    assertEquals(BusOutcome.OK, message(0, 0, 5, 4));
    assertEquals(BusOutcome.OK, message(0, 4, 0x0300_0000, 4));
    assertEquals(BusOutcome.OK, message(0, 0, 0, 4));
    assertEquals(BusOutcome.OK, message(0, 0, 64, 4));
    assertEquals(BusOutcome.OK, message(0, 0x10, 9, 4));
    assertEquals(BusOutcome.ERROR, message(0, 0, 9, 8));
    assertEquals(BusOutcome.ERROR, message(0, 0, 9, 2));
    assertEquals(1L << 5 | 1L << 3, model.read(0, ImsicRegisters.EIP0));
    assertEquals(0, model.page(0).read(0, 4).value());
    assertEquals(0, model.read(1, ImsicRegisters.EIP0), "another hart's");
    assertEquals(0, model.read(0, ImsicRegisters.EIP0 + 1), "odd selectors do not exist");
  }

  @Test
  @DisplayName("3.8, 3.10: the lowest identity first; eithreshold, eidelivery and eie hold back")
  void claims() {
    model.write(0, ImsicRegisters.EIE0, 0b1_1010);
    for (int i : List.of(4, 3, 2, 1)) {
      message(0, 0, i, 4);
    }
    assertFalse(model.interrupts(0));
    model.write(0, ImsicRegisters.EIDELIVERY, 1);
    assertTrue(model.interrupts(0));
    model.write(0, ImsicRegisters.EITHRESHOLD, 3);
    assertEquals(1, model.claim(0));
    assertEquals(0, model.claim(0));
    model.write(0, ImsicRegisters.EITHRESHOLD, 0);
    assertEquals(3, model.claim(0));
    assertEquals(4, model.claim(0));
    assertEquals(0, model.claim(0));
    assertEquals(0b100, model.read(0, ImsicRegisters.EIP0), "not enabled: pending still");
  }

  @Test
  @DisplayName(
      "vectors are spread over the harts; multi-message ones share one, aligned; nothing is written before they are active")
  void allocates() {
    ImsicDriver d = driver();
    assertFalse(d.isolated());
    assertEquals(126, d.vectorsFree());
    VectorBlock b = d.allocate(NIC, 3, false);
    assertEquals(List.of(0, 1, 0), List.of(b.cpu(0), b.cpu(1), b.cpu(2)));
    assertEquals(List.of(1, 1, 2), List.of(b.data(0), b.data(1), b.data(2)));
    VectorBlock four = d.allocate(NIC, 4, true);
    assertEquals(4, four.data(0));
    assertEquals(7, four.data(3));
    assertEquals(four.doorbell(0), four.doorbell(3));
    assertEquals(0, model.read(0, ImsicRegisters.EIE0));
    assertThrows(VectorsExhausted.class, () -> d.allocate(NIC, 120, false));
    assertThrows(VectorsExhausted.class, () -> d.allocate(NIC, 64, true));
    b.activate(0, 0);
    four.activate(1, 0);
    assertThrows(VectorsShareMessage.class, () -> four.retarget(1, 1));
    b.free();
    four.free();
    assertEquals(126, d.vectorsFree());
    assertEquals(0, model.read(0, ImsicRegisters.EIE0));
  }

  @Test
  @DisplayName(
      "a move loses nothing: both places are told as the same vector until it is settled, and what is pending moves along")
  void moves() {
    ImsicDriver d = driver();
    VectorBlock b = d.allocate(NIC, 1, false);
    b.activate(0, 0);
    String number = b.number(0) + "@";
    send(b, 0);
    assertEquals(List.of(number + 0), collect(d));
    int before = b.data(0);
    b.retarget(0, 1);
    assertEquals(0x2800_4000L, b.doorbell(0));
    message(0, 0, before, 4);
    assertEquals(List.of(number + 0), collect(d), "the function is not programmed anew yet");
    message(0, 0, before, 4);
    b.finishMove(0);
    assertEquals(List.of(number + 1), collect(d), "moved along");
    message(0, 0, before, 4);
    assertEquals(List.of(), collect(d), "the former place is given back");
    b.retarget(0, 0);
    b.retarget(0, 1);
    assertEquals(1, b.cpu(0));
    b.finishMove(0);
    send(b, 0);
    assertEquals(List.of(number + 1), collect(d), "a move taken back");
    assertEquals(125, d.vectorsFree());
    assertThrows(IllegalArgumentException.class, () -> b.retarget(0, 2));
    VectorBlock all = d.allocate(NIC, 125, false);
    assertThrows(VectorsExhausted.class, () -> b.retarget(0, 0));
    assertEquals(1, b.cpu(0));
    all.free();
  }

  @Test
  @DisplayName("a vector that is masked here stays pending; one that is off loses what comes")
  void masks() {
    ImsicDriver d = driver();
    VectorBlock b = d.allocate(NIC, 1, false);
    send(b, 0);
    assertEquals(List.of(), collect(d));
    b.activate(0, 0);
    assertEquals(List.of(), collect(d), "from before");
    b.mask(0);
    send(b, 0);
    assertEquals(List.of(), collect(d));
    b.unmask(0);
    assertEquals(List.of(b.number(0) + "@0"), collect(d));
    b.deactivate(0);
    send(b, 0);
    b.activate(0, 1);
    assertEquals(List.of(), collect(d));
  }

  @Test
  @DisplayName("a vector that is masked while it moves is taken at neither hart")
  void masksBoth() {
    ImsicDriver d = driver();
    VectorBlock b = d.allocate(NIC, 1, false);
    b.activate(0, 0);
    int before = b.data(0);
    b.retarget(0, 1);
    b.mask(0);
    message(0, 0, before, 4);
    assertEquals(List.of(), collect(d), "the former hart");
    send(b, 0);
    assertEquals(List.of(), collect(d), "the present one");
    b.finishMove(0);
    assertEquals(List.of(), collect(d));
    b.unmask(0);
    assertEquals(List.of(b.number(0) + "@1"), collect(d));
  }

  @Test
  @DisplayName("the walker tells pages of harts, of guests and of nobody, offsets and identities")
  void walker() {
    ImsicWalker.Files files = new ImsicWalker.Files(FILES, 2, 63, Source.rule("test"));
    ImsicWalker w = new ImsicWalker("imsic", files, Map.of(), Basis.OBSERVED);
    assertEquals(Optional.of(new ImsicWalk.Arrived(1, 9)), w.walk(0x2800_4000L, 9).arrived());
    assertEquals(
        Optional.of(new ImsicWalk.Arrived(0, 9)), w.walk(0x2800_0004L, 0x0900_0000).arrived());
    assertTrue(w.walk(0x2800_4000L, 9).enabled().isEmpty());
    assertTrue(w.walk(0x2800_4000L, 64).stoppedAt().orElse("").contains("1 to 63"));
    assertTrue(w.walk(0x2800_4000L, -1).stoppedAt().orElse("").contains("4294967295"));
    assertTrue(w.walk(0x2800_4008L, 9).stoppedAt().orElse("").contains("no doorbell"));
    assertTrue(w.walk(0x2800_2000L, 9).stoppedAt().orElse("").contains("guest 2 of CPU 0"));
    assertTrue(w.walk(0x2801_0000L, 9).stoppedAt().orElse("").contains("no interrupt file"));
    Map<String, Long> csrs = Map.of("eidelivery1", 1L, "eithreshold1", 9L, "eie1.0", -1L);
    ImsicWalker known = new ImsicWalker("imsic", files, csrs, Basis.OBSERVED);
    assertEquals(Optional.of(false), known.walk(0x2800_4000L, 9).enabled());
    assertEquals(Optional.of(true), known.walk(0x2800_4000L, 8).enabled());
  }
}
