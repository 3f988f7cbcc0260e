package dev.doorbell.hw.papr;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Follows an interrupt of a guest as far as the guest can see: by what ibm,get-xive tells of its source. What the hypervisor does in between is its own.
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

  private final String id;
  private final Map<String, Long> routes;

  /// @param id who gave the interrupt
  /// @param routes server and priority of each source, by the names of {@link PaprRoutes}
  public PaprWalker(String id, Map<String, Long> routes) {
    this.id = id;
    this.routes = Map.copyOf(routes);
  }

  /// {@return where an interrupt of a source goes}
  public Presented walk(int number) {
    String in = "interrupt 0x%x of the guest".formatted(number);
    Optional<Long> server = Optional.ofNullable(routes.get(PaprRoutes.server(number)));
    Optional<Long> priority = Optional.ofNullable(routes.get(PaprRoutes.priority(number)));
    if (server.isEmpty() || priority.isEmpty()) {
      return new Presented(
          OptionalInt.empty(),
          false,
          List.of(
              new Hop(
                  id,
                  in,
                  "cannot see",
                  "ibm,get-xive tells of no such source, and what the hypervisor does with it is its own",
                  GET_XIVE,
                  Basis.UNSEEN)));
    }
    int to = server.get().intValue();
    boolean held = priority.get() == XirrLayout.LEAST_FAVORED;
    String at = "interrupt source 0x%x".formatted(number);
    Hop source =
        new Hop(
            at,
            in,
            "server 0x%x, priority 0x%x".formatted(to, priority.get()),
            held
                ? "ibm,get-xive tells the least favoured priority: the source keeps the interrupt until ibm,int-on"
                : "ibm,get-xive tells where the source's interrupts go; how the hypervisor brings them there cannot be seen",
            GET_XIVE,
            Basis.DERIVED);
    if (held) {
      return new Presented(OptionalInt.of(to), true, List.of(source));
    }
    Hop presented =
        new Hop(
            "interrupt server 0x%x".formatted(to),
            "priority 0x%x".formatted(priority.get()),
            in,
            "H_XIRR gives the processor the number of the interrupt, once it takes priorities that are less favoured",
            XIRR,
            Basis.DERIVED);
    return new Presented(OptionalInt.of(to), false, List.of(source, presented));
  }
}
