package dev.doorbell.hw.papr;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.pci.MessageTable;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// What holds of interrupts that a hypervisor gives, in whatever way processors take them.
abstract class PaprMsiDriverContract {
  static final MsiSource SOURCE = new MsiSource("function", PaprBench.RID);
  static final MsiSource OTHER = new MsiSource("other", PaprBench.OTHER_RID);

  final PaprBench bench;

  PaprMsiDriverContract(PaprBench bench) {
    this.bench = bench;
  }

  final BusOutcome send(VectorBlock b, int index) {
    return bench.send(PaprBench.RID, b.doorbell(index), b.data(index));
  }

  @Test
  @DisplayName("messages are the hypervisor's: address and number are those that it programmed")
  void composed() {
    VectorBlock b = bench.messages.allocate(SOURCE, 3, false);
    assertEquals(3, b.count());
    for (int i = 0; i < 3; i++) {
      assertEquals(0x400_0000_0000L, b.doorbell(i));
      assertEquals(0x1300 + i, b.data(i));
      assertEquals(0x1300 + i, b.intid(i));
      b.activate(i, i % 2);
      assertEquals(BusOutcome.OK, send(b, i));
    }
    assertEquals(
        List.of(List.of(0x1300, 0), List.of(0x1301, 1), List.of(0x1302, 0)), bench.collect());
    assertEquals(List.of(), bench.collect());
  }

  @Test
  @DisplayName(
      "a function with MSI-X alone: its interrupts are given back though ibm,change-msi refuses function 3 for it")
  void msixAlone() {
    bench.lacking = MessageTable.Kind.MSI;
    VectorBlock b = bench.messages.allocate(SOURCE, 3, false);
    b.free();
    assertEquals(PaprBench.QUOTA, bench.messages.allocate(SOURCE, PaprBench.QUOTA, false).count());
  }

  @Test
  @DisplayName("MSI: a block that begins at a multiple of its size")
  void contiguous() {
    bench.messages.allocate(OTHER, 1, false);
    VectorBlock b = bench.messages.allocate(SOURCE, 4, true);
    assertEquals(0, b.intid(0) % 4);
    assertEquals(b.data(0) + 3, b.data(3));
    b.activate(3, 1);
    send(b, 3);
    assertEquals(List.of(List.of(b.intid(3), 1)), bench.collect());
  }

  @Test
  @DisplayName(
      "the quota: fewer are granted than were asked for; both figures are told, and the function is as before")
  void quota() {
    VectorBlock other = bench.messages.allocate(OTHER, 5, false);
    PaprBench.FakeTable table = table();
    long[] before = table.addresses.clone();
    VectorsExhausted e =
        assertThrows(VectorsExhausted.class, () -> bench.messages.allocate(SOURCE, 4, false));
    assertEquals(4, e.refusal().needed().orElseThrow().value());
    assertEquals(3, e.refusal().available().orElseThrow().value());
    assertArrayEquals(before, table.addresses);
    assertEquals(3, bench.messages.vectorsFree(), "what the hypervisor told is remembered");
    bench.made.clear();
    assertThrows(VectorsExhausted.class, () -> bench.messages.allocate(SOURCE, 4, false));
    assertFalse(bench.made.contains(Calls.CHANGE_MSI), "and not asked again");
    VectorBlock b = bench.messages.allocate(SOURCE, 3, false);
    assertEquals(0, bench.messages.vectorsFree());
    b.free();
    other.free();
    assertEquals(8, bench.messages.allocate(SOURCE, 8, false).count(), "given back, asked anew");
  }

  @Test
  @DisplayName(
      "firmware that gives MSI-X in powers of two alone: the next one is asked for, what is beyond counts and is given back")
  void powersOfTwo() {
    bench.powersOnly = true;
    VectorBlock b = bench.messages.allocate(SOURCE, 3, false);
    assertEquals(3, b.count());
    VectorsExhausted e =
        assertThrows(VectorsExhausted.class, () -> bench.messages.allocate(OTHER, 5, false));
    assertEquals(4, e.refusal().available().orElseThrow().value(), "four of eight were given");
    assertEquals(4, bench.messages.allocate(OTHER, 4, false).count());
    b.activate(2, 1);
    send(b, 2);
    assertEquals(List.of(List.of(b.intid(2), 1)), bench.collect());
    b.free();
    assertEquals(2, bench.messages.allocate(SOURCE, 2, false).count());
  }

  private PaprBench.FakeTable table() {
    bench.messages.allocate(SOURCE, 1, false).free();
    return bench.tables.get(PaprBench.RID << 1 | 1);
  }

  @Test
  @DisplayName("7.2.8.1: ibm,change-msi that is put off comes again with its sequence number")
  void extendedDelay() {
    bench.model.beBusy(2, 9902);
    assertEquals(2, bench.messages.allocate(SOURCE, 2, false).count());
    assertEquals(List.of(100L, 100L), bench.pauses);
    bench.model.beBusy(3, Calls.RTAS_BUSY);
    assertEquals(1, bench.messages.allocate(OTHER, 1, false).count());
  }

  @Test
  @DisplayName("vectors that were never used leave the function's registers as they were")
  void unused() {
    PaprBench.FakeTable table = table();
    table.addresses[1] = 0x1234;
    bench.messages.allocate(SOURCE, 4, false).free();
    assertEquals(0x1234, table.addresses[1]);
  }

  @Test
  @DisplayName("vectors of which one was active leave them so, too: whoever asked may have failed")
  void activeAndGone() {
    PaprBench.FakeTable table = table();
    table.addresses[1] = 0x1234;
    VectorBlock b = bench.messages.allocate(SOURCE, 4, false);
    b.activate(0, 0);
    b.free();
    assertEquals(0x1234, table.addresses[1]);
  }

  @Test
  @DisplayName("another PE's interrupt stops who sent it, and reaches nobody")
  void isolation() {
    VectorBlock b = bench.messages.allocate(SOURCE, 1, false);
    b.activate(0, 0);
    assertEquals(BusOutcome.ERROR, bench.send(PaprBench.OTHER_RID, b.doorbell(0), b.data(0)));
    assertTrue(bench.other.isStopped());
    assertFalse(bench.driver.isStopped());
    assertEquals(List.of(), bench.collect());
    assertEquals(BusOutcome.OK, send(b, 0));
    assertEquals(1, bench.collect().size());
  }

  @Test
  @DisplayName(
      "held back: one message is kept, before it was taken or after; let through, it arrives once")
  void masked() {
    VectorBlock b = bench.messages.allocate(SOURCE, 1, false);
    b.activate(0, 0);
    send(b, 0);
    b.mask(0);
    b.mask(0);
    assertEquals(List.of(), bench.collect(), "it had been presented already");
    send(b, 0);
    b.unmask(0);
    assertEquals(List.of(List.of(0x1300, 0)), bench.collect());
    assertEquals(List.of(), bench.collect());
  }

  @Test
  @DisplayName("moved: what has been presented moves along, what comes then goes to the other")
  void retarget() {
    VectorBlock b = bench.messages.allocate(SOURCE, 1, false);
    b.activate(0, 0);
    send(b, 0);
    b.retarget(0, 1);
    assertEquals(List.of(List.of(0x1300, 1)), bench.collect());
    send(b, 0);
    assertEquals(List.of(List.of(0x1300, 1)), bench.collect());
    assertThrows(IllegalArgumentException.class, () -> b.retarget(0, 2));
    assertEquals(1, b.cpu(0));
  }

  @Test
  @DisplayName("stopped: what comes is dropped, and does not come when it is started again")
  void inactive() {
    VectorBlock b = bench.messages.allocate(SOURCE, 1, false);
    send(b, 0);
    b.activate(0, 0);
    assertEquals(List.of(), bench.collect());
    send(b, 0);
    b.deactivate(0);
    send(b, 0);
    b.activate(0, 0);
    assertEquals(List.of(), bench.collect());
  }

  @Test
  @DisplayName("a function's interrupts are taken together")
  void together() {
    bench.messages.allocate(SOURCE, 1, false);
    assertThrows(VectorsExhausted.class, () -> bench.messages.allocate(SOURCE, 1, false));
    assertFalse(bench.messages.givesOneByOne());
  }
}
