package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.linux.LinuxAssignment.Request;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LiveHop.Movement;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.vfio.NoSuchFunction;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("issue 4.6: the first stop where a vector of the running host does not move")
class LiveTraceTest {
  private static final Sbdf NIC = Sbdf.parse("00:06.0");
  private static final Request TAKE = new Request(1, 3, false, true, Optional.empty());

  private final Map<String, Integer> before = Held.now();
  @TempDir Path root;
  private FakeKernel kernel;

  @BeforeEach
  void machine() {
    kernel = new FakeKernel(root);
    kernel.add(NIC, EndpointSpec.demo(5), "e1000e", false);
    kernel.write("sys/bus/pci/devices/" + NIC + "/power_state", "D0\n");
  }

  @AfterEach
  void givesAllBack() {
    assertEquals(before, Held.now());
  }

  private LinuxOptions options() {
    return new LinuxOptions(kernel.calls(), root, Access.CONTAINER, false, f -> List.of());
  }

  private LiveTrace trace(int vector, LiveTrace.Pause pause) {
    return LiveTrace.watch(options(), NIC, vector, pause);
  }

  private static Movement at(LiveTrace t, String stop) {
    return t.hops().stream()
        .filter(h -> h.hop().at().equals(stop))
        .findFirst()
        .orElseThrow()
        .movement();
  }

  @Test
  @DisplayName("a vector that works: every stop moved, counted by the kernel")
  void works() {
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      kernel.raise(NIC, 2);
      LiveTrace t =
          trace(
              2,
              () -> {
                kernel.raise(NIC, 2);
                kernel.raise(NIC, 2);
              });
      assertTrue(t.delivered());
      assertEquals(OptionalLong.of(2), t.counted());
      assertEquals(Optional.empty(), t.stoppedAt());
      assertEquals(FakeFunction.DOORBELL, t.programmed().orElseThrow().address());
      t.hops().forEach(h -> assertEquals(Movement.MOVED, h.movement(), h::toString));
      assertTrue(t.unseen().isEmpty(), t.unseen()::toString);
      assertFalse(a.functions().isEmpty());
    }
  }

  @Test
  @DisplayName("raised and masked: the mask is the stop, and the pending bit says why")
  void masked() {
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      kernel.mask(NIC, 1, true);
      LiveTrace t = trace(1, () -> kernel.raise(NIC, 1));
      assertEquals(Optional.of("mask"), t.stoppedAt());
      assertEquals(Movement.MOVED, at(t, "raise"));
      assertEquals(Movement.UNSEEN, at(t, "iommu"));
      assertEquals(Movement.STILL, at(t, "kernel"));
      assertEquals(Optional.of(true), t.programmed().orElseThrow().pending());
      assertFalse(a.functions().isEmpty());
    }
  }

  @Test
  @DisplayName(
      "a function that raises nothing is the stop; what could hide a lost message is named")
  void silent() {
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      LiveTrace t = trace(0, () -> kernel.raise(NIC, 1));
      assertEquals(Optional.of("raise"), t.stoppedAt());
      assertEquals(OptionalLong.of(0), t.counted());
      assertTrue(
          t.unseen().stream().anyMatch(u -> u.what().equals("tables of the IOMMU")),
          t.unseen()::toString);
      assertFalse(a.functions().isEmpty());
    }
  }

  @Test
  @DisplayName("switched off at the controller (disable_irq): that is the stop, not the function")
  void disabled() {
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      int irq = new KernelInterrupts(options()).of(NIC).thing().orElseThrow().get(0).irq();
      kernel.write(
          "sys/kernel/debug/irq/irqs/" + irq,
          """
          handler:  handle_fasteoi_irq
          ddepth:   1
          dstate:   0x31400200
                      IRQD_IRQ_DISABLED
          domain:  ITS-PCI-MSIX-0000:00:06.0-12
           hwirq:   0x0
           chip:    ITS-PCI-MSIX-0000:00:06.0
           parent:
              domain:  :intc@8000000-1
               hwirq:   0x2002
               chip:    GICv3
          """);
      LiveTrace t = trace(0, () -> {});
      assertEquals(Optional.of("controller"), t.stoppedAt());
      assertEquals(Movement.UNSEEN, at(t, "raise"));
      assertEquals(OptionalLong.of(0x2002), t.intid());
      assertFalse(a.functions().isEmpty());
    }
  }

  @Test
  @DisplayName(
      "nothing enabled, a vector that nobody requested, and no Bus Master Enable: each its own stop")
  void notSetUp() {
    LiveTrace off = trace(0, () -> {});
    assertEquals(Optional.of("function"), off.stoppedAt());
    assertTrue(off.hops().getFirst().hop().why().contains("Bus Master Enable"));
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      LiveTrace t = trace(4, () -> {});
      assertEquals(Optional.of("enable"), t.stoppedAt());
      IndexOutOfBoundsException none =
          assertThrows(IndexOutOfBoundsException.class, () -> trace(5, () -> {}));
      assertEquals("0000:00:06.0 has 5 vectors and no vector 5", none.getMessage());
      assertFalse(a.functions().isEmpty());
    }
    kernel.write("sys/bus/pci/devices/" + NIC + "/power_state", "D3cold\n");
    assertTrue(trace(0, () -> {}).hops().getFirst().hop().why().contains("sleeps"));
  }

  @Test
  @DisplayName("a user without rights: what cannot be seen is said, and the counters still tell")
  void withoutRights() {
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      kernel.raise(NIC, 0);
      kernel.truncateConfig(NIC, 64);
      LiveTrace t = trace(0, () -> {});
      assertEquals(Optional.of("kernel"), t.stoppedAt());
      assertEquals(Movement.UNSEEN, at(t, "raise"));
      assertTrue(
          t.unseen().stream().anyMatch(u -> u.what().equals("what is programmed")),
          t.unseen()::toString);
      assertFalse(a.functions().isEmpty());
    }
  }

  @Test
  @DisplayName("the first look did not see the counter: what it counted before is no movement")
  void notSeenBefore() {
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      kernel.raise(NIC, 0);
      int irq = new KernelInterrupts(options()).of(NIC).thing().orElseThrow().get(0).irq();
      String count = "sys/kernel/irq/" + irq + "/per_cpu_count";
      LiveSample now = LiveSample.take(options(), NIC, 0);
      kernel.remove(count);
      kernel.write(count + "/x", "");
      LiveSample before = LiveSample.take(options(), NIC, 0);
      assertTrue(before.interrupt().isNotVisible(), before::toString);
      LiveTrace t = new LiveHops(before, now).read();
      assertEquals(OptionalLong.empty(), t.counted());
      assertFalse(t.delivered());
      assertEquals(Movement.UNSEEN, at(t, "raise"));
      assertEquals(Movement.UNSEEN, at(t, "kernel"));
      assertEquals(Optional.empty(), t.stoppedAt());
      assertTrue(t.unseen().toString().contains("at the first look"), t.unseen()::toString);
      assertFalse(a.functions().isEmpty());
    }
  }

  @Test
  @DisplayName("another IRQ than at the first look: a stop of its own, and no movement")
  void anotherIrq() {
    LiveSample before;
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      before = LiveSample.take(options(), NIC, 0);
      assertFalse(a.functions().isEmpty());
    }
    try (LinuxAssignment a = LinuxAssignment.of(options(), List.of(NIC), TAKE)) {
      kernel.raise(NIC, 0);
      LiveSample now = LiveSample.take(options(), NIC, 0);
      LiveTrace t = new LiveHops(before, now).read();
      assertEquals(OptionalLong.empty(), t.counted());
      assertFalse(t.delivered());
      assertEquals(Movement.UNSEEN, at(t, "irq"));
      assertEquals(Movement.UNSEEN, at(t, "kernel"));
      LiveTrace first = new LiveHops(sampleWithoutInterrupt(before), now).read();
      assertEquals(OptionalLong.of(1), first.counted());
      assertTrue(first.hops().stream().noneMatch(h -> h.hop().at().equals("irq")));
      assertFalse(a.functions().isEmpty());
    }
  }

  private static LiveSample sampleWithoutInterrupt(LiveSample like) {
    return new LiveSample(
        like.function(),
        like.vector(),
        like.driver(),
        like.power(),
        like.busMaster(),
        like.programmed(),
        new Seen.NotThere<>(),
        like.domains(),
        like.group(),
        like.groupType(),
        like.messages(),
        like.remapping());
  }

  @Test
  @DisplayName("a function that is not there is refused by name")
  void noSuchFunction() {
    assertThrows(
        NoSuchFunction.class, () -> LiveTrace.watch(options(), Sbdf.parse("09:00.0"), 0, () -> {}));
  }
}
