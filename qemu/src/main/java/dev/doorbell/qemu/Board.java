package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/// A machine that QEMU has and Doorbell drives: which interrupt controller and which IOMMU.
public enum Board {
  /// GICv3 with an ITS, and an SMMUv3.
  GICV3(
      Family.VIRT,
      QemuVersion.LEAST,
      "virt,gic-version=3,its=on,iommu=smmuv3",
      "a GICv3 with an ITS and an SMMUv3"),
  /// The same with an SMMUv3 that has stage 2 only. Needs QEMU 9.1.
  GICV3_STAGE2(
      Family.VIRT,
      new QemuVersion(9, 1, 0),
      "virt-9.1,gic-version=3,its=on,iommu=smmuv3",
      "a GICv3 with an ITS and an SMMUv3 of stage 2",
      "-global",
      "arm-smmuv3.stage=2"),
  /// GICv2 with a message frame, and an SMMUv3. QEMU's GICv2 bears one CPU only when it is driven from outside.
  GICV2M(
      Family.VIRT,
      QemuVersion.LEAST,
      "virt,gic-version=2,iommu=smmuv3",
      "a GICv2 with a v2m frame and an SMMUv3"),
  /// A PC with local APICs, and VT-d with interrupt remapping. Further properties: `-global intel-iommu.aw-bits=48` among the devices.
  Q35_VTD(
      Family.Q35,
      QemuVersion.LEAST,
      "q35,kernel-irqchip=split",
      "local APICs and VT-d",
      "-device",
      "intel-iommu,intremap=on"),
  /// A PC with local APICs, and an AMD IOMMU with interrupt remapping. It translates DMA from QEMU 10 on only, and by `-global
  /// amd-iommu.pt=off` (10) or `-global amd-iommu.dma-remap=on` (11).
  Q35_AMDVI(
      Family.Q35,
      QemuVersion.LEAST,
      "q35,kernel-irqchip=split",
      "local APICs and an AMD IOMMU",
      "-device",
      "amd-iommu,intremap=on"),
  /// A RISC-V machine with an IMSIC, and a RISC-V IOMMU. Needs QEMU 10.
  RISCV_IMSIC(
      Family.RISCV,
      new QemuVersion(10, 0, 0),
      "virt,aia=aplic-imsic,iommu-sys=on",
      "an IMSIC and a RISC-V IOMMU");

  private final Family family;
  private final QemuVersion least;
  private final String machine;
  private final String text;
  private final List<String> arguments;

  /// What boards have in common.
  private enum Family {
    /// CPUs that are off: they run nothing though the clock runs.
    VIRT(
        QemuBinary::arm,
        0x4000_0000L,
        List.of("-cpu", "cortex-a57,start-powered-off=on"),
        VirtPlatform::new),
    Q35(QemuBinary::x86, 0, List.of(), Q35Platform::new),
    RISCV(
        () -> QemuBinary.all("qemu-system-riscv64").getFirst(),
        0x8000_0000L,
        List.of("-bios", "none", "-cpu", "rv64,smaia=on,ssaia=on,start-powered-off=on"),
        RiscvPlatform::new);

    private final Supplier<QemuBinary> binary;
    private final AddressRange ram;
    private final List<String> arguments;
    private final Function<QemuProcess, Platform> platform;

    Family(
        Supplier<QemuBinary> binary,
        long ramStart,
        List<String> arguments,
        Function<QemuProcess, Platform> platform) {
      this.binary = binary;
      this.ram = AddressRange.ofSize(ramStart, 512 * Sizes.MIB);
      this.arguments = arguments;
      this.platform = platform;
    }
  }

  Board(Family family, QemuVersion least, String machine, String text, String... arguments) {
    this.family = family;
    this.least = least;
    this.machine = machine;
    this.text = text;
    this.arguments = List.of(arguments);
  }

  /// {@return the program to be used for it}
  ///
  /// @throws QemuMissing when there is none
  public QemuBinary binary() {
    return family.binary.get();
  }

  /// {@return the value of `-machine`}
  String machine() {
    return machine;
  }

  /// {@return the oldest QEMU that has it}
  public QemuVersion least() {
    return least;
  }

  /// {@return where its RAM lies}
  AddressRange ram() {
    return family.ram;
  }

  /// {@return arguments that come before the devices}
  List<String> first() {
    return family.arguments;
  }

  /// {@return arguments that come behind the devices, whose own addresses go first}
  List<String> last() {
    return arguments;
  }

  /// {@return whether its CPUs would run firmware as soon as the clock runs}
  boolean runsFirmware() {
    return family == Family.Q35;
  }

  /// {@return devices for it, where no others are asked for} Behind bridges, but on RISC-V: there QEMU's IOMMU takes a function's bus number
  /// before it is given one (`riscv_iommu_find_as`).
  public Devices devices() {
    return family == Family.RISCV ? Devices.onRootBus() : Devices.usual();
  }

  /// {@return whether its CPUs have interrupt files, which their debugger interface reaches}
  boolean hasInterruptFiles() {
    return family == Family.RISCV;
  }

  Platform platform(QemuProcess qemu) {
    return family.platform.apply(qemu);
  }

  /// {@return what it has, for people}
  public String text() {
    return text;
  }
}
