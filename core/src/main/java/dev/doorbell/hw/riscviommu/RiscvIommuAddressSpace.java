package dev.doorbell.hw.riscviommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.Protection;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaAddressSpace;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaTable;
import java.util.Optional;
import java.util.function.BiConsumer;

/// First-stage tables (Sv39, Sv48 or Sv57) with a PSCID of their own, or second-stage ones (Sv39x4 to Sv57x4) with a GSCID. Safe for use from many threads.
///
/// Of a first stage only the lower half of the address space is used: addresses of the upper one have all higher bits set. Entries that are not valid are never
/// cached (RISC-V IOMMU 1.0, 2.7).
final class RiscvIommuAddressSpace extends VmsaAddressSpace<RiscvIommuDriver> {
  private final RiscvIommuSettings.Tags tags;
  private final int mode;
  private final int tag;
  private final Optional<MsiTable> files;

  private RiscvIommuAddressSpace(
      RiscvIommuSettings.Tags tags, VmsaTable table, Shape shape, int tag) {
    super(table);
    this.tags = tags;
    this.mode = shape.mode();
    this.files = shape.files();
    this.tag = tag;
  }

  /// {@return empty tables}
  ///
  /// @param iommu who makes them
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory; nothing is taken then
  static RiscvIommuAddressSpace create(
      RiscvIommuDriver iommu,
      RiscvIommuSettings.Tags tags,
      PhysicalMemory memory,
      Frames frames,
      Shape shape) {
    boolean second = shape.stage() == Stage.STAGE2;
    int tag = tags.take(iommu.id(), second);
    try {
      VmsaGeometry geometry =
          VmsaGeometry.wide(shape.stage(), SvPteLayout.levels(shape.mode()), shape.outputBits());
      VmsaTable table =
          VmsaTable.create(geometry, new SvFormat(shape.types()), memory, frames, true);
      return new RiscvIommuAddressSpace(tags, table, shape, tag);
    } catch (RuntimeException failed) {
      tags.giveBack(tag, second);
      throw failed;
    }
  }

  /// What the IOMMU that makes tables can do.
  ///
  /// @param mode `fsc.MODE`, or `iohgatp.MODE`
  /// @param types Svpbmt
  /// @param files a guest's MSI page table, which goes with the address space
  record Shape(Stage stage, int mode, int outputBits, boolean types, Optional<MsiTable> files) {
    static Shape of(Stage stage, int mode, int outputBits, boolean types) {
      return new Shape(stage, mode, outputBits, types, Optional.empty());
    }

    Shape with(MsiTable table) {
      return new Shape(stage, mode, outputBits, types, Optional.of(table));
    }
  }

  boolean isSecond() {
    return geometry().stage() == Stage.STAGE2;
  }

  int mode() {
    return mode;
  }

  /// {@return the PSCID, or the GSCID}
  int tag() {
    return tag;
  }

  /// {@return the MSI page table of the guest whose memory this is}
  Optional<MsiTable> files() {
    return files;
  }

  /// Changes where one of the guest's interrupt files is.
  ///
  /// @param change is given the table, and what has every IOMMU drop the file and waits for messages on their way
  /// @throws IllegalArgumentException when there is no such file, or this is closed
  void changeFile(int file, BiConsumer<MsiTable, Runnable> change) {
    MsiTable table = files.orElseThrow();
    Iova at = table.files().address(file);
    exclusively(() -> {
      if (isClosed()) {
        throw new IllegalArgumentException(this + " is closed");
      }
      change.accept(table, () -> users().forEach(iommu -> iommu.invalidateFile(this, at)));
    });
  }

  RiscvIommuSettings.Tags tags() {
    return tags;
  }

  int outputBits() {
    return geometry().outputBits();
  }

  @Override
  public AddressRange aperture() {
    AddressRange all = geometry().aperture();
    return isSecond() ? all : AddressRange.ofSize(0, all.last() / 2 + 1);
  }

  private void requireAperture(Iova iova, long bytes) {
    if (bytes > 0
        && !(aperture().contains(iova.value()) && aperture().contains(iova.value() + bytes - 1))) {
      throw new IllegalArgumentException(
          "0x%x bytes at %s leave the aperture %s".formatted(bytes, iova, aperture()));
    }
  }

  @Override
  public String toString() {
    return "RISC-V IOMMU address space of %s %d".formatted(isSecond() ? "GSCID" : "PSCID", tag);
  }

  @Override
  protected void invalidate(AddressRange range, boolean leafOnly) {
    for (RiscvIommuDriver iommu : users()) {
      iommu.invalidate(this, range, leafOnly);
    }
  }

  @Override
  protected void change(Iova iova, Pa pa, long bytes, Protection protection) {
    requireAperture(iova, bytes);
    AddressRange range = AddressRange.ofSize(iova.value(), bytes);
    if (files.filter(table -> table.meets(range)).isPresent()) {
      throw new IllegalArgumentException(
          "%s meets the guest's interrupt files, which its MSI page table has: %s"
              .formatted(range, files.get().files()));
    }
    super.change(iova, pa, bytes, protection);
  }

  @Override
  protected long remove(Iova iova, long bytes) {
    requireAperture(iova, bytes);
    return super.remove(iova, bytes);
  }

  @Override
  protected Optional<Pa> look(Iova iova) {
    return aperture().contains(iova.value()) ? super.look(iova) : Optional.empty();
  }

  @Override
  protected void released() {
    tags.giveBack(tag, isSecond());
    files.ifPresent(MsiTable::free);
  }

  @Override
  protected String name(RiscvIommuDriver iommu) {
    return iommu.id();
  }
}
