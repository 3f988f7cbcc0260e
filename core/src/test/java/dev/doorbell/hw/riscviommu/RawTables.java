package dev.doorbell.hw.riscviommu;

import dev.doorbell.bus.AtsMessages;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.PageResponse;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;

/// An IOMMU model with tables that a test writes by hand, in numbers of the manual and not by the declared layouts.
final class RawTables {
  static final long REGISTERS = 0x6000_0000L;
  static final long MEMORY = 0x8000_0000L;
  static final long ROOT = MEMORY + 0x1000;
  static final long MIDDLE = MEMORY + 0x2000;
  static final long LEAF = MEMORY + 0x3000;
  static final long S1 = MEMORY + 0x1_0000;
  static final long G = MEMORY + 0x2_0000;
  static final long MSI = MEMORY + 0x3_0000;
  static final long CQ = MEMORY + 0x4_0000;
  static final long FQ = MEMORY + 0x5_0000;

  final PlainMemory memory = new PlainMemory(MEMORY, 0x100_0000);
  final RiscvIommuModel model;

  /// What the IOMMU sent to devices.
  final List<String> sent = new ArrayList<>();

  private final boolean extended;
  private int tail;
  private int seen;

  RawTables(RiscvIommuFeatures features) {
    extended = features.extended();
    SystemBus bus =
        new SystemBus() {
          @Override
          public BusOutcome write(long pa, long value, int bytes, int requester) {
            if (pa >= REGISTERS && pa < REGISTERS + 0x1000) {
              return model.write(pa - REGISTERS, value, bytes, requester);
            }
            try {
              memory.write(pa, value, bytes);
              return BusOutcome.OK;
            } catch (BusErrorException e) {
              return BusOutcome.ERROR;
            }
          }

          @Override
          public BusRead read(long pa, int bytes) {
            return BusRead.ok(memory.read(pa, bytes));
          }
        };
    AtsMessages devices =
        new AtsMessages() {
          @Override
          public void invalidate(int requester, int pasid, long first, long bytes) {
            sent.add("invalidate 0x%x %d 0x%x 0x%x".formatted(requester, pasid, first, bytes));
          }

          @Override
          public void respond(PageResponse r) {
            sent.add(
                "respond 0x%x %d %d %d".formatted(r.requester(), r.pasid(), r.group(), r.code()));
          }
        };
    model = new RiscvIommuModel(features, memory, bus, devices);
    set(0x18, CQ >>> 2 | 3, 8);
    set(0x48, 1, 4);
    set(0x28, FQ >>> 2 | 1, 8);
    set(0x4c, 1, 4);
  }

  RawTables() {
    this(RiscvIommuFeatures.usual(48));
  }

  void set(long offset, long value, int bytes) {
    if (model.write(offset, value, bytes, SystemBus.CPU) != BusOutcome.OK) {
      throw new AssertionError("register at 0x%x does not answer".formatted(offset));
    }
  }

  long get(long offset, int bytes) {
    return model.read(offset, bytes).value();
  }

  /// One level of directory.
  void mode(int mode) {
    set(0x10, ROOT >>> 2 | mode, 8);
  }

  /// Writes a context: tc, iohgatp, ta, fsc, and of an extended one msiptp, mask and pattern.
  void context(long at, long... words) {
    for (int i = 0; i < (extended ? 8 : 4); i++) {
      memory.write64(at + 8L * i, i < words.length ? words[i] : 0);
    }
  }

  /// `fsc` or `iohgatp` of a table.
  static long atp(int mode, long table) {
    return (long) mode << 60 | table >>> 12;
  }

  static long pte(long pa, long bits) {
    return pa >>> 2 | bits;
  }

  /// Tables of Sv39 that lead to the page of an address; the last entry is the caller's.
  void sv39(long root, long iova, long leaf) {
    memory.write64(root + (iova >>> 30 & 0x7ff) * 8, pte(root + 0x4000, 1));
    memory.write64(root + 0x4000 + (iova >>> 21 & 0x1ff) * 8, pte(root + 0x5000, 1));
    memory.write64(root + 0x5000 + (iova >>> 12 & 0x1ff) * 8, leaf);
  }

  /// Queues a command and lets it run.
  void command(long first, long second) {
    memory.write64(CQ + 16L * tail, first);
    memory.write64(CQ + 16L * tail + 8, second);
    tail = (tail + 1) % 16;
    set(0x24, tail, 4);
  }

  long write(int device, long iova) {
    return model.translate(device, -1, iova, 2);
  }

  long read(int device, long iova) {
    return model.translate(device, -1, iova, 1);
  }

  /// {@return the cause of the next fault record; 0 when there is none}
  int cause() {
    if (seen == get(0x34, 4)) {
      return 0;
    }
    long first = memory.read64(FQ + 32L * seen);
    seen = (seen + 1) % 4;
    set(0x30, seen, 4);
    return (int) (first & 0xfff);
  }

  /// {@return a doubleword of the record that {@link #cause} told last}
  long record(int word) {
    return memory.read64(FQ + 32L * ((seen + 3) % 4) + 8L * word);
  }
}
