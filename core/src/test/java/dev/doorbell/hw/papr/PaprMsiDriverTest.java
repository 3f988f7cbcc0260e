package dev.doorbell.hw.papr;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("LoPAPR 7.3.10.5, 7.3.8: interrupts that the hypervisor gives and presents (XICS)")
class PaprMsiDriverTest extends PaprMsiDriverContract {
  PaprMsiDriverTest() {
    super(new PaprBench());
  }

  @Test
  @DisplayName("another processor's request is ended, and no interrupt of ours is lost behind it")
  void request() {
    VectorBlock b = bench.messages.allocate(SOURCE, 1, false);
    b.activate(0, 0);
    bench.model.hcall(1, new long[] {Calls.H_IPI, 8, 4});
    send(b, 0);
    assertEquals(List.of(List.of(0x1300, 0)), bench.collect());
    long[] poll = {Calls.H_IPOLL, 8, 0};
    bench.model.hcall(0, poll);
    assertEquals(0xff, poll[2], "MFRR");
    assertEquals(0xff00_0000L, poll[1]);
  }

  @ParameterizedTest
  @DisplayName("a call that is left out shows")
  @ValueSource(
      strings = {
        "",
        "H_EOI",
        "ibm,set-xive",
        "ibm,int-off",
        "ibm,int-on",
        "ibm,change-msi",
        "ibm,query-interrupt-source-number"
      })
  void sabotage(String leftOut) {
    bench.leftOut.add(leftOut);
    String seen;
    try {
      VectorBlock b = bench.messages.allocate(SOURCE, 2, false);
      b.activate(1, 0);
      send(b, 1);
      seen = bench.collect().toString();
      send(b, 1);
      seen += bench.collect();
      b.mask(1);
      send(b, 1);
      seen += bench.collect();
      b.deactivate(1);
      b.activate(1, 1);
      seen += bench.collect();
      b.unmask(1);
      b.mask(1);
      send(b, 1);
      b.unmask(1);
      seen += bench.collect();
    } catch (VectorsExhausted | PaprException e) {
      seen = e.getClass().getSimpleName();
    }
    boolean right = seen.equals("[[4865, 0]][[4865, 0]][][][[4865, 1]]");
    // What was not held back at the source is held back by the driver: nothing is lost or early.
    assertEquals(List.of("", "ibm,int-off").contains(leftOut), right, leftOut + ": " + seen);
  }
}
