package dev.doorbell.hw.papr;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.EsbRegisters;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Follows an interrupt of a guest as far as the guest can see: by what the hypervisor tells of its source (ibm,get-xive, or H_INT_GET_SOURCE_CONFIG and the
/// source's page). What the hypervisor does in between is its own.
public final class PaprWalker {
  /// Where an interrupt goes.
  ///
  /// @param server number of the processor that it is presented to; empty when the hypervisor told of no such source
  /// @param held whether its source keeps it
  /// @param hops at least one
  public record Presented(OptionalInt server, boolean held, List<Hop> hops) {
    public Presented {
      hops = List.copyOf(hops);
    }
  }

  private static final Source GET_XIVE = Source.rule("LoPAPR 1.1, 7.3.8.2 (ibm,get-xive)");
  private static final Source XIRR = Source.rule("LoPAPR 1.1, 14.5.4.3.5 (H_XIRR)");
  private static final Source CONFIG =
      Source.rule("PAPR+, H_INT_GET_SOURCE_CONFIG; states of event sources (PQ)");
  private static final Source QUEUE = Source.rule("PAPR+, H_INT_SET_QUEUE_CONFIG");

  private final String id;
  private final Map<String, Long> routes;
  private final boolean exploited;

  /// @param id who gave the interrupt
  /// @param routes server and priority of each source, by the names of {@link PaprRoutes}
  public PaprWalker(String id, Map<String, Long> routes) {
    this.id = id;
    this.routes = Map.copyOf(routes);
    exploited = routes.containsKey(PaprRoutes.EXPLOITED);
  }

  /// {@return where an interrupt of a source goes}
  public Presented walk(int number) {
    String in = "interrupt 0x%x of the guest".formatted(number);
    Optional<Long> server = Optional.ofNullable(routes.get(PaprRoutes.server(number)));
    Optional<Long> priority = Optional.ofNullable(routes.get(PaprRoutes.priority(number)));
    Optional<Long> state = Optional.ofNullable(routes.get(PaprRoutes.state(number)));
    if (server.isEmpty() || priority.isEmpty()) {
      return new Presented(
          OptionalInt.empty(),
          false,
          List.of(
              new Hop(
                  id,
                  in,
                  "cannot see",
                  "%s tells of no such source, and what the hypervisor does with it is its own"
                      .formatted(exploited ? PaprRoutes.EXPLOITED : Calls.GET_XIVE),
                  exploited ? CONFIG : GET_XIVE,
                  Basis.UNSEEN)));
    }
    int to = server.get().intValue();
    boolean held =
        priority.get() == XirrLayout.LEAST_FAVORED
            || state.filter(pq -> pq != EsbRegisters.RESET).isPresent();
    Hop source =
        new Hop(
            "interrupt source 0x%x".formatted(number),
            in,
            "server 0x%x, priority 0x%x%s"
                .formatted(to, priority.get(), state.map(pq -> ", PQ " + pq).orElse("")),
            exploited ? managed(priority.get(), state) : presented(held),
            exploited ? CONFIG : GET_XIVE,
            Basis.DERIVED);
    return held
        ? new Presented(OptionalInt.of(to), true, List.of(source))
        : new Presented(OptionalInt.of(to), false, List.of(source, taken(in, to, priority.get())));
  }

  private static String presented(boolean held) {
    return held
        ? "ibm,get-xive tells the least favoured priority: the source keeps the interrupt until ibm,int-on"
        : "ibm,get-xive tells where the source's interrupts go; how the hypervisor brings them there cannot be seen";
  }

  private static String managed(long priority, Optional<Long> state) {
    if (priority == XiveCalls.MASKED) {
      return "H_INT_GET_SOURCE_CONFIG tells that the source tells nobody: its events are lost";
    }
    int pq = state.orElse((long) EsbRegisters.RESET).intValue();
    return switch (pq) {
      case EsbRegisters.OFF -> "the source's page tells that it is off: messages are dropped";
      case EsbRegisters.PENDING, EsbRegisters.QUEUED ->
          "the source's page tells of an event that has not been ended, or that the guest holds it back: the next message is kept";
      default ->
          "H_INT_GET_SOURCE_CONFIG tells where the source's events go; how the hypervisor brings them there cannot be seen";
    };
  }

  private Hop taken(String in, int to, long priority) {
    return new Hop(
        "interrupt server 0x%x".formatted(to),
        "priority 0x%x".formatted(priority),
        in,
        exploited
            ? "the processor finds the number of the interrupt in its event queue, once it takes priorities that are less favoured"
            : "H_XIRR gives the processor the number of the interrupt, once it takes priorities that are less favoured",
        exploited ? QUEUE : XIRR,
        Basis.DERIVED);
  }
}
