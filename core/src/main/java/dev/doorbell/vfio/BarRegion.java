package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.MsixCapability;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A BAR as a function's user reaches it. An MSI-X table in it is the user's own copy, kept and never read by anyone else.
public final class BarRegion implements RegisterBus {
  /// Pages that a user may map are the process's, and those are never smaller.
  private static final Granule PAGE = Granule.K4;

  /// A masked entry: the last of its four words is 1.
  private static final int ENTRY_BYTES = 16;

  private static final int CONTROL_OFFSET = 12;

  private final HostBar bar;
  private final Optional<AddressRange> table;
  private final byte[] copy;

  private BarRegion(HostBar bar, Optional<AddressRange> table) {
    this.bar = bar;
    this.table = table;
    this.copy = new byte[table.map(t -> (int) t.bytes()).orElse(0)];
    reset();
  }

  /// {@return a BAR whose MSI-X table, if it is there, never reaches the function}
  public static BarRegion of(HostBar bar, Optional<MsixCapability> msix) {
    return new BarRegion(
        bar,
        msix.filter(m -> m.tableBar() == bar.index())
            .map(m -> AddressRange.ofSize(m.tableOffset(), m.tableBytes()))
            .filter(t -> Long.compareUnsigned(t.last(), bar.bytes()) < 0));
  }

  /// Puts the user's copy back to what a reset leaves: every entry masked.
  public synchronized void reset() {
    for (int i = 0; i < copy.length; i++) {
      copy[i] = (byte) (i % ENTRY_BYTES == CONTROL_OFFSET ? 1 : 0);
    }
  }

  /// {@return the region, as far as its user may map it}
  public RegionInfo info() {
    return new RegionInfo(RegionType.ofBar(bar.index()), bar.bytes(), true, true, mappable());
  }

  private List<AddressRange> mappable() {
    if (!PAGE.isAligned(bar.bytes())) {
      return List.of();
    }
    if (table.isEmpty()) {
      return List.of(AddressRange.ofSize(0, bar.bytes()));
    }
    long from = PAGE.alignDown(table.get().start());
    long to = PAGE.alignDown(table.get().last()) + PAGE.bytes();
    List<AddressRange> out = new ArrayList<>();
    if (from > 0) {
      out.add(AddressRange.ofSize(0, from));
    }
    if (to < bar.bytes()) {
      out.add(AddressRange.ofSize(to, bar.bytes() - to));
    }
    return out;
  }

  @Override
  public long read(long offset, int bytes) {
    check(offset, bytes);
    if (!inTable(offset, bytes)) {
      return bar.registers().read(offset, bytes);
    }
    long value = 0;
    synchronized (this) {
      for (int i = bytes - 1; i >= 0; i--) {
        value = value << Byte.SIZE | copy[at(offset) + i] & 0xff;
      }
    }
    return value;
  }

  @Override
  public void write(long offset, long value, int bytes) {
    check(offset, bytes);
    if (!inTable(offset, bytes)) {
      bar.registers().write(offset, value, bytes);
      return;
    }
    synchronized (this) {
      for (int i = 0; i < bytes; i++) {
        copy[at(offset) + i] = (byte) (value >>> i * Byte.SIZE);
      }
    }
  }

  private int at(long offset) {
    return (int) (offset - table.orElseThrow().start());
  }

  /// Accesses are naturally aligned and the table starts and ends at multiples of 8: none crosses its edge.
  private boolean inTable(long offset, int bytes) {
    return table.isPresent() && table.get().contains(AddressRange.ofSize(offset, bytes));
  }

  private void check(long offset, int bytes) {
    boolean size = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    if (!size || offset < 0 || offset % bytes != 0 || offset > bar.bytes() - bytes) {
      throw new IllegalArgumentException(
          "access of %d bytes at 0x%x of BAR %d, which has 0x%x bytes"
              .formatted(bytes, offset, bar.index(), bar.bytes()));
    }
  }
}
