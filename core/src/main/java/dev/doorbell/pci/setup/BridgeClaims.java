package dev.doorbell.pci.setup;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import java.util.List;
import java.util.Optional;

/// The two memory windows of a bridge. A window that has nothing to hold is closed: its base lies above its limit.
///
/// **Source**: PCI-to-PCI Bridge 1.2, 3.2.5.6 to 3.2.5.10; PCI Express Base 6.0, 7.5.1.3.
final class BridgeClaims {
  /// Windows are whole MiBs.
  private static final long UNIT = BridgeHeaderLayout.MEMORY_UNIT;

  private final Found bridge;
  private final Window memory;
  private final Window prefetchable;

  /// @param memory what must lie in the memory window
  /// @param prefetchable what may lie in the prefetchable one
  BridgeClaims(Found bridge, List<Claim> memory, List<Claim> prefetchable) {
    this.bridge = bridge;
    this.memory = new Window("memory window", new Block(memory), false);
    this.prefetchable = new Window("prefetchable window", new Block(prefetchable), true);
  }

  /// {@return whether a bridge has a prefetchable window of 64-bit addresses}
  static boolean hasWidePrefetchable(Found bridge) {
    return bridge
            .header()
            .get(BridgeHeaderLayout.PREFETCHABLE_BASE, BridgeHeaderLayout.PREFETCHABLE_TYPE)
        == 1;
  }

  /// {@return the memory window, where it has something to hold}
  Optional<Claim> memory() {
    return memory.needed();
  }

  /// {@return the prefetchable window, where it has something to hold}
  Optional<Claim> prefetchable() {
    return prefetchable.needed();
  }

  void write(ConfigJournal journal) {
    ConfigAccess header = bridge.header();
    journal.set(
        header,
        BridgeHeaderLayout.IO_BASE,
        BridgeHeaderLayout.IO_ADDRESS,
        BridgeHeaderLayout.IO_ADDRESS.max());
    journal.set(header, BridgeHeaderLayout.IO_LIMIT, BridgeHeaderLayout.IO_ADDRESS, 0);
    journal.write(
        header,
        BridgeHeaderLayout.MEMORY_BASE,
        BridgeHeaderLayout.MEMORY_ADDRESS.place(units(memory.base())));
    journal.write(
        header,
        BridgeHeaderLayout.MEMORY_LIMIT,
        BridgeHeaderLayout.MEMORY_ADDRESS.place(units(memory.limit())));
    prefetchable(
        journal,
        BridgeHeaderLayout.PREFETCHABLE_BASE,
        BridgeHeaderLayout.PREFETCHABLE_BASE_UPPER,
        prefetchable.base());
    prefetchable(
        journal,
        BridgeHeaderLayout.PREFETCHABLE_LIMIT,
        BridgeHeaderLayout.PREFETCHABLE_LIMIT_UPPER,
        prefetchable.limit());
  }

  private void prefetchable(ConfigJournal journal, Register low, Register upper, long address) {
    journal.set(bridge.header(), low, BridgeHeaderLayout.PREFETCHABLE_ADDRESS, units(address));
    journal.write(bridge.header(), upper, address >>> Integer.SIZE);
  }

  /// Address bits 31 to 20.
  private static long units(long address) {
    return (address & ConfigHeaderLayout.DWORD.mask()) / UNIT;
  }

  PlacedFunction.Bridge placed() {
    Found.Bus below = bridge.below().orElseThrow();
    return new PlacedFunction.Bridge(
        below.number(), below.subordinate(), memory.range(), prefetchable.range());
  }

  private final class Window implements Claim {
    private final String what;
    private final Block block;
    private final boolean prefetchable;
    private long start;

    Window(String what, Block block, boolean prefetchable) {
      this.what = what;
      this.block = block;
      this.prefetchable = prefetchable;
    }

    Optional<Claim> needed() {
      return block.bytes() == 0 ? Optional.empty() : Optional.of(this);
    }

    Optional<AddressRange> range() {
      return needed().map(_ -> AddressRange.ofSize(start, bytes()));
    }

    long base() {
      return range()
          .map(AddressRange::start)
          .orElse(UNIT * BridgeHeaderLayout.MEMORY_ADDRESS.max());
    }

    long limit() {
      return range().map(AddressRange::last).orElse(0L);
    }

    @Override
    public String name() {
      return "%s of bridge %s".formatted(what, bridge.sbdf());
    }

    @Override
    public long bytes() {
      return Block.alignUp(block.bytes(), UNIT);
    }

    @Override
    public long alignment() {
      return Math.max(UNIT, block.alignment());
    }

    @Override
    public boolean wide() {
      return prefetchable;
    }

    @Override
    public boolean prefetchable() {
      return prefetchable;
    }

    @Override
    public void assign(long address) {
      start = address;
      block.assign(address);
    }
  }
}
