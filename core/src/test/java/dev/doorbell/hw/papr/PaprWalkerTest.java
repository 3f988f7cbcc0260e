package dev.doorbell.hw.papr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Basis;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("LoPAPR 7.3.8: where an interrupt goes, as far as the guest can see")
class PaprWalkerTest {
  private final PaprBench bench = new PaprBench();

  private PaprWalker.Presented walk(int number) {
    return new PaprWalker("msi@a", bench.messages.routes()).walk(number);
  }

  @Test
  @DisplayName("routed, moved, held back, given back: each as ibm,get-xive tells it")
  void followed() {
    VectorBlock b = bench.messages.allocate(new MsiSource("function", PaprBench.RID), 2, false);
    b.activate(0, 0);
    assertEquals(8, walk(b.intid(0)).server().orElseThrow());
    assertFalse(walk(b.intid(0)).held());
    b.retarget(0, 1);
    assertEquals(3, walk(b.intid(0)).server().orElseThrow());
    b.mask(0);
    assertTrue(walk(b.intid(0)).held());
    assertTrue(walk(b.intid(1)).held(), "never activated");
    b.free();
    assertEquals(Basis.UNSEEN, walk(b.intid(0)).hops().getLast().basis());
  }

  @Test
  @DisplayName("nothing was told of a source: cannot see")
  void unseen() {
    PaprWalker.Presented p = new PaprWalker("msi@a", Map.of()).walk(0x1300);
    assertTrue(p.server().isEmpty());
    assertEquals("cannot see", p.hops().getFirst().out());
  }
}
