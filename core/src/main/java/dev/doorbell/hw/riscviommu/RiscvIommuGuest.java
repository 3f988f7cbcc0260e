package dev.doorbell.hw.riscviommu;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.AddressSpace;

/// A guest whose interrupt files devices reach: its memory, which is a second stage, and the MSI page table of its interrupt files. Every device that is attached to
/// {@link #memory} writes messages for the guest's files to where this leads them, also below a guest's own first stage. Safe for use from many threads.
///
/// Closing the memory ends the guest's files, too.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.1.3.6 to 2.1.3.8, 2.3.3; RISC-V AIA 1.0, 9.
public final class RiscvIommuGuest {
  /// Bits of a file's number, at most: a table of 1 MiB.
  private static final int MOST_FILE_BITS = 16;

  /// Of a guest's addresses, at most (Sv57x4).
  private static final int MOST_BITS =
      SvPteLayout.shift(SvPteLayout.levels(DirectoryLayout.SV57)) + SvPteLayout.WIDER_ROOT_BITS;

  private final RiscvIommuAddressSpace memory;

  RiscvIommuGuest(RiscvIommuAddressSpace memory) {
    this.memory = memory;
  }

  /// Where a guest has its interrupt files: the pages that differ from the first one in bits of a mask alone, numbered by these bits from the lowest up.
  ///
  /// @param first guest physical address of the page of file 0
  /// @param mask bits of a page's number (an address without its lower 12 bits), none of which the first page has set; 0 for one file
  public record Files(Iova first, long mask) {
    public Files {
      long page = DirectoryLayout.ppn(first.value());
      if ((page & mask) != 0 || first.value() != DirectoryLayout.address(page)) {
        throw new IllegalArgumentException(
            "interrupt files from %s on with the mask 0x%x: the first begins no page, or has bits of the mask"
                .formatted(first, mask));
      }
      requireWithin(first, mask, MOST_BITS);
      if (Long.bitCount(mask) > MOST_FILE_BITS) {
        throw new IllegalArgumentException(
            "the mask 0x%x is of 2^%d interrupt files; 2^%d are the most"
                .formatted(mask, Long.bitCount(mask), MOST_FILE_BITS));
      }
    }

    /// @param bits of a guest's addresses
    void requireWithin(int bits) {
      requireWithin(first, mask, bits);
    }

    private static void requireWithin(Iova first, long mask, int bits) {
      if (!SvPteLayout.fits(
          DirectoryLayout.ppn(first.value()) | mask, bits - DirectoryLayout.PAGE_SHIFT)) {
        throw new IllegalArgumentException(
            "interrupt files from %s on with the mask 0x%x are beyond the %d bits of a guest's addresses"
                .formatted(first, mask, bits));
      }
    }

    /// {@return how many files there are}
    public int count() {
      return 1 << Long.bitCount(mask);
    }

    /// {@return guest physical address of a file's page}
    ///
    /// @param file its number, from 0 on
    public Iova address(int file) {
      if (file < 0 || file >= count()) {
        throw new IllegalArgumentException(
            "interrupt file %d; the guest has %d from 0 on".formatted(file, count()));
      }
      return new Iova(first.value() | DirectoryLayout.address(MsiPteLayout.deposit(file, mask)));
    }
  }

  /// An interrupt file in memory (MRIF), for a guest's hart that runs nowhere.
  ///
  /// @param file where it is, 512 bytes, aligned to their size
  /// @param notice the page of an interrupt file of the host's that is told of each message
  /// @param identity what it is told, 0 to 2047
  public record Resident(Pa file, Pa notice, int identity) {
    public Resident {
      if (file.value() % MsiPteLayout.MRIF_BYTES != 0
          || notice.value() % DirectoryLayout.PAGE_BYTES != 0
          || !SvPteLayout.fits(identity, MsiPteLayout.IDENTITY_BITS)) {
        throw new IllegalArgumentException(
            "an interrupt file at %s that notices identity %d to %s: 512 bytes, 0 to 2047 and a page are wanted"
                .formatted(file, identity, notice));
      }
    }
  }

  /// {@return the guest's memory: addresses are its physical ones}
  public AddressSpace memory() {
    return memory;
  }

  /// Leads messages for one of the guest's files to a page: that of a hart's file for guests. On return none is on its way to where it was led before.
  /// Messages arrive all the while, at the one or at the other.
  ///
  /// @throws IllegalArgumentException when there is no such file, or the guest's memory is closed
  public void lead(int file, Pa page) {
    if (page.value() % DirectoryLayout.PAGE_BYTES != 0) {
      throw new IllegalArgumentException(
          "%s is not where the page of an interrupt file begins".formatted(page));
    }
    memory.changeFile(file, (table, forget) -> table.lead(file, page, forget));
  }

  /// Has messages for one of the guest's files be recorded in memory. As {@link #lead(int, Pa)}, but that messages fault meanwhile where the file was in
  /// memory already and both its place and its notice change.
  ///
  /// @throws IllegalArgumentException besides, when the IOMMU has no files in memory (`capabilities.MSI_MRIF`)
  public void lead(int file, Resident to) {
    memory.changeFile(file, (table, forget) -> table.lead(file, to, forget));
  }

  /// Has messages for one of the guest's files fault.
  public void end(int file) {
    memory.changeFile(file, (table, forget) -> table.end(file, forget));
  }
}
