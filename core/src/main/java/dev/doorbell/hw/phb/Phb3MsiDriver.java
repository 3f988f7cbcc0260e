package dev.doorbell.hw.phb;

import dev.doorbell.irq.ServerRouter;

/// The message interrupts of a PHB3, whose entries (IVE) in memory say whose they are, and which server they go to.
///
/// An interrupt is masked by the priority that never gets through: the bridge remembers one message (Q), which is sent again by the unmask.
///
/// **Source**: skiboot 7.1 `hw/phb3.c` (`phb3_msi_set_xive`, `phb3_pci_msi_eoi`).
public final class Phb3MsiDriver extends PhbMsiDriver {
  /// Priority of everything that is not masked, as Linux has it for XICS.
  static final int PRIORITY = 5;

  private final Phb3Tables tables;
  private final ServerRouter router;
  private final short[] cpus;

  Phb3MsiDriver(Phb4Hardware.Messages hw, Phb3Tables tables, ServerRouter router) {
    super(hw, tables, router);
    this.tables = tables;
    this.router = router;
    cpus = new short[hw.count()];
  }

  private void route(int n) {
    tables.route(n, router.server(cpus[n]), isMasked(n) ? IveLayout.MASKED : PRIORITY);
  }

  @Override
  void on(int n, int cpu, boolean mask) {
    router.route(global(n), cpu);
    tables.off(n);
    cpus[n] = (short) cpu;
    route(n);
  }

  @Override
  void off(int n) {
    tables.off(n);
  }

  @Override
  void move(int n, int cpu) {
    router.route(global(n), cpu);
    cpus[n] = (short) cpu;
    route(n);
  }

  @Override
  void hold(int n) {
    route(n);
  }

  @Override
  void letThrough(int n) {
    route(n);
  }

  @Override
  void end(int n) {
    tables.end(n);
  }

  @Override
  void again(int n, boolean pending) {
    route(n);
  }
}
