package dev.doorbell.pci.setup;

import dev.doorbell.explain.Refusal.Figure;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.List;

/// There are more buses than numbers below a root bus.
public final class BusNumbersExhausted extends PciSetupException {
  private static final long serialVersionUID = 1L;

  private BusNumbersExhausted(String message, long needed, long available, Objects objects) {
    super(
        refusal(
            "BusNumbersExhausted",
            message,
            new Figure(needed, "bus numbers"),
            new Figure(available, "bus numbers"),
            objects));
  }

  /// @param needed the bus number that the function needs
  static BusNumbersExhausted at(Sbdf function, int needed, RootBus root) {
    long have = root.lastBus() - root.bus() + 1L;
    String what = "root bus %02x".formatted(root.bus());
    return new BusNumbersExhausted(
        "%s leads to bus 0x%02x, and %s has %d numbers, up to 0x%02x"
            .formatted(function, needed, what, have, root.lastBus()),
        needed - root.bus() + 1L,
        have,
        new Objects(
            List.of(function.toString(), what),
            Source.rule("bus range of the host bridge"),
            "take bridges away, or give the root bus numbers up to 0x%02x".formatted(needed)));
  }
}
