package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import java.util.List;

/// An IOMMU on its board.
///
/// @param iommu as QEMU 7.2 has it
record IommuFamily(ComparedIommu iommu) implements Family<IommuRig> {
  @Override
  public QemuBinary binary() {
    return iommu.binary();
  }

  @Override
  public QemuMachine start(QemuBinary binary) {
    return iommu.of(binary.version().orElse(QemuVersion.LEAST)).start(binary);
  }

  @Override
  public IommuRig model(QemuVersion version) {
    return new IommuRig(iommu.of(version));
  }

  @Override
  public Discipline<IommuRig> discipline(QemuVersion version) {
    return new IommuDiscipline(iommu.of(version));
  }

  @Override
  public String register(long address) {
    return Describe.in(iommu.map(), address - iommu.base());
  }

  @Override
  public String command(List<Long> words) {
    return iommu.command(words);
  }

  @Override
  public String stored(long address) {
    return iommu.kind(address).map(ComparedIommu.Kind::text).orElse("");
  }

  /// How IOMMUs are compared.
  private record IommuDiscipline(ComparedIommu iommu) implements Discipline<IommuRig> {
    @Override
    public List<Step> generate(long seed, int steps) {
      return iommu.generate(seed, steps);
    }

    @Override
    public int commandWords() {
      return iommu.commandWords();
    }

    @Override
    public void clear(PhysicalMemory memory) {
      memory.fill(iommu.board().used().start(), iommu.board().used().bytes(), (byte) 0);
    }

    @Override
    public Trial begin(IommuRig model, Rig other, Pace pace) {
      return new IommuTrial(iommu, model, other);
    }

    @Override
    public List<Pace> paces() {
      return List.of(Pace.STEPWISE);
    }
  }
}
