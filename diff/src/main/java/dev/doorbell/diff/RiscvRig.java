package dev.doorbell.diff;

import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.hw.riscviommu.RiscvIommuRegisters;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A `virt` machine of QEMU's for RISC-V, with an IOMMU.
///
/// **Source** QEMU, `docs/specs/riscv-iommu.rst`, `docs/system/riscv/virt.rst`.
final class RiscvRig extends QtestRig {
  private static final long ECAM = 0x3000_0000L;
  private static final long BARS = 0x4000_0000L;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private RiscvRig(QemuProcess qemu) {
    super(qemu, ECAM);
    placeDevices();
  }

  /// Starts QEMU.
  ///
  /// @throws dev.doorbell.qemu.QemuException when it cannot be started
  static RiscvRig start(QemuBinary binary) {
    List<String> arguments = new ArrayList<>(List.of("-bios", "none"));
    for (int requester : RiscvIommu.REQUESTERS) {
      arguments.addAll(List.of("-device", "edu,addr=%x".formatted(requester >>> 3)));
    }
    QemuProcess qemu =
        QemuProcess.start(
            new QemuProcess.Settings(
                binary,
                "virt,aia=aplic-imsic,iommu-sys=on",
                RiscvIommu.BOARD.ram(),
                arguments,
                PATIENCE));
    boolean done = false;
    try {
      RiscvRig rig = new RiscvRig(qemu);
      done = true;
      return rig;
    } finally {
      if (!done) {
        qemu.close();
      }
    }
  }

  private void placeDevices() {
    for (int requester : RiscvIommu.REQUESTERS) {
      place(requester, BARS + (long) requester * EduLayout.MAP.bytes());
    }
    settle();
  }

  @Override
  public void reset() {
    settle();
    process().reset();
    placeDevices();
    // What cqh is after reset is open (chapter 6), and QEMU keeps it: turning the queue on sets it.
    set(RiscvIommu.UNIT, RiscvIommuRegisters.CQCSR, 0);
    set(RiscvIommu.UNIT, RiscvIommuRegisters.CQT, 0);
    set(RiscvIommu.UNIT, RiscvIommuRegisters.CQCSR, RiscvIommuRegisters.CQEN.mask());
    set(RiscvIommu.UNIT, RiscvIommuRegisters.CQCSR, RiscvIommuRegisters.CMD_ILL.mask());
    settle();
  }

  @Override
  public long fetch(int requester, long address) {
    throw new IllegalArgumentException("no device reads here");
  }
}
