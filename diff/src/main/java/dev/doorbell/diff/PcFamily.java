package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import java.util.List;

/// What a PC has.
///
/// @param iommu as QEMU 7.2 has it
record PcFamily(Hardware hardware, PcIommu iommu) implements Family<PcModel> {
  @Override
  public QemuBinary binary() {
    return QemuBinary.x86();
  }

  @Override
  public QemuMachine start(QemuBinary binary) {
    QemuVersion version = binary.version().orElse(QemuVersion.LEAST);
    return PcRig.start(binary, iommu.of(version).option());
  }

  @Override
  public PcModel model(QemuVersion version) {
    return new PcModel(iommu.of(version));
  }

  @Override
  public Discipline<PcModel> discipline(QemuVersion version) {
    return new PcDiscipline(iommu.of(version));
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
    return iommu
        .kind(address)
        .map(kind ->
            switch (kind) {
              case DEVICE -> "device's entry, or what leads to it";
              case PAGE -> "page table entry";
              case INTERRUPT -> "interrupt table entry";
            })
        .orElse("");
  }

  /// How PCs are compared.
  private record PcDiscipline(PcIommu iommu) implements Discipline<PcModel> {
    @Override
    public List<Step> generate(long seed, int steps) {
      return iommu.generate(seed, steps);
    }

    @Override
    public int commandWords() {
      return 2;
    }

    @Override
    public void clear(PhysicalMemory memory) {
      memory.fill(Pc.ARENA, Pc.TARGETS - Pc.ARENA + Pc.TARGET_BYTES, (byte) 0);
    }

    @Override
    public Trial begin(PcModel model, Rig other, Pace pace) {
      return new PcTrial(iommu, model, other);
    }

    @Override
    public List<Pace> paces() {
      return List.of(Pace.STEPWISE);
    }
  }
}
