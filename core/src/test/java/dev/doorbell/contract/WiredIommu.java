package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.Protection;
import java.util.List;
import java.util.Optional;

/// An IOMMU whose tables are reached through a {@link Wiring}.
record WiredIommu(Iommu real, Wiring wiring) implements Iommu {
  /// Tables that hand everything on; wiring overrides what it changes.
  static class Space implements AddressSpace {
    final AddressSpace real;

    Space(AddressSpace real) {
      this.real = real;
    }

    @Override
    public Granule granule() {
      return real.granule();
    }

    @Override
    public long pageSizes() {
      return real.pageSizes();
    }

    @Override
    public AddressRange aperture() {
      return real.aperture();
    }

    @Override
    public List<AddressRange> iovas() {
      return real.iovas();
    }

    @Override
    public long placing(long iova) {
      return real.placing(iova);
    }

    @Override
    public void map(Iova iova, Pa pa, long bytes, Protection protection) {
      real.map(iova, pa, bytes, protection);
    }

    @Override
    public long unmap(Iova iova, long bytes) {
      return real.unmap(iova, bytes);
    }

    @Override
    public Optional<Pa> translate(Iova iova) {
      return real.translate(iova);
    }

    @Override
    public void close() {
      real.close();
    }
  }

  @Override
  public String id() {
    return real.id();
  }

  @Override
  public IommuCapabilities capabilities() {
    return real.capabilities();
  }

  @Override
  public AddressSpace createAddressSpace(Granule granule) {
    return wiring.space(real.createAddressSpace(granule));
  }

  @Override
  public AddressSpace createAddressSpace(Granule granule, List<AddressRange> wanted) {
    return wiring.space(real.createAddressSpace(granule, wanted));
  }

  @Override
  public void attach(int streamId, AddressSpace space) {
    real.attach(streamId, bare(space));
  }

  @Override
  public void block(int streamId) {
    real.block(streamId);
  }

  @Override
  public void bypass(int streamId) {
    real.bypass(streamId);
  }

  @Override
  public boolean attachesHitlessly(int streamId, AddressSpace space) {
    return real.attachesHitlessly(streamId, bare(space));
  }

  private static AddressSpace bare(AddressSpace space) {
    return space instanceof Space s ? s.real : space;
  }
}
