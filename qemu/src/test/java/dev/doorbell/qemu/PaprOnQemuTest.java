package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.papr.Calls;
import dev.doorbell.hw.papr.PaprCalls;
import dev.doorbell.hw.papr.PaprHardware;
import dev.doorbell.hw.papr.PaprInterruptDriver;
import dev.doorbell.hw.papr.PaprModel;
import dev.doorbell.hw.papr.PaprMsiDriver;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.pci.MessageTable;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "our PAPR driver on the hypervisor of QEMU's pseries machine, and our model of one beside it")
class PaprOnQemuTest {
  private static final int VECTORS = 5;
  private static final int HIGH = (int) (Pseries.BUID >>> 32);
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
      assertTrue(after[1] != 0, "sent to the processor");
      b.free();
    }
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

  @Test
  @DisplayName("any calls: our model answers as QEMU's hypervisor does")
  void differential() {
    try (Pseries machine = Pseries.startOrSkip()) {
      Hypervisor model = model(machine);
      Random random = new Random(20);
      Both both = new Both(machine, model);
      for (int step = 0; step < 300; step++) {
        int address = random.nextInt(8) == 0 ? 0x5_0000 : 0;
        int low = (int) Pseries.BUID + (random.nextInt(12) == 0 ? 9 : 0);
        switch (random.nextInt(6)) {
          case 0, 1 -> {
            int function = List.of(1, 3, 4, 4, 4, 7).get(random.nextInt(6));
            // One vector of MSI: how many QEMU takes the card to have depends on its Multiple
            // Message Enable.
            int count = function == 4 ? random.nextInt(9) : random.nextInt(2);
            both.change(address, low, function, count);
          }
          case 2 -> both.source(address, low, random.nextInt(7));
          case 3 ->
              both.interrupt(
                  Calls.SET_XIVE,
                  1,
                  random.nextInt(8),
                  random.nextInt(3) == 0 ? 77 : 0,
                  random.nextInt(256));
          case 4 -> both.interrupt(Calls.GET_XIVE, 3, random.nextInt(8));
          default ->
              both.interrupt(
                  random.nextBoolean() ? Calls.INT_OFF : Calls.INT_ON, 1, random.nextInt(8));
        }
      }
      assertTrue(both.granted > 20, "interrupts were granted");
    }
  }

  /// Two hypervisors that are asked the same. Which numbers interrupts have is each one's own choice.
  private static final class Both {
    private static final int NOBODYS = 0x9000;

    private final Hypervisor theirs;
    private final Hypervisor ours;
    private int[] numbers = new int[2];
    private int had;
    private int granted;

    Both(Hypervisor theirs, Hypervisor ours) {
      this.theirs = theirs;
      this.ours = ours;
    }

    private static int[] call(Hypervisor h, String call, int wanted, int... arguments) {
      int[] results = new int[wanted];
      assertTrue(h.rtas(call, arguments, results), call);
      return results;
    }

    private static void same(int[] expected, int[] actual, String call, int... arguments) {
      String what = "%s %s".formatted(call, Arrays.toString(arguments));
      assertEquals(expected[0], actual[0], what);
      if (expected[0] == Calls.RTAS_OK) {
        assertArrayEquals(expected, actual, what);
      }
    }

    void change(int address, int low, int function, int count) {
      int[] arguments = {address, HIGH, low, function, count, 1};
      int[] told = call(theirs, Calls.CHANGE_MSI, 4, arguments);
      same(told, call(ours, Calls.CHANGE_MSI, 4, arguments), Calls.CHANGE_MSI, arguments);
      if (told[0] == Calls.RTAS_OK) {
        had = told[1];
        granted += had;
        if (had > 0) {
          int[] first = {0, HIGH, (int) Pseries.BUID, 0};
          numbers =
              new int[] {
                call(theirs, Calls.SOURCE_NUMBER, 3, first)[1],
                call(ours, Calls.SOURCE_NUMBER, 3, first)[1]
              };
        }
        // A source that is given anew has its former route in QEMU.
        for (int i = 0; i < had; i++) {
          interrupt(Calls.SET_XIVE, 1, i, 0, 7);
        }
      }
    }

    void source(int address, int low, int index) {
      int[] arguments = {address, HIGH, low, index};
      int[] told = call(theirs, Calls.SOURCE_NUMBER, 3, arguments);
      int[] own = call(ours, Calls.SOURCE_NUMBER, 3, arguments);
      if (told[0] == Calls.RTAS_OK) {
        told[1] -= numbers[0];
        own[1] -= numbers[1];
      }
      same(told, own, Calls.SOURCE_NUMBER, arguments);
    }

    /// @param index of an interrupt that the card has; of others nobody's number is taken
    void interrupt(String call, int wanted, int index, int... more) {
      int[] theirArguments = new int[more.length + 1];
      System.arraycopy(more, 0, theirArguments, 1, more.length);
      int[] ourArguments = theirArguments.clone();
      theirArguments[0] = index < had ? numbers[0] + index : NOBODYS;
      ourArguments[0] = index < had ? numbers[1] + index : NOBODYS;
      same(
          call(theirs, call, wanted, theirArguments),
          call(ours, call, wanted, ourArguments),
          call,
          theirArguments);
    }
  }

  /// The model programs tables of its own, of the card's sizes.
  private static Hypervisor model(Pseries machine) {
    PaprModel model = new PaprModel(machine.memory(), _ -> true, List.of(0L));
    PaprModel.Bridge bridge =
        new PaprModel.Bridge(
            Pseries.BUID,
            0x1000,
            true,
            rid -> rid == Pseries.RID ? Optional.of(0x8000_0000L) : Optional.empty(),
            machine);
    model.add(bridge);
    var unused = model.addWindow(bridge, 0x8000_0000L, AddressRange.ofSize(0, 0x4000_0000));
    return model;
  }
}
