package dev.doorbell.hw.pamu;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;

/// The operation mapping table in memory, with the entries that every driver of a PAMU makes; all others map nothing.
///
/// **Source**: Linux 6.12 `drivers/iommu/fsl_pamu.c`, `setup_omt`; the same in Freescale's hypervisor, `src/pamu.c`.
final class OmtWriter {
  private static final long ALIGNMENT = 0x1000;

  private final PhysicalMemory memory;
  private final Pa table;

  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory
  OmtWriter(PhysicalMemory memory, Frames frames) {
    this.memory = memory;
    table = frames.allocate(ALIGNMENT, ALIGNMENT);
    memory.fill(table.value(), bytes(), (byte) 0);
    map(OperationMapping.QMAN, OmtLayout.READ, OmtLayout.EOE_READ);
    map(OperationMapping.QMAN, OmtLayout.EREAD0, OmtLayout.EOE_RSA);
    map(OperationMapping.QMAN, OmtLayout.WRITE, OmtLayout.EOE_WRITE);
    map(OperationMapping.QMAN, OmtLayout.EWRITE0, OmtLayout.EOE_WWSAO);
    map(OperationMapping.QMAN, OmtLayout.DIRECT0, OmtLayout.EOE_LDEC);
    map(OperationMapping.QMAN, OmtLayout.DIRECT1, OmtLayout.EOE_LDECPE);
    map(OperationMapping.FMAN, OmtLayout.READ, OmtLayout.EOE_READI);
    map(OperationMapping.FMAN, OmtLayout.WRITE, OmtLayout.EOE_WRITE);
    map(OperationMapping.QMAN_PRIVATE, OmtLayout.READ, OmtLayout.EOE_READ);
    map(OperationMapping.QMAN_PRIVATE, OmtLayout.WRITE, OmtLayout.EOE_WRITE);
    map(OperationMapping.QMAN_PRIVATE, OmtLayout.EREAD0, OmtLayout.EOE_RSA);
    map(OperationMapping.QMAN_PRIVATE, OmtLayout.EWRITE0, OmtLayout.EOE_WWSA);
    map(OperationMapping.CAAM, OmtLayout.READ, OmtLayout.EOE_READI);
    map(OperationMapping.CAAM, OmtLayout.WRITE, OmtLayout.EOE_WRITE);
    memory.publish();
  }

  long start() {
    return table.value();
  }

  long bytes() {
    return (long) OmtLayout.ENTRIES * OmtLayout.BYTES;
  }

  private void map(int omi, int operation, int eoe) {
    long at = table.value() + (long) omi * OmtLayout.BYTES + operation;
    memory.write(at, OmtLayout.moe(eoe), Byte.BYTES);
  }
}
