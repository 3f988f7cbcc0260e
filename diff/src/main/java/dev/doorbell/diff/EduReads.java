package dev.doorbell.diff;

import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.qemu.QemuProcess;
import dev.doorbell.qemu.Qtest;
import dev.doorbell.qemu.QtestBatch;
import java.util.List;
import java.util.Map;

/// Reads of memory by an `edu`: a transfer into the device's buffer, and, as software cannot see that buffer, a second one out of it while
/// the SMMU is off, into a word that nobody else uses.
///
/// A transfer takes a tenth of a second of the machine's clock. So the clock runs, by QEMU's count of instructions and without sleep: as no
/// CPU executes any, it jumps to whatever is due next.
///
/// Four bytes, as QEMU makes two accesses of eight where nothing answers.
///
/// **Source** QEMU, `docs/specs/edu.rst`; `hw/arm/smmuv3.c` (SMMU_CR0: a write changes nothing but what it says).
final class EduReads {
  /// Arguments of a QEMU whose devices read.
  static final List<String> ARGUMENTS =
      List.of("-icount", "shift=0,sleep=off", "-global", "edu.dma_mask=0xffffffffffffffff");

  /// A word below the arena, zero but for the moment.
  private static final long SCRATCH = Board.RAM + 0x10_0000;

  private static final long CR0 = Board.SMMU + SmmuRegisters.CR0.offset();
  private static final int LOOKS = 200_000;

  private final QemuProcess process;
  private final boolean there;

  EduReads(QemuProcess process, Hardware hardware) {
    this.process = process;
    there = hardware == Hardware.SMMUV3_FULL;
  }

  /// Lets the clock run, where devices read.
  void letRun() {
    if (there) {
      var unused = process.qmp().execute("cont", Map.of());
    }
  }

  /// Stops it for a reset.
  void stop() {
    if (there) {
      var unused = process.qmp().execute("stop", Map.of());
    }
  }

  /// {@return four bytes as the device got them}
  ///
  /// @param bar the device's registers
  long fetch(long bar, long address) {
    if (!there) {
      throw new IllegalArgumentException(
          "no device reads here; %s has such devices".formatted(Hardware.SMMUV3_FULL.id()));
    }
    Qtest qtest = process.qtest();
    transfer(bar, address, EduLayout.BUFFER, 0);
    long cr0 = qtest.read(CR0, Integer.BYTES);
    qtest.write(CR0, cr0 & ~SmmuRegisters.CR0_SMMUEN.mask(), Integer.BYTES);
    transfer(bar, EduLayout.BUFFER, SCRATCH, 1);
    qtest.write(CR0, cr0, Integer.BYTES);
    long value = Integer.toUnsignedLong(process.ram().read32(SCRATCH));
    process.ram().write32(SCRATCH, 0);
    return value;
  }

  private void transfer(long bar, long source, long destination, int fromDevice) {
    long command = EduLayout.START.place(1) | EduLayout.FROM_DEVICE.place(fromDevice);
    QtestBatch batch = process.qtest().batch();
    batch.write(bar + EduLayout.DMA_SOURCE.offset(), source, Long.BYTES);
    batch.write(bar + EduLayout.DMA_DESTINATION.offset(), destination, Long.BYTES);
    batch.write(bar + EduLayout.DMA_COUNT.offset(), Integer.BYTES, Long.BYTES);
    batch.write(bar + EduLayout.DMA_COMMAND.offset(), command, Long.BYTES);
    batch.run();
    long now = command;
    for (int i = 0; i < LOOKS && EduLayout.START.isSet(now); i++) {
      now = process.qtest().read(bar + EduLayout.DMA_COMMAND.offset(), Long.BYTES);
    }
    if (EduLayout.START.isSet(now)) {
      throw new TransferStuck(process.version().toString(), source, destination);
    }
  }
}
