package dev.doorbell.hw.riscviommu;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.PlainMemory;
import java.util.List;

/// A guest's memory, at the same guest physical address as in the host, with a process directory and two sets of Sv39 tables in it, all in numbers of
/// the manual.
final class GuestTables {
  static final long BASE = RiscvBench.MEMORY + 0x900_0000L;
  static final long BYTES = 0x1_0000;

  /// The process that the second set of tables is of; the first is that of accesses without a process_id.
  static final int PROCESS = 5;

  private static final long LEAF = 0xd7;

  private final PlainMemory memory;
  private final long base;

  GuestTables(PlainMemory memory, long base) {
    this.memory = memory;
    this.base = base;
    for (int which = 0; which < 2; which++) {
      memory.write64(root(which), pointer(root(which) + 0x1000));
      memory.write64(root(which) + 0x1000, pointer(root(which) + 0x2000));
    }
    context(0, 0);
    context(PROCESS, 1);
  }

  private static long pointer(long table) {
    return table >>> 2 | 1;
  }

  long root(int which) {
    return base + 0x1000 + 0x3000L * which;
  }

  /// Lets a second stage lead to this memory.
  void mapInto(AddressSpace below) {
    below.map(new Iova(base), new Pa(base), BYTES, Protection.READ_WRITE);
  }

  /// Lets a process have tables; its PSCID is 1 more than its number.
  void context(int process, int which) {
    memory.write64(base + 16L * process, (long) (process + 1) << 12 | 1);
    memory.write64(base + 16L * process + 8, 8L << 60 | root(which) >>> 12);
  }

  void map(int which, long iova, long gpa) {
    memory.write64(slot(which, iova), gpa >>> 2 | LEAF);
  }

  void unmap(int which, long iova) {
    memory.write64(slot(which, iova), 0);
  }

  long slot(int which, long iova) {
    if (iova >>> 21 != 0) {
      throw new IllegalArgumentException("0x%x is above the first 2 MiB".formatted(iova));
    }
    return root(which) + 0x2000 + (iova >>> 12) * 8;
  }

  /// {@return a device's context that leads to the process directory, which is process 0's by default}
  RiscvIommuGuestContext processes() {
    return new RiscvIommuGuestContext(
        List.of(1L | 1 << 5 | 1 << 9, 0L, 0L, 1L << 60 | base >>> 12));
  }

  /// {@return a device's context with one of the sets of tables alone}
  RiscvIommuGuestContext one(int which) {
    int process = which == 0 ? 0 : PROCESS;
    return new RiscvIommuGuestContext(
        List.of(1L, 0L, (long) (process + 1) << 12, 8L << 60 | root(which) >>> 12));
  }

  /// {@return a device's context without a first stage}
  static RiscvIommuGuestContext bare() {
    return new RiscvIommuGuestContext(List.of(1L, 0L, 0L, 0L));
  }

  /// {@return what drops a page of one of the sets of tables}
  static RiscvIommuGuestCommand drop(int which, long iova) {
    long pscid = which == 0 ? 1 : PROCESS + 1;
    return new RiscvIommuGuestCommand(List.of(1L | 1 << 10 | pscid << 12 | 1L << 32, iova >>> 2));
  }
}
