package dev.doorbell.hw.papr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.EsbRegisters;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("PAPR, H_INT_*: interrupts that the guest manages itself (XIVE)")
class PaprXiveDriverTest extends PaprMsiDriverContract {
  private static final int ENTRIES = (1 << PaprBench.QUEUE_SHIFT) / Integer.BYTES;

  PaprXiveDriverTest() {
    super(new PaprBench(true));
  }

  private long[] call(long number, long... arguments) {
    long[] r = new long[6];
    r[0] = number;
    System.arraycopy(arguments, 0, r, 1, arguments.length);
    bench.model.hcall(0, r);
    return r;
  }

  private static List<Integer> at(VectorBlock b, int index, int cpu) {
    return List.of(b.intid(index), cpu);
  }

  @Test
  @DisplayName(
      "each processor has a queue of its own, of the priority and size that were chosen, which tells of each event")
  void queues() {
    Set<Long> starts = new HashSet<>();
    for (long server : List.of(8L, 3L)) {
      long[] told = call(XiveCalls.H_INT_GET_QUEUE_CONFIG, 1, server, PaprBench.PRIORITY);
      assertEquals(Calls.H_SUCCESS, told[0]);
      assertEquals(XiveCalls.ALWAYS_NOTIFY.mask() | XiveCalls.GENERATION.mask(), told[1]);
      assertEquals(PaprBench.QUEUE_SHIFT, told[3]);
      assertEquals(0, told[4], "the next entry");
      starts.add(told[2]);
    }
    assertEquals(2, starts.size());
  }

  @Test
  @DisplayName("a queue goes round: its generation turns, and nothing is lost or told twice")
  void round() {
    VectorBlock b = bench.messages.allocate(SOURCE, 4, false);
    for (int i = 0; i < 4; i++) {
      b.activate(i, 0);
    }
    for (int n = 0; n < 3 * ENTRIES; n++) {
      send(b, n % 4);
      assertEquals(List.of(at(b, n % 4, 0)), bench.collect(), "message " + n);
    }
    long[] told = call(XiveCalls.H_INT_GET_QUEUE_CONFIG, 1, 8, PaprBench.PRIORITY);
    assertEquals(XiveCalls.ALWAYS_NOTIFY.mask(), told[1], "generation 0 after three rounds");
  }

  @Test
  @DisplayName(
      "messages that come before the first was taken are told as one, and the source goes on")
  void coalesced() {
    VectorBlock b = bench.messages.allocate(SOURCE, 1, false);
    b.activate(0, 1);
    for (int round = 0; round < 3; round++) {
      send(b, 0);
      send(b, 0);
      send(b, 0);
      assertEquals(List.of(at(b, 0, 1)), bench.collect());
      assertEquals(List.of(), bench.collect());
    }
  }

  @Test
  @DisplayName("a processor is told of an event, and of no more once the driver has taken it")
  void context() {
    VectorBlock b = bench.messages.allocate(SOURCE, 1, false);
    b.activate(0, 1);
    RegisterBus context = bench.model.context(1).orElseThrow();
    send(b, 0);
    assertEquals(0x80, context.read(ContextRegisters.NSR.offset(), 1));
    assertEquals(PaprBench.PRIORITY, context.read(ContextRegisters.PIPR.offset(), 1));
    assertEquals(0, bench.model.context(0).orElseThrow().read(ContextRegisters.NSR.offset(), 1));
    bench.collect();
    assertEquals(0, context.read(ContextRegisters.NSR.offset(), 1));
    assertEquals(0, context.read(ContextRegisters.IPB.offset(), 1));
    assertEquals(0xff, context.read(ContextRegisters.CPPR.offset(), 1));
  }

  @Test
  @DisplayName(
      "held back with an event in the queue: that one comes when it is let go on, and the message behind it, too")
  void heldBehindQueue() {
    VectorBlock b = bench.messages.allocate(SOURCE, 1, false);
    b.activate(0, 0);
    send(b, 0);
    send(b, 0);
    b.mask(0);
    assertEquals(List.of(), bench.collect());
    send(b, 0);
    assertEquals(List.of(), bench.collect());
    b.unmask(0);
    List<List<Integer>> all = new ArrayList<>(bench.collect());
    all.addAll(bench.collect());
    assertEquals(at(b, 0, 0), all.getFirst());
    assertTrue(all.size() <= 2, () -> "" + all);
    send(b, 0);
    assertEquals(List.of(at(b, 0, 0)), bench.collect(), "and goes on");
  }

  @Test
  @DisplayName(
      "a source that is stopped is off and tells nobody; what it had put into a queue is passed over")
  void stopped() {
    VectorBlock b = bench.messages.allocate(SOURCE, 1, false);
    b.activate(0, 0);
    send(b, 0);
    b.deactivate(0);
    long[] told = call(XiveCalls.H_INT_GET_SOURCE_CONFIG, 0, b.intid(0));
    assertEquals(XiveCalls.MASKED, told[2]);
    long[] state = call(XiveCalls.H_INT_ESB, 0, b.intid(0), EsbRegisters.GET.offset());
    assertEquals(EsbRegisters.OFF, state[1]);
    b.activate(0, 0);
    assertEquals(List.of(), bench.collect());
  }

  @Test
  @DisplayName("sources whose pages the hypervisor keeps are managed by H_INT_ESB")
  void byCall() {
    bench.byCall = true;
    VectorBlock b = bench.messages.allocate(SOURCE, 1, false);
    b.activate(0, 0);
    for (int i = 0; i < 3; i++) {
      send(b, 0);
      assertEquals(List.of(at(b, 0, 0)), bench.collect());
    }
    assertTrue(bench.made.contains("H_INT_ESB"));
  }

  @Test
  @DisplayName("more sources than a queue has entries: a refusal with both figures")
  void full() {
    PaprInterruptDriver d = bench.interrupts;
    int first = 0x1300;
    bench.byCall = true;
    bench.leftOut.addAll(List.of("H_INT_GET_SOURCE_INFO", "H_INT_SET_SOURCE_CONFIG", "H_INT_ESB"));
    PaprException e =
        assertThrows(
            PaprException.class,
            () -> {
              for (int n = first; n <= first + ENTRIES; n++) {
                d.start(n, 0, false);
              }
            });
    assertEquals("EventQueueFull", e.refusal().type());
    assertEquals(ENTRIES + 1, e.refusal().needed().orElseThrow().value());
    assertEquals(ENTRIES, e.refusal().available().orElseThrow().value());
  }

  @Test
  @DisplayName(
      "a hypervisor that has not agreed to it: the call and its answer are told, and no memory is kept")
  void refused() {
    PaprBench none = new PaprBench();
    long before = none.frames.bytesInUse();
    PaprException e =
        assertThrows(
            PaprException.class,
            () ->
                PaprInterruptDriver.open(
                    none.calls,
                    new PaprHardware.Exploitation(
                        List.of(8L),
                        PaprBench.PRIORITY,
                        PaprBench.QUEUE_SHIFT,
                        none.memory,
                        none.frames,
                        bench.pages())));
    assertEquals("HypervisorRefused", e.refusal().type());
    assertTrue(e.getMessage().contains("H_INT_RESET with H_FUNCTION"), e.getMessage());
    assertEquals(before, none.frames.bytesInUse());
  }

  @Test
  @DisplayName("a queue that is refused: those before it are given back")
  void queueRefused() {
    long before = bench.frames.bytesInUse();
    PaprException e =
        assertThrows(
            PaprException.class,
            () ->
                PaprInterruptDriver.open(
                    bench.calls,
                    new PaprHardware.Exploitation(
                        List.of(8L, 5L),
                        PaprBench.PRIORITY,
                        PaprBench.QUEUE_SHIFT,
                        bench.memory,
                        bench.frames,
                        bench.pages())));
    assertTrue(e.getMessage().contains("H_INT_SET_QUEUE_CONFIG with H_P2"), e.getMessage());
    assertEquals(before, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("the calls of XICS, and the routes of RTAS, are not there")
  void noXics() {
    assertEquals(Calls.H_FUNCTION, call(Calls.H_XIRR)[0]);
    int[] told = new int[1];
    assertTrue(bench.model.rtas(Calls.SET_XIVE, new int[] {0x1300, 8, 5}, told));
    assertEquals(Calls.RTAS_HARDWARE, told[0]);
  }

  @ParameterizedTest
  @DisplayName("a call that is left out shows")
  @ValueSource(
      strings = {
        "",
        "H_INT_GET_SOURCE_INFO",
        "H_INT_SET_SOURCE_CONFIG",
        "H_INT_ESB",
        "ibm,change-msi",
        "ibm,query-interrupt-source-number"
      })
  void sabotage(String leftOut) {
    bench.byCall = leftOut.equals("H_INT_ESB");
    bench.leftOut.add(leftOut);
    String seen;
    try {
      VectorBlock b = bench.messages.allocate(SOURCE, 2, false);
      b.activate(1, 0);
      send(b, 1);
      seen = bench.collect().toString();
      b.retarget(1, 1);
      send(b, 1);
      seen += bench.collect();
      b.mask(1);
      send(b, 1);
      seen += bench.collect();
      b.unmask(1);
      seen += bench.collect();
      b.deactivate(1);
      send(b, 1);
      seen += bench.collect();
    } catch (VectorsExhausted | PaprException | BusErrorException e) {
      seen = e.getClass().getSimpleName();
    }
    boolean right = seen.equals("[[4865, 0]][[4865, 1]][][[4865, 1]][]");
    assertEquals(leftOut.isEmpty(), right, leftOut + ": " + seen);
  }
}
