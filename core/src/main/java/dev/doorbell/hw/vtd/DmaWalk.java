package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.ContextLayout.*;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
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
  private final int requester;
  private final Iova iova;
  private final boolean write;

  DmaWalk(TableTrail trail, int requester, Iova iova, boolean write) {
    this.trail = trail;
    this.requester = requester;
    this.iova = iova;
    this.write = write;
  }

  VtdWalk run(long gsts, long rtaddr) {
    String in = "requester id 0x%x".formatted(requester);
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
      case VtdRegisters.TTM_SCALABLE -> scalable(root);
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

  private VtdWalk reached(long pa) {
    return new VtdWalk(trail.hops(), Optional.of(new Pa(pa)), Optional.empty());
  }

  private VtdWalk legacy(long root) {
    long at = root + (long) bus() * ROOT_BYTES;
    String name = "root entry 0x%x".formatted(bus());
    OptionalLong r = trail.read(at, name);
    if (r.isEmpty()) {
      return ended();
    }
    if (!ROOT_P.isSet(r.getAsLong())) {
      return stop(
          name,
          "bus 0x%x".formatted(bus()),
          VtdFault.ROOT_NOT_PRESENT.because("the entry is not present (P=0)"),
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
    return switch (TT.getInt(l)) {
      case TT_PASS_THROUGH -> {
        trail.entry(name, in, "address " + iova, fields, at);
        yield reached(iova.value());
      }
      case TT_SECOND_STAGE, TT_WITH_DEVICE_TLB -> {
        trail.entry(name, in, "second-stage table at 0x%x".formatted(SSPTPTR.get(l)), fields, at);
        yield paging(PagingStage.LEGACY_SECOND, SSPTPTR.get(l), AW.getInt(h) + 2, name, at);
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
    long pasid = RID_PASID.get(high.getAsLong());
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
    String fields =
        TableTrail.print(PasidLayout.ENTRY_0, first)
            + " "
            + TableTrail.print(PasidLayout.ENTRY_2, third);
    return switch (PasidLayout.PGTT.getInt(first)) {
      case PasidLayout.PASS_THROUGH -> {
        trail.entry(name, in, "address " + iova, fields, at);
        yield reached(iova.value());
      }
      case PasidLayout.FIRST_STAGE -> {
        long table = PasidLayout.FSPTPTR.get(third);
        trail.entry(name, in, "first-stage table at 0x%x".formatted(table), fields, at);
        int levels = PasidLayout.FSPM.getInt(third) + PagingStage.FEWEST_FIRST_STAGE_LEVELS;
        yield paging(PagingStage.FIRST, table, levels, name, at);
      }
      case PasidLayout.SECOND_STAGE -> {
        long table = PasidLayout.SSPTPTR.get(first);
        trail.entry(name, in, "second-stage table at 0x%x".formatted(table), fields, at);
        yield paging(PagingStage.SECOND, table, PasidLayout.AW.getInt(first) + 2, name, at);
      }
      case PasidLayout.NESTED ->
          stop(name, in, "cannot see: nested translation is not followed; " + fields, at);
      default ->
          stop(
              name,
              in,
              VtdFault.SM_PASID_INVALID.because("PGTT has a reserved encoding; " + fields),
              at);
    };
  }

  private VtdWalk paging(PagingStage stage, long table, int levels, String from, long fromPa) {
    if (levels < 3 || levels > 5) {
      return stop(
          from,
          iova.toString(),
          stage.invalid().because("tables of %d levels".formatted(levels)),
          fromPa);
    }
    int width = PagingLayout.PAGE_BITS + levels * PagingLayout.INDEX_BITS;
    // The first stage takes canonical addresses: the bits above are copies of the highest one.
    long above = stage.canonical(iova.value(), width);
    if (above != 0) {
      return stop(
          from,
          iova.toString(),
          stage.beyond().because("the address has more than %d bits".formatted(width)),
          fromPa);
    }
    long at = table;
    for (int level = levels; level >= 1; level--) {
      int shift = PagingLayout.PAGE_BITS + (level - 1) * PagingLayout.INDEX_BITS;
      long index = iova.value() >>> shift & (1 << PagingLayout.INDEX_BITS) - 1;
      long pa = at + index * PagingLayout.BYTES;
      String name = "%s level %d".formatted(stage.printed(), level);
      OptionalLong word = trail.read(pa, name);
      if (word.isEmpty()) {
        return ended();
      }
      long e = word.getAsLong();
      Optional<String> fault = stage.fault(e, write);
      if (fault.isPresent()) {
        return stop(name, iova.toString(), fault.get() + "; " + stage.print(e), pa);
      }
      if (level == 1 || level <= PagingLayout.LARGEST_PAGE_LEVEL && stage.isPage(e)) {
        long offset = iova.value() & (1L << shift) - 1;
        long out = stage.address(e) & -(1L << shift) | offset;
        trail.entry(name, iova.toString(), "0x" + Long.toHexString(out), stage.print(e), pa);
        return reached(out);
      }
      at = stage.address(e);
      trail.entry(name, iova.toString(), "table at 0x" + Long.toHexString(at), stage.print(e), pa);
    }
    throw new AssertionError("level 1 holds pages");
  }
}
