package dev.doorbell.diff;

import dev.doorbell.address.AddressRange;
import dev.doorbell.hw.gicv2.GiccRegisters;
import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// QEMU's `virt` machine with `edu` devices, whose MSI capability is used as a way to write 16 bits, zero-extended to 32, to any address:
/// the capability's address and data are set, and a write of the device's interrupt raise register sends them.
///
/// **Source** QEMU, `docs/specs/edu.rst`, `docs/system/arm/virt.rst`.
final class QemuRig extends QtestRig {
  private static final long ECAM = 0x40_1000_0000L;
  private static final long BARS = 0x1000_0000L;
  private static final long BAR_BYTES = EduLayout.MAP.bytes();
  private static final int BUS_SHIFT = 8;
  private static final int FIRST_PORT_SLOT = 4;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Hardware hardware;
  private final EduReads reads;

  private QemuRig(QemuProcess process, Hardware hardware) {
    super(process, ECAM);
    this.hardware = hardware;
    reads = new EduReads(process, hardware);
    clearBelowArena();
    placeDevices();
    makeEdges();
    reads.letRun();
  }

  /// Starts QEMU.
  ///
  /// @throws dev.doorbell.qemu.QemuException when it cannot be started
  static QemuRig start(QemuBinary binary, Hardware hardware) {
    QemuProcess process =
        QemuProcess.start(
            new QemuProcess.Settings(
                binary,
                machine(hardware),
                AddressRange.ofSize(Board.RAM, Board.RAM_BYTES),
                arguments(hardware),
                PATIENCE));
    boolean done = false;
    try {
      QemuRig rig = new QemuRig(process, hardware);
      done = true;
      return rig;
    } finally {
      if (!done) {
        process.close();
      }
    }
  }

  private static String machine(Hardware hardware) {
    return switch (hardware) {
      case SMMUV3, SMMUV3_FULL -> "virt,gic-version=3,iommu=smmuv3";
      case ITS -> "virt,gic-version=3,its=on";
      case GICV2M -> "virt,gic-version=2";
      case VTD, VTD_SCALABLE, VTD_FIRST_STAGE, AMDVI, RISCV_IOMMU ->
          throw new IllegalArgumentException(hardware + " is none of Arm's");
    };
  }

  private static List<String> arguments(Hardware hardware) {
    List<String> out = new ArrayList<>();
    out.addAll(List.of("-cpu", "cortex-a57,start-powered-off=on"));
    out.addAll(List.of("-smp", Integer.toString(hardware == Hardware.ITS ? Board.GICV3_CPUS : 1)));
    if (hardware == Hardware.SMMUV3_FULL) {
      out.addAll(EduReads.ARGUMENTS);
    }
    int ports = 0;
    for (int requester : Board.REQUESTERS) {
      if (requester >>> BUS_SHIFT == 0) {
        out.addAll(List.of("-device", "edu,addr=%x".formatted(requester >>> 3)));
      } else {
        ports++;
        out.addAll(
            List.of(
                "-device",
                "pcie-root-port,id=rp%d,chassis=%d,addr=%x"
                    .formatted(ports, ports, FIRST_PORT_SLOT + ports - 1),
                "-device",
                "edu,bus=rp%d".formatted(ports)));
      }
    }
    return out;
  }

  @Override
  public void reset() {
    settle();
    reads.stop();
    process().reset();
    clearWhatStays();
    clearBelowArena();
    placeDevices();
    makeEdges();
    reads.letRun();
  }

  private void makeEdges() {
    if (hardware == Hardware.SMMUV3_FULL) {
      batch().write(SmmuLines.CONFIGURE, SmmuLines.EDGES, Integer.BYTES);
      settle();
    }
  }

  /// What a reset leaves as it was: active priorities (`gicv2-apr-reset`), and where the stream table is.
  private void clearWhatStays() {
    if (hardware.isSmmu()) {
      batch().write(Board.SMMU + SmmuRegisters.STRTAB_BASE.offset(), 0, Long.BYTES);
      batch().write(Board.SMMU + SmmuRegisters.STRTAB_BASE_CFG.offset(), 0, Integer.BYTES);
    }
    for (int i = 0; hardware == Hardware.GICV2M && i < GiccRegisters.APR.count(); i++) {
      batch().write(Board.GICC + GiccRegisters.APR.offset(i), 0, Integer.BYTES);
      batch().write(Board.GICC + GiccRegisters.NSAPR.offset(i), 0, Integer.BYTES);
    }
  }

  /// QEMU puts a device tree at the start of RAM, with random numbers in it: a walk that is led there reads it.
  private void clearBelowArena() {
    process().ram().fill(Board.RAM, Board.ARENA - Board.RAM, (byte) 0);
  }

  private void placeDevices() {
    int index = 0;
    int ports = 0;
    for (int requester : Board.REQUESTERS) {
      long bar = BARS + index * BAR_BYTES;
      int bus = requester >>> BUS_SHIFT;
      if (bus != 0) {
        bridge((FIRST_PORT_SLOT + ports) << 3, bus, bar);
        ports++;
      }
      place(requester, bar);
      index++;
    }
    settle();
  }

  private void bridge(int requester, int bus, long bar) {
    long config = config(requester);
    set(config, BridgeHeaderLayout.PRIMARY_BUS, 0);
    set(config, BridgeHeaderLayout.SECONDARY_BUS, bus);
    set(config, BridgeHeaderLayout.SUBORDINATE_BUS, bus);
    long window = BridgeHeaderLayout.MEMORY_ADDRESS.place(bar / BAR_BYTES);
    set(config, BridgeHeaderLayout.MEMORY_BASE, window);
    set(config, BridgeHeaderLayout.MEMORY_LIMIT, window);
    set(config, ConfigHeaderLayout.COMMAND, on());
  }

  @Override
  public long fetch(int requester, long address) {
    long bar = bar(requester);
    settle();
    return reads.fetch(bar, address);
  }
}
