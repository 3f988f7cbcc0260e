package dev.doorbell.contract;

import dev.doorbell.bus.RegisterBus;
import java.util.ArrayList;
import java.util.List;

/// A function's MSI-X table as its BAR shows it.
record ShownTable(RegisterBus bar, long offset, int count) {
  private static final int ENTRY = 16;

  /// {@return of each entry address, data, and whether it is masked}
  List<long[]> entries() {
    List<long[]> out = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long at = offset + (long) i * ENTRY;
      out.add(
          new long[] {
            bar.read(at, 4) | bar.read(at + 4, 4) << 32,
            bar.read(at + 8, 4),
            bar.read(at + 12, 4) & 1
          });
    }
    return out;
  }
}
