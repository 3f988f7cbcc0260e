package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.*;
import static dev.doorbell.hw.riscviommu.RiscvIommuWalker.fault;
import static dev.doorbell.hw.riscviommu.RiscvIommuWalker.hex;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.BitKind;
import dev.doorbell.hw.riscviommu.RiscvIommuWalk.ResidentFile;
import dev.doorbell.iommu.TableTrail;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// The part of a walk that lies in page tables: the first stage, MSI page tables, the second stage. Of one walk.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.3.3; RISC-V Privileged Architecture 20240411, 12.3.2, 18.5.
final class StageWalk {
  private static final String FIRST = "first";
  private static final String SECOND = "second";

  /// The second stage, asked for by the IOMMU itself.
  private static final String IMPLICIT = "implicit second";

  /// The second stage below an entry of the first one whose A or D the IOMMU sets.
  private static final String UPDATE = "implicit second (update)";

  private final TableTrail trail;
  private final long[] context;
  private final long capabilities;
  private final boolean write;
  private @Nullable ResidentFile file;

  /// @param context the device context's doublewords
  /// @param capabilities the register
  StageWalk(TableTrail trail, long[] context, long capabilities, boolean write) {
    this.trail = trail;
    this.context = context.clone();
    this.capabilities = capabilities;
    this.write = write;
  }

  /// {@return where a message is recorded, when the walk led to no memory and did not end}
  Optional<ResidentFile> file() {
    return Optional.ofNullable(file);
  }

  /// {@return where an access of a process leaves both stages}
  ///
  /// @param fsc of the process context
  OptionalLong both(long fsc, long iova) {
    context[FSC_AT / Long.BYTES] = fsc;
    return both(iova);
  }

  private long word(int at) {
    return at / Long.BYTES < context.length ? context[at / Long.BYTES] : 0;
  }

  /// {@return where an access leaves both stages}
  OptionalLong both(long iova) {
    long fsc = word(FSC_AT);
    int mode = FSC_MODE.getInt(fsc);
    if (mode == BARE) {
      return second(iova);
    }
    int levels = SvPteLayout.levels(mode);
    if (levels == 0 || !SvPteLayout.isCanonical(iova, levels)) {
      trail.stopRegister(
          "fsc",
          hex(iova),
          levels == 0
              ? "fsc.MODE %d is none: %s".formatted(mode, fault(FaultLayout.DDT_MISCONFIGURED))
              : "bits above those of Sv%d are not alike: %s"
                  .formatted(SvPteLayout.shift(levels), fault(pageFault())));
      return OptionalLong.empty();
    }
    OptionalLong gpa = walk(FIRST, DirectoryLayout.address(FSC_PPN.get(fsc)), levels, iova);
    return gpa.isEmpty() ? gpa : second(gpa.getAsLong());
  }

  /// {@return where an access leaves MSI page tables or the second stage}
  OptionalLong second(long gpa) {
    long msiptp = word(MSIPTP_AT);
    boolean flat = MSIPTP_MODE.getInt(msiptp) == MSI_FLAT;
    long mask = MSI_ADDR_MASK.get(word(MSI_MASK_AT));
    long differs = DirectoryLayout.ppn(gpa) ^ MSI_ADDR_PATTERN.get(word(MSI_PATTERN_AT));
    if (flat && (differs & ~mask) == 0) {
      return message(msiptp, gpa, mask);
    }
    return tables(gpa, SECOND);
  }

  /// {@return where the second stage has a table of the first, or of a process directory: what reads them is no message}
  OptionalLong implicit(long gpa) {
    return tables(gpa, IMPLICIT);
  }

  private OptionalLong tables(long gpa, String stage) {
    long gatp = word(IOHGATP_AT);
    int mode = IOHGATP_MODE.getInt(gatp);
    if (mode == BARE) {
      return OptionalLong.of(gpa);
    }
    int levels = SvPteLayout.levels(mode);
    if (levels == 0
        || !SvPteLayout.fits(gpa, SvPteLayout.shift(levels) + SvPteLayout.WIDER_ROOT_BITS)) {
      trail.stopRegister(
          "iohgatp",
          hex(gpa),
          levels == 0
              ? "iohgatp.MODE %d is none: %s".formatted(mode, fault(FaultLayout.DDT_MISCONFIGURED))
              : "the address is wider than the second stage: " + fault(guestFault()));
      return OptionalLong.empty();
    }
    return walk(stage, DirectoryLayout.address(IOHGATP_PPN.get(gatp)), levels, gpa);
  }

  private OptionalLong message(long msiptp, long gpa, long mask) {
    long number = MsiPteLayout.extract(DirectoryLayout.ppn(gpa), mask);
    long at = DirectoryLayout.address(MSIPTP_PPN.get(msiptp)) | number * MsiPteLayout.BYTES;
    String what = "MSI PTE " + number;
    OptionalLong first = trail.read(at, what);
    if (first.isEmpty()) {
      return first;
    }
    long e = first.getAsLong();
    String why = "";
    if (!MsiPteLayout.V.isSet(e)) {
      why = "V is 0: " + fault(FaultLayout.MSI_INVALID);
    } else if (MsiPteLayout.C.isSet(e)) {
      why = "cannot see what its custom format (C) means";
    } else if (MsiPteLayout.M.getInt(e) == MsiPteLayout.MRIF
        && RiscvIommuRegisters.MSI_MRIF.isSet(capabilities)) {
      return resident(what, gpa, e, at);
    } else if (MsiPteLayout.M.getInt(e) != MsiPteLayout.BASIC
        || (e & MsiPteLayout.FIRST.mask(BitKind.RES0)) != 0) {
      why = "it is misconfigured: " + fault(FaultLayout.MSI_MISCONFIGURED);
    }
    if (!why.isEmpty()) {
      trail.stopAt(what, hex(gpa), why, at);
      return OptionalLong.empty();
    }
    long pa =
        DirectoryLayout.address(MsiPteLayout.PPN.get(e)) | SvPteLayout.within(gpa, PAGE_SHIFT);
    trail.entry(
        what,
        hex(gpa),
        hex(pa),
        "the address is one of a guest's interrupt files; "
            + TableTrail.print(MsiPteLayout.FIRST, e),
        at);
    return OptionalLong.of(pa);
  }

  private OptionalLong resident(String what, long gpa, long first, long at) {
    OptionalLong word = trail.read(at + MsiPteLayout.SECOND_AT, what);
    if (word.isEmpty()) {
      return word;
    }
    long second = word.getAsLong();
    if ((first & MsiPteLayout.FIRST_MRIF.mask(BitKind.RES0)) != 0
        || (second & MsiPteLayout.NOTICE.mask(BitKind.RES0)) != 0) {
      trail.stopAt(
          what, hex(gpa), "reserved bits are set: " + fault(FaultLayout.MSI_MISCONFIGURED), at);
      return OptionalLong.empty();
    }
    file =
        new ResidentFile(
            new Pa(MsiPteLayout.file(first)),
            new Pa(DirectoryLayout.address(MsiPteLayout.NPPN.get(second))),
            MsiPteLayout.notice(second));
    trail.entry(
        what,
        hex(gpa),
        file.toString(),
        "the address is one of a guest's interrupt files, which lies in memory; "
            + TableTrail.print(MsiPteLayout.FIRST_MRIF, first),
        at);
    return OptionalLong.empty();
  }

  private OptionalLong walk(String stage, long root, int levels, long address) {
    boolean first = stage.equals(FIRST);
    long table = root;
    for (int level = levels - 1; level >= 0; level--) {
      int wider = !first && level == levels - 1 ? SvPteLayout.WIDER_ROOT_BITS : 0;
      long at = table + SvPteLayout.index(address, level, wider) * SvPteLayout.BYTES;
      String what = "%s-stage PTE of level %d".formatted(stage, level);
      OptionalLong where = first ? implicit(at) : OptionalLong.of(at);
      OptionalLong entry = where.isEmpty() ? where : trail.read(where.getAsLong(), what);
      if (entry.isEmpty()) {
        return entry;
      }
      long e = entry.getAsLong();
      boolean writes = stage.equals(UPDATE) || write && !stage.equals(IMPLICIT);
      boolean updates = first ? TC_SADE.isSet(word(TC_AT)) : TC_GADE.isSet(word(TC_AT));
      String bad = problem(e, level, writes, updates);
      if (!bad.isEmpty()) {
        trail.stopAt(
            what,
            hex(address),
            bad + ": " + fault(first ? pageFault() : guestFault()),
            where.getAsLong());
        return OptionalLong.empty();
      }
      long next = DirectoryLayout.address(SvPteLayout.PPN.get(e));
      boolean leaf = SvPteLayout.isLeaf(e);
      int shift = SvPteLayout.pageShift(e, level);
      long out = leaf ? next & -1L << shift | SvPteLayout.within(address, shift) : next;
      trail.entry(
          what,
          hex(address),
          (leaf ? "" : "table at ") + hex(out),
          TableTrail.print(SvPteLayout.PTE, e),
          where.getAsLong());
      if (leaf) {
        boolean lets = !first || !isChanged(e, write) || tables(at, UPDATE).isPresent();
        return lets ? OptionalLong.of(out) : OptionalLong.empty();
      }
      table = next;
    }
    return OptionalLong.empty();
  }

  /// {@return whether the IOMMU has to change a leaf, where it may, before the access passes}
  private static boolean isChanged(long leaf, boolean writes) {
    return !SvPteLayout.A.isSet(leaf) || writes && !SvPteLayout.D.isSet(leaf);
  }

  /// {@return what is wrong with an entry; empty when nothing is}
  ///
  /// @param updates whether the IOMMU sets A and D itself
  private String problem(long e, int level, boolean writes, boolean updates) {
    if (!SvPteLayout.V.isSet(e)) {
      return "V is 0";
    }
    if (!SvPteLayout.isLeaf(e)) {
      return level == 0
          ? "the last level leads to a further table"
          : (e & SvPteLayout.RESERVED_IN_POINTERS) != 0 ? "reserved bits are set" : "";
    }
    if ((e & SvPteLayout.RESERVED) != 0) {
      return "reserved bits are set";
    }
    if (SvPteLayout.N.isSet(e) && !SvPteLayout.isContiguous(e, level)) {
      return "N (Svnapot) is set, and level and PPN are not those of a page of 64 KiB";
    }
    int type = SvPteLayout.PBMT.getInt(e);
    if (type == SvPteLayout.PBMT_RESERVED
        || type != 0 && !RiscvIommuRegisters.SVPBMT.isSet(capabilities)) {
      return "PBMT %d is none that capabilities offer".formatted(type);
    }
    if (SvPteLayout.within(SvPteLayout.PPN.get(e), level * SvPteLayout.BITS_PER_LEVEL) != 0) {
      return "the page is not aligned to its size";
    }
    if (!SvPteLayout.U.isSet(e)) {
      return "U is 0, and devices' accesses are those of users";
    }
    if (!updates && !SvPteLayout.A.isSet(e)) {
      return "A is 0";
    }
    if (writes && !SvPteLayout.W.isSet(e)) {
      return "W is 0";
    }
    if (!updates && writes && !SvPteLayout.D.isSet(e)) {
      return "D is 0";
    }
    return SvPteLayout.R.isSet(e) ? "" : "R is 0";
  }

  private int pageFault() {
    return write ? FaultLayout.WRITE_PAGE_FAULT : FaultLayout.READ_PAGE_FAULT;
  }

  private int guestFault() {
    return write ? FaultLayout.WRITE_GUEST_PAGE_FAULT : FaultLayout.READ_GUEST_PAGE_FAULT;
  }
}
