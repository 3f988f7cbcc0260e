package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.MsiPteLayout.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.StreamAttachments.Orders;

/// The MSI page table of a guest, as the driver builds it: which pages of the guest are its interrupt files, and where each one is. For one thread at a time.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.1.3.6 to 2.1.3.8, 2.3.3, 7.3.3 (changes of MSI page tables); RISC-V AIA 1.0, 9.4, 9.5.
final class MsiTable {
  private final PhysicalMemory memory;
  private final Frames frames;
  private final RiscvIommuGuest.Files files;
  private final boolean resident;
  private final Pa base;

  /// @param resident whether files may be in memory (`capabilities.MSI_MRIF`)
  MsiTable(RiscvIommuGuest.Files files, boolean resident, PhysicalMemory memory, Frames frames) {
    this.memory = memory;
    this.frames = frames;
    this.files = files;
    this.resident = resident;
    this.base = frames.allocate(bytes(), bytes());
  }

  /// The index is put into the lower bits of the table's address, so that it is aligned to its size.
  private long bytes() {
    return Math.max(DirectoryLayout.PAGE_BYTES, files.count() * (long) BYTES);
  }

  /// Puts the table into a device context of the extended format.
  void put(long[] context) {
    context[DirectoryLayout.MSIPTP_AT / Long.BYTES] =
        DirectoryLayout.MSIPTP_MODE.place(DirectoryLayout.MSI_FLAT)
            | DirectoryLayout.MSIPTP_PPN.place(DirectoryLayout.ppn(base.value()));
    context[DirectoryLayout.MSI_MASK_AT / Long.BYTES] = files.mask();
    context[DirectoryLayout.MSI_PATTERN_AT / Long.BYTES] =
        DirectoryLayout.ppn(files.first().value());
  }

  /// {@return whether a range of the guest's addresses has an interrupt file in it, whose mapping would mean nothing}
  boolean meets(AddressRange range) {
    // The files' addresses rise with their numbers.
    int low = 0;
    int high = files.count();
    while (low < high) {
      int middle = (low + high) >>> 1;
      long last = files.address(middle).value() + DirectoryLayout.PAGE_BYTES - 1;
      if (last < range.start()) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < files.count() && files.address(low).value() <= range.last();
  }

  /// An entry's two doublewords.
  private record Entry(long first, long second) {
    static final Entry NONE = new Entry(0, 0);

    /// Only the entry of a file in memory has a meaning in its second doubleword.
    boolean isResident() {
      return V.isSet(first) && M.getInt(first) == MRIF;
    }
  }

  /// Has the file's page be one of a hart's: messages become pending there.
  void lead(int file, Pa page, Runnable forget) {
    change(
        file,
        new Entry(V.mask() | M.place(BASIC) | PPN.place(DirectoryLayout.ppn(page.value())), 0),
        forget);
  }

  /// Has the file be one in memory.
  void lead(int file, RiscvIommuGuest.Resident to, Runnable forget) {
    if (!resident) {
      throw new IllegalArgumentException(
          "interrupt file %d cannot be in memory: its IOMMU has none (MSI_MRIF)".formatted(file));
    }
    change(
        file,
        new Entry(
            MRIF_V.mask() | MRIF_M.place(MRIF) | MRIF_ADDR.place(to.file().value() >>> MRIF_SHIFT),
            NPPN.place(DirectoryLayout.ppn(to.notice().value())) | noticed(to.identity())),
        forget);
  }

  /// Has messages to a file fault.
  void end(int file, Runnable forget) {
    change(file, Entry.NONE, forget);
  }

  /// What fails leaves the entry as it was, if memory and IOMMUs still follow.
  private void change(int file, Entry next, Runnable forget) {
    long at = base.value() + (long) file * BYTES;
    Entry before = new Entry(memory.read64(at), memory.read64(at + SECOND_AT));
    try {
      write(at, before, next, forget);
    } catch (RuntimeException failed) {
      takeBack(at, before, forget, failed);
      throw failed;
    }
  }

  private void takeBack(long at, Entry before, Runnable forget, RuntimeException because) {
    Orders orders =
        order -> {
          try {
            order.run();
          } catch (RuntimeException again) {
            because.addSuppressed(again);
          }
        };
    try {
      Entry now = new Entry(memory.read64(at), memory.read64(at + SECOND_AT));
      write(at, now, before, () -> orders.run(forget));
    } catch (RuntimeException again) {
      because.addSuppressed(again);
    }
  }

  /// Messages arrive all the while, at the old place or at the new one; but for a file in memory that becomes another one with another notice, where they fault in between. The
  /// second doubleword of an entry that leads to a page means nothing: it can be there before the first one makes it count, or stay after.
  private void write(long at, Entry now, Entry next, Runnable forget) {
    boolean another = now.second() != next.second() && next.isResident();
    if (another && now.isResident() && now.first() != next.first()) {
      store(at, 0);
      forget.run();
    }
    if (another) {
      store(at + SECOND_AT, next.second());
      // A walk that has read the former second doubleword must not go on with the new first one.
      forget.run();
    }
    store(at, next.first());
    forget.run();
  }

  private void store(long at, long value) {
    if (memory.read64(at) != value) {
      memory.write64(at, value);
      memory.publish();
    }
  }

  /// {@return whether files may be in memory}
  boolean canBeResident() {
    return resident;
  }

  RiscvIommuGuest.Files files() {
    return files;
  }

  /// Gives the table's memory back. No context may lead here.
  void free() {
    frames.free(base, bytes());
  }
}
