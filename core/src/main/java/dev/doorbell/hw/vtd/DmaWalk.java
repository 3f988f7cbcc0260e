package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.ContextLayout.*;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.BitKind;
import dev.doorbell.iommu.TableTrail;
import java.util.Optional;
import java.util.OptionalLong;

/// One DMA access under way through a remapping unit.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3.4 (legacy and scalable mode), 3.6 first stage, 3.7 second
/// stage, 7.1 (fault reasons).
final class DmaWalk {
  private static final int DEVICES_OF_A_TABLE_BITS = 7;
  private static final int DIRECTORY_BITS = 7;

  private final TableTrail trail;
  private final UnitLimits limits;
  private final int requester;
  private final Iova iova;
  private final boolean write;

  DmaWalk(TableTrail trail, UnitLimits limits, int requester, Iova iova, boolean write) {
    this.trail = trail;
    this.limits = limits;
    this.requester = requester;
    this.iova = iova;
    this.write = write;
  }

  VtdWalk run(long gsts, long rtaddr) {
    String in = "requester id 0x%x".formatted(requester);
    if (UnitLimits.isMessage(iova.value())) {
      return noMemory("address", iova.value());
    }
    if (!VtdRegisters.TES.isSet(gsts)) {
      trail.register("GSTS_REG", in, "address " + iova, "GSTS_REG.TES=0: DMA is not translated");
      return reached(iova.value());
    }
    int mode = VtdRegisters.TTM.getInt(rtaddr);
    long root = VtdRegisters.RTA.get(rtaddr);
    trail.register(
        "RTADDR_REG",
        in,
        "root table at 0x%x".formatted(root),
        TableTrail.print(VtdRegisters.RTADDR, rtaddr));
    return switch (mode) {
      case VtdRegisters.TTM_LEGACY -> legacy(root);
      case VtdRegisters.TTM_SCALABLE -> {
        if (limits.isScalable()) {
          yield scalable(root);
        }
        trail.stopRegister("ECAP_REG", in, "ECAP_REG.SMTS=0: the unit has no scalable mode");
        yield ended();
      }
      default -> {
        trail.stopRegister("RTADDR_REG", in, "RTADDR_REG.TTM: the unit aborts every access");
        yield ended();
      }
    };
  }

  private int bus() {
    return requester >>> Byte.SIZE;
  }

  private int devfn() {
    return requester & 0xff;
  }

  private VtdWalk ended() {
    return new VtdWalk(trail.hops(), Optional.empty(), trail.stopped());
  }

  private VtdWalk stop(String at, String in, String why, long pa) {
    trail.stopAt(at, in, why, pa);
    return ended();
  }

  private VtdWalk reserved(String name, String in, VtdFault fault, long word, long at) {
    return stop(name, in, fault.because("reserved bits are set in 0x%x".formatted(word)), at);
  }

  private VtdWalk noMemory(String what, long address) {
    trail.stopRegister(
        "addresses",
        "%s 0x%x".formatted(what, address),
        "is no memory's: it has more than 52 bits, or lies in the interrupt address range");
    return ended();
  }

  /// An address that passes untranslated.
  private VtdWalk passed(String name, String in, VtdFault beyond, long at) {
    if (!limits.passes()) {
      return stop(name, in, VtdFault.CONTEXT_INVALID.because("the unit has no pass-through"), at);
    }
    return iova.value() >>> limits.passedBits() == 0
        ? reached(iova.value())
        : stop(
            name,
            "address " + iova,
            beyond.because("the address has more than %d bits".formatted(limits.passedBits())),
            at);
  }

  private VtdWalk reached(long pa) {
    if (!UnitLimits.isMemory(pa)) {
      return noMemory("translated address", pa);
    }
    return new VtdWalk(trail.hops(), Optional.of(new Pa(pa)), Optional.empty());
  }

  private VtdWalk legacy(long root) {
    long at = root + (long) bus() * ROOT_BYTES;
    String name = "root entry 0x%x".formatted(bus());
    OptionalLong r = trail.read(at, name);
    OptionalLong upper = r.isEmpty() ? r : trail.read(at + Long.BYTES, name);
    if (r.isEmpty() || upper.isEmpty()) {
      return ended();
    }
    if (!ROOT_P.isSet(r.getAsLong())) {
      return stop(
          name,
          "bus 0x%x".formatted(bus()),
          VtdFault.ROOT_NOT_PRESENT.because("the entry is not present (P=0)"),
          at);
    }
    if ((r.getAsLong() & ROOT.mask(BitKind.RES0)) != 0 || upper.getAsLong() != 0) {
      return stop(
          name,
          "bus 0x%x".formatted(bus()),
          VtdFault.ROOT_RESERVED.because(
              "reserved bits are set: 0x%x and 0x%x".formatted(r.getAsLong(), upper.getAsLong())),
          at);
    }
    long table = CTP.get(r.getAsLong());
    trail.entry(
        name,
        "bus 0x%x".formatted(bus()),
        "context table at 0x%x".formatted(table),
        TableTrail.print(ROOT, r.getAsLong()),
        at);
    return context(table + (long) devfn() * CONTEXT_BYTES);
  }

  private VtdWalk context(long at) {
    String name = "context entry 0x%x".formatted(devfn());
    String in = "device and function 0x%x".formatted(devfn());
    OptionalLong low = trail.read(at, name);
    OptionalLong high = low.isEmpty() ? low : trail.read(at + Long.BYTES, name);
    if (low.isEmpty() || high.isEmpty()) {
      return ended();
    }
    long l = low.getAsLong();
    long h = high.getAsLong();
    if (!P.isSet(l)) {
      return stop(
          name, in, VtdFault.CONTEXT_NOT_PRESENT.because("the entry is not present (P=0)"), at);
    }
    String fields = TableTrail.print(CONTEXT_LOW, l) + " " + TableTrail.print(CONTEXT_HIGH, h);
    if ((l & CONTEXT_LOW.mask(BitKind.RES0)) != 0 || (h & CONTEXT_HIGH.mask(BitKind.RES0)) != 0) {
      return stop(
          name, in, VtdFault.CONTEXT_RESERVED.because("reserved bits are set; " + fields), at);
    }
    int levels = AW.getInt(h) + VtdRegisters.SAGAW_FEWEST_LEVELS;
    if (!limits.walksSecond(levels)) {
      return stop(
          name,
          in,
          VtdFault.CONTEXT_INVALID.because("tables of %d levels; %s".formatted(levels, fields)),
          at);
    }
    if (TT.getInt(l) == TT_WITH_DEVICE_TLB && !limits.hasDeviceTlb()) {
      return stop(name, in, VtdFault.CONTEXT_INVALID.because("ECAP_REG.DT is 0; " + fields), at);
    }
    return switch (TT.getInt(l)) {
      case TT_PASS_THROUGH -> {
        trail.entry(name, in, "address " + iova, fields, at);
        yield passed(name, in, VtdFault.BEYOND_WIDTH, at);
      }
      case TT_SECOND_STAGE, TT_WITH_DEVICE_TLB -> {
        trail.entry(name, in, "second-stage table at 0x%x".formatted(SSPTPTR.get(l)), fields, at);
        yield paging(
            new PagingWalk.Tables(PagingStage.LEGACY_SECOND, SSPTPTR.get(l), levels), name, at);
      }
      default ->
          stop(
              name,
              in,
              VtdFault.CONTEXT_INVALID.because("TT has a reserved encoding; " + fields),
              at);
    };
  }

  private VtdWalk scalable(long root) {
    boolean upper = devfn() >>> DEVICES_OF_A_TABLE_BITS != 0;
    long at = root + (long) bus() * ROOT_BYTES + (upper ? Long.BYTES : 0);
    String name = "root entry 0x%x, %s half".formatted(bus(), upper ? "upper" : "lower");
    OptionalLong r = trail.read(at, name);
    if (r.isEmpty()) {
      return ended();
    }
    long word = r.getAsLong();
    if (upper ? !UP.isSet(word) : !LP.isSet(word)) {
      return stop(
          name,
          "bus 0x%x".formatted(bus()),
          VtdFault.SM_ROOT_NOT_PRESENT.because(
              "the entry is not present (%s=0)".formatted(upper ? "UP" : "LP")),
          at);
    }
    if ((word & (upper ? SCALABLE_ROOT_HIGH : SCALABLE_ROOT_LOW).mask(BitKind.RES0)) != 0) {
      return reserved(name, "bus 0x%x".formatted(bus()), VtdFault.SM_ROOT_RESERVED, word, at);
    }
    long table = upper ? UCTP.get(word) : LCTP.get(word);
    trail.entry(
        name,
        "bus 0x%x".formatted(bus()),
        "context table at 0x%x".formatted(table),
        TableTrail.print(upper ? SCALABLE_ROOT_HIGH : SCALABLE_ROOT_LOW, word),
        at);
    long index = devfn() & (1 << DEVICES_OF_A_TABLE_BITS) - 1;
    return scalableContext(table + index * SCALABLE_BYTES);
  }

  private VtdWalk scalableContext(long at) {
    String name = "scalable context entry 0x%x".formatted(devfn());
    String in = "device and function 0x%x".formatted(devfn());
    OptionalLong low = trail.read(at, name);
    OptionalLong high = low.isEmpty() ? low : trail.read(at + Long.BYTES, name);
    if (low.isEmpty() || high.isEmpty()) {
      return ended();
    }
    long l = low.getAsLong();
    if (!SM_P.isSet(l)) {
      return stop(
          name, in, VtdFault.SM_CONTEXT_NOT_PRESENT.because("the entry is not present (P=0)"), at);
    }
    if ((l & SCALABLE_LOW.mask(BitKind.RES0)) != 0) {
      return reserved(name, in, VtdFault.SM_CONTEXT_RESERVED, l, at);
    }
    if ((high.getAsLong() & SCALABLE_HIGH.mask(BitKind.RES0)) != 0) {
      return reserved(name, in, VtdFault.SM_CONTEXT_RESERVED, high.getAsLong(), at);
    }
    for (int i = 2; i < SCALABLE_BYTES / Long.BYTES; i++) {
      OptionalLong rest = trail.read(at + (long) i * Long.BYTES, name);
      if (rest.isEmpty()) {
        return ended();
      }
      if (rest.getAsLong() != 0) {
        return reserved(name, in, VtdFault.SM_CONTEXT_RESERVED, rest.getAsLong(), at);
      }
    }
    long pasid = limits.hasRidPasid() ? RID_PASID.get(high.getAsLong()) : 0;
    long directory = PASIDDIRPTR.get(l);
    trail.entry(
        name,
        in,
        "PASID 0x%x, directory at 0x%x".formatted(pasid, directory),
        TableTrail.print(SCALABLE_LOW, l) + " " + TableTrail.print(SCALABLE_HIGH, high.getAsLong()),
        at);
    long index = pasid >>> PasidLayout.TABLE_BITS;
    if (index >= 1L << PDTS.getInt(l) + DIRECTORY_BITS) {
      return stop(name, in, "PASID 0x%x lies beyond the directory (PDTS)".formatted(pasid), at);
    }
    return directory(directory + index * PasidLayout.DIRECTORY_BYTES, pasid);
  }

  private VtdWalk directory(long at, long pasid) {
    String name = "PASID directory entry 0x%x".formatted(pasid >>> PasidLayout.TABLE_BITS);
    OptionalLong word = trail.read(at, name);
    if (word.isEmpty()) {
      return ended();
    }
    String in = "PASID 0x%x".formatted(pasid);
    if (!PasidLayout.DIR_P.isSet(word.getAsLong())) {
      return stop(
          name,
          in,
          VtdFault.SM_DIRECTORY_NOT_PRESENT.because("the entry is not present (P=0)"),
          at);
    }
    if ((word.getAsLong() & PasidLayout.DIRECTORY.mask(BitKind.RES0)) != 0) {
      return reserved(name, in, VtdFault.SM_DIRECTORY_RESERVED, word.getAsLong(), at);
    }
    long table = PasidLayout.SMPTBLPTR.get(word.getAsLong());
    trail.entry(
        name,
        in,
        "PASID table at 0x%x".formatted(table),
        TableTrail.print(PasidLayout.DIRECTORY, word.getAsLong()),
        at);
    long index = pasid & (1 << PasidLayout.TABLE_BITS) - 1;
    return pasidEntry(table + index * PasidLayout.ENTRY_BYTES, pasid);
  }

  private VtdWalk pasidEntry(long at, long pasid) {
    String name = "PASID table entry 0x%x".formatted(pasid);
    String in = "PASID 0x%x".formatted(pasid);
    OptionalLong q0 = trail.read(at, name);
    OptionalLong q2 = q0.isEmpty() ? q0 : trail.read(at + 2 * Long.BYTES, name);
    if (q0.isEmpty() || q2.isEmpty()) {
      return ended();
    }
    long first = q0.getAsLong();
    long third = q2.getAsLong();
    if (!PasidLayout.P.isSet(first)) {
      return stop(
          name, in, VtdFault.SM_PASID_NOT_PRESENT.because("the entry is not present (P=0)"), at);
    }
    if ((first & PasidLayout.ENTRY_0.mask(BitKind.RES0)) != 0) {
      return reserved(name, in, VtdFault.SM_PASID_RESERVED, first, at);
    }
    return translated(first, third, pasid, at);
  }

  private VtdWalk translated(long first, long third, long pasid, long at) {
    String name = "PASID table entry 0x%x".formatted(pasid);
    String in = "PASID 0x%x".formatted(pasid);
    String fields =
        TableTrail.print(PasidLayout.ENTRY_0, first)
            + " "
            + TableTrail.print(PasidLayout.ENTRY_2, third);
    PagingWalk.Tables tables =
        new PagingWalk.Tables(
            PagingStage.FIRST,
            PasidLayout.FSPTPTR.get(third),
            PasidLayout.FSPM.getInt(third) + PasidLayout.FEWEST_FIRST_STAGE_LEVELS);
    PagingWalk.Tables second =
        new PagingWalk.Tables(
            PagingStage.SECOND,
            PasidLayout.SSPTPTR.get(first),
            PasidLayout.AW.getInt(first) + VtdRegisters.SAGAW_FEWEST_LEVELS);
    return switch (PasidLayout.PGTT.getInt(first)) {
      case PasidLayout.PASS_THROUGH -> {
        trail.entry(name, in, "address " + iova, fields, at);
        yield passed(name, in, VtdFault.SM_BEYOND_WIDTH, at);
      }
      case PasidLayout.FIRST_STAGE -> {
        trail.entry(name, in, "first-stage table at 0x%x".formatted(tables.root()), fields, at);
        yield paging(tables, name, at);
      }
      case PasidLayout.SECOND_STAGE -> {
        trail.entry(name, in, "second-stage table at 0x%x".formatted(second.root()), fields, at);
        yield paging(second, name, at);
      }
      case PasidLayout.NESTED -> {
        trail.entry(
            name,
            in,
            "first-stage table at 0x%x of the second-stage table at 0x%x"
                .formatted(tables.root(), second.root()),
            fields,
            at);
        yield paging(tables, Optional.of(second), name, at);
      }
      default ->
          stop(
              name,
              in,
              VtdFault.SM_PASID_INVALID.because("PGTT has a reserved encoding; " + fields),
              at);
    };
  }

  private VtdWalk paging(PagingWalk.Tables tables, String from, long fromPa) {
    return paging(tables, Optional.empty(), from, fromPa);
  }

  private VtdWalk paging(
      PagingWalk.Tables tables, Optional<PagingWalk.Tables> by, String from, long fromPa) {
    OptionalLong out =
        new PagingWalk(trail, limits, from, fromPa).run(tables, iova.value(), write, by);
    return out.isEmpty() ? ended() : reached(out.getAsLong());
  }
}
