package dev.doorbell.hw.phb;

import dev.doorbell.address.Granule;
import dev.doorbell.irq.ServerRouter;
import java.util.List;

/// Drives a PHB3.
///
/// **Source**: skiboot 7.1 `hw/phb3.c`.
public final class Phb3Driver extends PhbDriver {
  private static final List<Granule> PAGES =
      List.of(Granule.K4, Granule.K64, new Granule(24), new Granule(28));

  private final Phb3MsiDriver messages;

  private Phb3Driver(Phb3Hardware hw, Phb3Tables tables, ServerRouter router) {
    super("PHB3", tables, PAGES);
    messages = new Phb3MsiDriver(hw.messages(), tables, router);
  }

  /// {@return a driver of a bridge that it has given tables, with every requester id blocked and every interrupt held back}
  ///
  /// @param router the servers that its interrupts go to
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables; nothing is kept then
  /// @throws PhbException when the bridge is fenced, or does not do what it is told; nothing is kept then
  public static Phb3Driver open(Phb3Hardware hw, ServerRouter router) {
    Phb3Tables tables = new Phb3Tables(hw);
    tables.open();
    return new Phb3Driver(hw, tables, router);
  }

  @Override
  public Phb3MsiDriver messages() {
    return messages;
  }
}
