package dev.doorbell.diff;

import static dev.doorbell.hw.amdvi.DteLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.hw.amdvi.AmdViRegisters;
import dev.doorbell.hw.amdvi.IoPageLayout;
import dev.doorbell.hw.amdvi.IrteLayout;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// What QEMU's `amd-iommu` does otherwise; `docs/qemu-differences.md` has the same names.
final class AmdViQuirks {
  static final List<ComparedIommu.Named> ALL =
      List.of(
          new ComparedIommu.Named("amdvi-ignored-bits", AmdViQuirks::ignored),
          new ComparedIommu.Named("amdvi-forward", AmdViQuirks::forward),
          new ComparedIommu.Named("amdvi-table-length", AmdViQuirks::length),
          new ComparedIommu.Named("amdvi-reserved-of-dma", AmdViQuirks::reserved),
          new ComparedIommu.Named("amdvi-wide-reserved", AmdViQuirks::wideReserved),
          new ComparedIommu.Named("amdvi-leaf-permission", AmdViQuirks::leaf));

  private static final int PAGE_BITS = 12;
  private static final int INDEX_BITS = 9;
  private static final int SKIPPED = 3;
  private static final long LEVEL_2 = 0x1ffL << PAGE_BITS + INDEX_BITS;

  private AmdViQuirks() {}

  private static long word(IommuRun run, int number) {
    return run.view().read64(at(run, number));
  }

  private static long at(IommuRun run, int number) {
    long entry = AmdViIommu.DEVICES + (long) run.attempt().requester() * BYTES;
    return entry + (long) number * Long.BYTES;
  }

  /// Address bits beyond the root's width, and of levels that an entry skips.
  private static List<IommuOutcome> ignored(IommuRun run) {
    return within(run).stream().map(run::at).toList();
  }

  /// {@return the address without bits beyond the root's width, and without those of a level that an entry may skip}
  private static List<Long> within(IommuRun run) {
    long address = run.attempt().address();
    int levels = MODE.getInt(word(run, 0));
    if (Pc.isMessage(address) || levels == MODE_NONE || levels > SKIPPED) {
      return List.of();
    }
    long within = address & (1L << PAGE_BITS + INDEX_BITS * levels) - 1;
    return levels == SKIPPED ? List.of(within, within & ~LEVEL_2) : List.of(within);
  }

  /// What the last entry allows passes, whatever bits of the address are ignored besides.
  private static List<IommuOutcome> leaf(IommuRun run) {
    return Stream.concat(Stream.of(run.attempt().address()), within(run).stream())
        .map(address -> run.reading(AmdViQuirks::permitting, address))
        .toList();
  }

  private static List<IommuOutcome> forward(IommuRun run) {
    boolean forwards = INT_CTL.getInt(word(run, 2)) == INT_FORWARD;
    return Pc.isMessage(run.attempt().address()) && forwards
        ? List.of(IommuOutcome.of(Pc.interrupt(0, 0, 0, 0)))
        : List.of();
  }

  /// As with the longest table that there is.
  private static List<IommuOutcome> length(IommuRun run) {
    if (!Pc.isMessage(run.attempt().address())) {
      return List.of();
    }
    long longest = INT_TAB_LEN.with(word(run, 2), MOST_INT_TAB_LEN);
    return List.of(run.with(Map.of(at(run, 2), longest)));
  }

  /// Reserved bits of entries of 16 bytes, in a table of the length that it has, or of the longest.
  private static List<IommuOutcome> wideReserved(IommuRun run) {
    boolean wide =
        AmdViRegisters.GA_EN.isSet(
            run.setting(AmdViIommu.UNIT + AmdViRegisters.CONTROL_REG.offset()));
    if (!wide || !Pc.isMessage(run.attempt().address())) {
      return List.of();
    }
    long length = at(run, 2);
    return List.of(
        run.reading(AmdViQuirks::withoutReserved),
        run.reading((kind, at, word) ->
            at == length
                ? INT_TAB_LEN.with(word, MOST_INT_TAB_LEN)
                : withoutReserved(kind, at, word)));
  }

  private static long withoutReserved(ComparedIommu.Kind kind, long at, long word) {
    boolean upper = (at & Long.BYTES) != 0;
    long bits = (upper ? IrteLayout.HIGH : IrteLayout.LOW).mask(BitKind.RES0);
    return kind == ComparedIommu.Kind.INTERRUPT ? word & ~bits : word;
  }

  /// IR and IW of a device's entry, and of entries that lead to further ones, count as set.
  private static long permitting(ComparedIommu.Kind kind, long at, long word) {
    if (kind == ComparedIommu.Kind.DEVICE) {
      return at % BYTES == 0 ? word | IR.mask() | IW.mask() : word;
    }
    int next = IoPageLayout.NEXT_LEVEL.getInt(word);
    boolean leads =
        kind == ComparedIommu.Kind.PAGE
            && IoPageLayout.PR.isSet(word)
            && next != 0
            && next != IoPageLayout.SIZED_PAGE;
    return leads ? word | IoPageLayout.IR.mask() | IoPageLayout.IW.mask() : word;
  }

  private static List<IommuOutcome> reserved(IommuRun run) {
    boolean odd = (word(run, 0) & AmdViGenerator.RESERVED) != 0;
    return Pc.isMessage(run.attempt().address()) && odd
        ? List.of(IommuOutcome.nothing())
        : List.of();
  }
}
