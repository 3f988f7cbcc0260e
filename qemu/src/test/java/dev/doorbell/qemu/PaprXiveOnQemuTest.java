package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.papr.Calls;
import dev.doorbell.hw.papr.PaprCalls;
import dev.doorbell.hw.papr.PaprException;
import dev.doorbell.hw.papr.PaprHardware;
import dev.doorbell.hw.papr.PaprInterruptDriver;
import dev.doorbell.hw.papr.PaprMsiDriver;
import dev.doorbell.hw.papr.XiveCalls;
import dev.doorbell.irq.EsbRegisters;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.pci.MessageTable;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "our PAPR driver on the hypervisor of QEMU's pseries machine, whose guest manages its interrupts itself (XIVE)")
class PaprXiveOnQemuTest {
  private static final int VECTORS = 5;
  private static final int PRIORITY = 6;
  private static final int QUEUE_SHIFT = 16;
  private static final MsiSource CARD = new MsiSource("e1000e", Pseries.RID);

  private final Pseries machine = Pseries.startOrSkip(Pseries.Presentation.XIVE);
  private final Frames frames = new PowerNv.Pool(machine.memory(), 0x1000_0000L);
  private final PaprCalls calls = new PaprCalls("test", machine, _ -> {});

  private PaprInterruptDriver interrupts(List<Long> servers) {
    return PaprInterruptDriver.open(
        calls,
        new PaprHardware.Exploitation(
            servers, PRIORITY, QUEUE_SHIFT, machine.memory(), frames, pages()));
  }

  private PaprHardware.Pages pages() {
    return new PaprHardware.Pages() {
      @Override
      public RegisterBus registers(AddressRange window) {
        return machine.registers(window);
      }

      @Override
      public RegisterBus context(int cpu) {
        return machine.context(cpu).orElseThrow();
      }
    };
  }

  private PaprMsiDriver driver() {
    return PaprMsiDriver.open(
        new PaprHardware.Messages(
            "msi", Pseries.BUID, OptionalInt.empty(), Source.rule("test"), machine),
        calls,
        interrupts(List.of(0L)));
  }

  private long[] call(long number, long... arguments) {
    long[] r = new long[6];
    r[0] = number;
    System.arraycopy(arguments, 0, r, 1, arguments.length);
    machine.hcall(0, r);
    assertEquals(Calls.H_SUCCESS, r[0], Calls.name(number));
    return r;
  }

  private static List<Integer> collected(PaprMsiDriver driver) {
    List<Integer> out = new ArrayList<>();
    driver.collect((number, _) -> out.add(number));
    return out;
  }

  /// Causes that were told are cleared, so that the card tells the next one.
  private void raise(int vector) {
    RegisterBus bar0 = machine.bar(0);
    bar0.write(0xc0, 0xffff_ffffL, 4);
    bar0.write(0xe4, 0xcba98, 4);
    bar0.write(0xd0, 0x1f0_0000, 4);
    bar0.write(0xc8, 1L << 20 + vector, 4);
  }

  private long state(VectorBlock b, int index) {
    long[] info = call(XiveCalls.H_INT_GET_SOURCE_INFO, 0, b.intid(index));
    return machine
        .registers(AddressRange.ofSize(info[2], 1L << info[4]))
        .read64(EsbRegisters.GET.offset());
  }

  @Test
  @DisplayName(
      "queue, routes and states are as the calls say; a card's messages come through the queue, kept while held back, and again after their end")
  void messages() {
    try (machine) {
      PaprMsiDriver driver = driver();
      long[] queue = call(XiveCalls.H_INT_GET_QUEUE_CONFIG, 0, 0, PRIORITY);
      assertEquals(XiveCalls.ALWAYS_NOTIFY.mask(), queue[1]);
      assertEquals(0x1000_0000L, queue[2]);
      assertEquals(QUEUE_SHIFT, queue[3]);
      VectorBlock b = driver.allocate(CARD, VECTORS, false);
      MessageTable table = machine.table(Pseries.RID, MessageTable.Kind.MSIX).orElseThrow();
      assertEquals(EsbRegisters.OFF, state(b, 0));
      for (int i = 0; i < VECTORS; i++) {
        assertEquals(0x400_0000_0000L, b.doorbell(i));
        assertEquals(b.intid(i), table.data(i));
        b.activate(i, 0);
        long[] route = call(XiveCalls.H_INT_GET_SOURCE_CONFIG, 0, b.intid(i));
        assertEquals(0, route[1], "target");
        assertEquals(PRIORITY, route[2]);
        assertEquals(b.intid(i), route[3], "EISN");
        assertEquals(EsbRegisters.RESET, state(b, i));
      }
      table.enable(VECTORS);
      for (int i = 0; i < VECTORS; i++) {
        table.mask(i, false);
      }
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < VECTORS; i++) {
          raise(i);
          assertEquals(EsbRegisters.PENDING, state(b, i));
          assertEquals(List.of(b.intid(i)), collected(driver));
          assertEquals(EsbRegisters.RESET, state(b, i), "ended");
        }
      }
      held(driver, b);
      b.deactivate(1);
      assertEquals(EsbRegisters.OFF, state(b, 1));
      assertEquals(XiveCalls.MASKED, call(XiveCalls.H_INT_GET_SOURCE_CONFIG, 0, b.intid(1))[2]);
      raise(1);
      assertEquals(List.of(), collected(driver));
      b.free();
    }
  }

  private void held(PaprMsiDriver driver, VectorBlock b) {
    b.mask(0);
    assertEquals(EsbRegisters.PENDING, state(b, 0), "marked");
    raise(0);
    assertEquals(EsbRegisters.QUEUED, state(b, 0));
    assertEquals(List.of(), collected(driver));
    b.unmask(0);
    assertEquals(List.of(b.intid(0)), collected(driver));
    raise(0);
    b.mask(0);
    assertEquals(List.of(), collected(driver), "it was in the queue already");
    raise(0);
    b.unmask(0);
    assertEquals(List.of(b.intid(0)), collected(driver));
    raise(0);
    assertEquals(List.of(b.intid(0)), collected(driver), "and goes on");
  }

  @Test
  @DisplayName(
      "a queue of a processor that is not there: the call and its answer are told, the first queue is given back")
  void refused() {
    try (machine) {
      PaprException e = assertThrows(PaprException.class, () -> interrupts(List.of(0L, 77L)));
      assertEquals(
          "XIVE: the hypervisor answered H_INT_SET_QUEUE_CONFIG with H_P2", e.getMessage());
      assertEquals(0, frames.bytesInUse());
      assertEquals(0, call(XiveCalls.H_INT_GET_QUEUE_CONFIG, 0, 0, PRIORITY)[3]);
    }
  }
}
