package dev.doorbell.hw.riscviommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
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

/// First-stage tables (Sv39 or Sv48) with a PSCID of their own. Safe for use from many threads.
///
/// Only the lower half of the address space is used: addresses of the upper one have all higher bits set. Entries that are not valid are never
/// cached (RISC-V IOMMU 1.0, 2.7).
final class RiscvIommuAddressSpace extends VmsaAddressSpace<RiscvIommuDriver> {
  private final RiscvIommuSettings.Tags tags;
  private final int mode;
  private final int pscid;

  private RiscvIommuAddressSpace(
      RiscvIommuSettings.Tags tags, VmsaTable table, int mode, int pscid) {
    super(table);
    this.tags = tags;
    this.mode = mode;
    this.pscid = pscid;
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
    int pscid = tags.take(iommu.id());
    try {
      VmsaGeometry geometry =
          VmsaGeometry.of(
              Granule.K4,
              Stage.STAGE1,
              SvPteLayout.shift(SvPteLayout.levels(shape.mode())),
              shape.outputBits());
      VmsaTable table =
          VmsaTable.create(geometry, new SvFormat(shape.types()), memory, frames, true);
      return new RiscvIommuAddressSpace(tags, table, shape.mode(), pscid);
    } catch (RuntimeException failed) {
      tags.giveBack(pscid);
      throw failed;
    }
  }

  /// What the IOMMU that makes tables can do.
  ///
  /// @param mode `fsc.MODE`
  /// @param types Svpbmt
  record Shape(int mode, int outputBits, boolean types) {}

  int mode() {
    return mode;
  }

  int pscid() {
    return pscid;
  }

  RiscvIommuSettings.Tags tags() {
    return tags;
  }

  int outputBits() {
    return geometry().outputBits();
  }

  @Override
  public AddressRange aperture() {
    return AddressRange.ofSize(0, geometry().aperture().last() / 2 + 1);
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
    return "RISC-V IOMMU address space of PSCID " + pscid;
  }

  @Override
  protected void invalidate(AddressRange range, boolean leafOnly) {
    for (RiscvIommuDriver iommu : users()) {
      iommu.invalidate(pscid, range, leafOnly);
    }
  }

  @Override
  protected void change(Iova iova, Pa pa, long bytes, Protection protection) {
    requireAperture(iova, bytes);
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
    tags.giveBack(pscid);
  }

  @Override
  protected String name(RiscvIommuDriver iommu) {
    return iommu.id();
  }
}
