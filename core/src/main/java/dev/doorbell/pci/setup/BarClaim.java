package dev.doorbell.pci.setup;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import dev.doorbell.pci.BarDecode;
import dev.doorbell.pci.BarDecode.Kind;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.SriovLayout;

/// A memory BAR of a function, or one of the VFs' with room for all of them.
final class BarClaim implements Claim {
  private final String name;
  private final ConfigAccess structure;
  private final Register array;
  private final BarDecode bar;
  private final int copies;
  private long address;

  private BarClaim(String name, ConfigAccess structure, Register array, BarDecode bar, int copies) {
    this.name = name;
    this.structure = structure;
    this.array = array;
    this.bar = bar;
    this.copies = copies;
  }

  /// @param bar a memory BAR whose size is known
  static BarClaim of(Found found, BarDecode bar) {
    return new BarClaim(
        "BAR %d of %s".formatted(bar.index(), found.sbdf()),
        found.header(),
        ConfigHeaderLayout.BAR,
        bar,
        1);
  }

  /// @param bar a memory BAR of each VF whose size is known
  static BarClaim of(Found pf, Found.Vfs vfs, BarDecode bar) {
    return new BarClaim(
        "VF BAR %d of %s for %d VFs".formatted(bar.index(), pf.sbdf(), vfs.total()),
        vfs.capability(),
        SriovLayout.VF_BAR,
        bar,
        vfs.total());
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long bytes() {
    long one = alignment();
    return one > Block.ENDLESS / copies ? Block.ENDLESS : one * copies;
  }

  /// The size of one BAR (PCI Express Base 6.0, 7.5.1.2.1), of VFs too (9.3.3.14).
  @Override
  public long alignment() {
    long bytes = bar.bytes().orElseThrow();
    return bytes < 0 ? Block.ENDLESS : bytes;
  }

  @Override
  public boolean wide() {
    return bar.kind() == Kind.MEMORY_64;
  }

  @Override
  public boolean prefetchable() {
    return bar.prefetchable();
  }

  @Override
  public void assign(long at) {
    address = at;
  }

  void write(ConfigJournal journal) {
    int index = bar.index();
    journal.write(structure, array, index, ConfigHeaderLayout.DWORD.mask() & address);
    if (wide()) {
      journal.write(structure, array, index + 1, address >>> Integer.SIZE);
    }
  }

  PlacedFunction.Bar placed() {
    return new PlacedFunction.Bar(
        bar.index(), AddressRange.ofSize(address, bytes()), bar.kind(), bar.prefetchable());
  }
}
