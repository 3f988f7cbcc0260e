package dev.doorbell.hw.phb;

import dev.doorbell.address.Granule;
import dev.doorbell.irq.EventRouter;
import dev.doorbell.irq.XiveEventLayout;
import java.util.List;

/// Drives a PHB4 or PHB5.
///
/// **Source**: skiboot 7.1 `hw/phb4.c`.
public final class Phb4Driver extends PhbDriver {
  private static final List<Granule> PAGES =
      List.of(Granule.K4, Granule.K64, new Granule(21), new Granule(30));

  private final Phb4MsiDriver messages;

  private Phb4Driver(Phb4Hardware hw, Phb4Tables tables, EventRouter router) {
    super(hw.kind(), tables, PAGES);
    messages = new Phb4MsiDriver(hw.messages(), tables, router);
  }

  /// {@return a driver of a bridge that it has given tables, with every requester id blocked and every interrupt off}
  ///
  /// @param router where its events go
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables; nothing is kept then
  /// @throws PhbException when the bridge is fenced, or does not do what it is told; nothing is kept then
  public static Phb4Driver open(Phb4Hardware hw, EventRouter router) {
    Phb4Tables tables =
        new Phb4Tables(hw, router.notifyPort(), XiveEventLayout.base(hw.messages().first()));
    tables.open();
    return new Phb4Driver(hw, tables, router);
  }

  @Override
  public Phb4MsiDriver messages() {
    return messages;
  }
}
