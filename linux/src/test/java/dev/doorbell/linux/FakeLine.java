package dev.doorbell.linux;

import java.util.function.IntConsumer;

/// A function's INTx as vfio-pci drives it: masked as soon as it signals.
///
/// **Source**: Linux `drivers/vfio/pci/vfio_pci_intrs.c`: `vfio_intx_handler`, `vfio_pci_set_intx_unmask`
final class FakeLine {
  private static final int NONE = -1;

  private final IntConsumer signal;
  private int trigger = NONE;

  /// The eventfd that lets it through.
  private int handled = NONE;

  private boolean masked;
  private boolean asserted;

  FakeLine(IntConsumer signal) {
    this.signal = signal;
  }

  boolean isEnabled() {
    return trigger != NONE;
  }

  int set(int fd) {
    trigger = fd;
    masked = false;
    return look();
  }

  int disable() {
    trigger = NONE;
    handled = NONE;
    return 0;
  }

  int loopback() {
    signal.accept(trigger);
    return 0;
  }

  int mask(boolean on) {
    masked = on;
    return look();
  }

  int letThroughBy(int fd) {
    if (fd >= 0 && handled != NONE) {
      return -Errno.EBUSY.number();
    }
    handled = fd < 0 ? NONE : fd;
    return 0;
  }

  /// The function asserts it or lets it go.
  void level(boolean high) {
    asserted = high;
    look();
  }

  /// Somebody signals an eventfd.
  void written(int fd) {
    if (fd == handled) {
      mask(false);
    }
  }

  private int look() {
    if (asserted && !masked && isEnabled()) {
      masked = true;
      signal.accept(trigger);
    }
    return 0;
  }
}
