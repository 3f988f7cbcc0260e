package dev.doorbell.diff;

import dev.doorbell.bits.RegisterMap;
import dev.doorbell.hw.gicits.GitsRegisters;
import dev.doorbell.hw.gicits.ItsCommandLayout;
import dev.doorbell.hw.gicv2.GiccRegisters;
import dev.doorbell.hw.gicv2.GicdRegisters;
import dev.doorbell.hw.gicv2m.GicV2mRegisters;
import dev.doorbell.hw.gicv3.GicrRegisters;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import java.util.List;

/// What the `virt` machine of Arm has.
record ArmFamily(Hardware hardware) implements Family<ModelRig> {
  @Override
  public QemuBinary binary() {
    return QemuBinary.arm();
  }

  @Override
  public QemuMachine start(QemuBinary binary) {
    return QemuRig.start(binary, hardware);
  }

  @Override
  public ModelRig model(QemuVersion version) {
    return new ModelRig(hardware, SmmuDialect.of(version).features());
  }

  @Override
  public Discipline<ModelRig> discipline(QemuVersion version) {
    return discipline(SmmuDialect.of(version));
  }

  Discipline<ModelRig> discipline(SmmuDialect dialect) {
    return switch (hardware) {
      case SMMUV3 -> new SmmuDiscipline(hardware, dialect.ofWritesAlone());
      case SMMUV3_FULL -> new SmmuDiscipline(hardware, dialect);
      case ITS -> new ItsDiscipline();
      case GICV2M -> new V2mDiscipline();
      case VTD, VTD_SCALABLE, VTD_FIRST_STAGE, AMDVI, RISCV_IOMMU ->
          throw new IllegalArgumentException(hardware + " is none of Arm's");
    };
  }

  @Override
  public String stored(long address) {
    if (!hardware.isSmmu()) {
      return "";
    }
    if (address >= Board.TABLES) {
      return "descriptor";
    }
    if (address >= Board.CONTEXTS) {
      return "CD";
    }
    return address >= Board.STREAMS ? "STE or level-1 descriptor" : "";
  }

  @Override
  public String command(List<Long> words) {
    long code =
        hardware.isSmmu()
            ? CommandLayout.OPCODE.get(words.getFirst())
            : ItsCommandLayout.CODE.get(words.getFirst());
    String name =
        hardware.isSmmu()
            ? CommandLayout.OPCODE.names().nameOf(code)
            : ItsCommandLayout.NAMES.nameOf(code);
    return name.isEmpty() ? "command %02x".formatted(code) : name;
  }

  @Override
  public String register(long address) {
    if (hardware.isSmmu()) {
      return Describe.in(SmmuRegisters.MAP, address - Board.SMMU);
    }
    if (hardware == Hardware.ITS) {
      return its(address);
    }
    return address >= Board.V2M
        ? Describe.in(GicV2mRegisters.MAP, address - Board.V2M)
        : address >= Board.GICC
            ? Describe.in(GiccRegisters.MAP, address - Board.GICC)
            : Describe.in(GicdRegisters.MAP, address - Board.GICD);
  }

  private static String its(long address) {
    if (address >= Board.GICR) {
      long cpu = (address - Board.GICR) / GicrRegisters.BYTES;
      String name = Describe.in(GicrRegisters.MAP, (address - Board.GICR) % GicrRegisters.BYTES);
      return name.isEmpty() ? "" : name + " of CPU " + cpu;
    }
    RegisterMap map =
        address >= Board.ITS ? GitsRegisters.MAP : dev.doorbell.hw.gicv3.GicdRegisters.MAP;
    return Describe.in(map, address - (address >= Board.ITS ? Board.ITS : Board.GICD));
  }
}
