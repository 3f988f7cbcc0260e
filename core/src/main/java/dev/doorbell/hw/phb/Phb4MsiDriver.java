package dev.doorbell.hw.phb;

import dev.doorbell.irq.EsbRegisters;
import dev.doorbell.irq.EventRouter;
import java.util.BitSet;

/// The message interrupts of a PHB4 or PHB5, whose owners are in the bridge (MIST).
///
/// An interrupt is masked by marking it pending: what comes meanwhile is queued in the bridge, and sent by the unmask.
///
/// **Source**: skiboot 7.1 `hw/phb4.c` (`phb4_set_ive_pe`, `phb4_get_msi_64`); Linux 6.12 `arch/powerpc/sysdev/xive/common.c`
/// (`xive_do_source_set_mask`, `xive_do_source_eoi`).
public final class Phb4MsiDriver extends PhbMsiDriver {
  private final Phb4Tables tables;
  private final EventRouter router;

  /// Marked pending by us, and not by an event.
  private final BitSet marked = new BitSet();

  Phb4MsiDriver(Phb4Hardware.Messages hw, Phb4Tables tables, EventRouter router) {
    super(hw, tables, router);
    this.tables = tables;
    this.router = router;
  }

  @Override
  void on(int n, int cpu, boolean mask) {
    router.route(global(n), cpu);
    marked.set(n, mask);
    tables.pq(n, mask ? EsbRegisters.PENDING : EsbRegisters.RESET);
  }

  @Override
  void off(int n) {
    tables.pq(n, EsbRegisters.OFF);
    marked.clear(n);
  }

  @Override
  void move(int n, int cpu) {
    router.route(global(n), cpu);
  }

  @Override
  void hold(int n) {
    int before = tables.pq(n, EsbRegisters.PENDING);
    if (before == EsbRegisters.QUEUED) {
      tables.pq(n, EsbRegisters.QUEUED);
    }
    marked.set(n, before == EsbRegisters.RESET);
  }

  @Override
  void letThrough(int n) {
    if (marked.get(n)) {
      marked.clear(n);
      tables.end(n);
    }
  }

  @Override
  void end(int n) {
    tables.end(n);
  }

  @Override
  void again(int n, boolean pending) {
    marked.set(n, isMasked(n) && !pending);
    tables.pq(n, isMasked(n) ? EsbRegisters.PENDING : EsbRegisters.RESET);
  }
}
