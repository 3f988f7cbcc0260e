package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.papr.PaprCalls;
import dev.doorbell.hw.papr.PaprHardware;
import dev.doorbell.hw.papr.PaprInterruptDriver;
import dev.doorbell.hw.papr.PaprMsiDriver;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.pci.MessageTable;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("our PAPR driver on the hypervisor of QEMU's pseries machine")
class PaprOnQemuTest {
  private static final int VECTORS = 5;
  private static final int MASKED = 0xff;
  private static final int KEPT = 0x8;
  private static final MsiSource CARD = new MsiSource("e1000e", Pseries.RID);

  private static PaprMsiDriver driver(Pseries machine) {
    PaprCalls calls = new PaprCalls("test", machine, _ -> {});
    return PaprMsiDriver.open(
        new PaprHardware.Messages(
            "msi", Pseries.BUID, OptionalInt.empty(), Source.rule("test"), machine),
        calls,
        PaprInterruptDriver.open(calls, List.of(0L)));
  }

  @Test
  @DisplayName(
      "ibm,change-msi programs the card; its messages reach the sources that the driver is told, routed and held back as it says")
  void messages() {
    try (Pseries machine = Pseries.startOrSkip()) {
      assertEquals(0x10d3_8086, machine.config(Pseries.RID).orElseThrow().read(0, 4));
      PaprMsiDriver driver = driver(machine);
      VectorBlock b = driver.allocate(CARD, VECTORS, false);
      MessageTable table = machine.table(Pseries.RID, MessageTable.Kind.MSIX).orElseThrow();
      for (int i = 0; i < VECTORS; i++) {
        assertEquals(0x400_0000_0000L, b.doorbell(i));
        assertEquals(b.intid(0) + i, b.data(i));
        assertEquals(b.intid(i), b.data(i));
        assertEquals(b.data(i), table.data(i));
        assertArrayEquals(new int[] {MASKED, 0}, machine.source(b.intid(i)));
      }
      b.activate(0, 0);
      assertEquals(5, machine.source(b.intid(0))[0], "ibm,set-xive");
      b.mask(0);
      assertEquals(MASKED, machine.source(b.intid(0))[0], "ibm,int-off");
      table.enable(VECTORS);
      for (int i = 0; i < VECTORS; i++) {
        table.mask(i, false);
      }
      raise(machine.bar(0), 0);
      assertEquals(KEPT, machine.source(b.intid(0))[1] & KEPT, "kept while it is held back");
      assertEquals(0, machine.source(b.intid(1))[1], "and no other");
      b.unmask(0);
      int[] after = machine.source(b.intid(0));
      assertEquals(5, after[0], "ibm,int-on");
      assertEquals(0, after[1] & KEPT);
      assertEquals(List.of(b.intid(0)), collected(driver), "and presented to the processor");
      b.activate(1, 0);
      raise(machine.bar(0), 1);
      assertEquals(List.of(b.intid(1)), collected(driver), "ended: the next one comes");
      b.free();
    }
  }

  private static List<Integer> collected(PaprMsiDriver driver) {
    List<Integer> out = new ArrayList<>();
    driver.collect((number, _) -> out.add(number));
    return out;
  }

  /// IVAR with a cause a vector, masks off, and a cause set.
  private static void raise(RegisterBus bar0, int vector) {
    bar0.write(0xe4, 0xcba98, 4);
    bar0.write(0xd0, 0x1f0_0000, 4);
    bar0.write(0xc8, 1L << 20 + vector, 4);
  }

  @Test
  @DisplayName(
      "more than there are: fewer are granted, both figures are told, nothing is left programmed")
  void quota() {
    try (Pseries machine = Pseries.startOrSkip()) {
      PaprMsiDriver driver = driver(machine);
      MessageTable table = machine.table(Pseries.RID, MessageTable.Kind.MSIX).orElseThrow();
      table.write(0, 0x1234_5678, 9);
      VectorsExhausted e =
          assertThrows(VectorsExhausted.class, () -> driver.allocate(CARD, 64, false));
      assertEquals(64, e.refusal().needed().orElseThrow().value());
      assertEquals(VECTORS, e.refusal().available().orElseThrow().value());
      assertEquals(0x1234_5678, table.address(0));
      assertEquals(VECTORS, driver.vectorsFree());
      VectorBlock msi = driver.allocate(CARD, 1, true);
      assertEquals(1, msi.count());
      assertEquals(
          0x400_0000_0000L,
          machine.table(Pseries.RID, MessageTable.Kind.MSI).orElseThrow().address(0));
      msi.free();
    }
  }
}
