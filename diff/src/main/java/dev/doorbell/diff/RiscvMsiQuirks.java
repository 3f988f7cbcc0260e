package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.MsiPteLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.hw.riscviommu.DirectoryLayout;
import dev.doorbell.hw.riscviommu.FaultLayout;
import dev.doorbell.hw.riscviommu.MsiPteLayout;
import java.util.ArrayList;
import java.util.List;

/// What QEMU's `riscv-iommu` does otherwise with messages.
final class RiscvMsiQuirks {
  private static final int IDENTITIES = 2048;
  private static final long OFFSET = DirectoryLayout.PAGE_BYTES - 1;

  private RiscvMsiQuirks() {}

  /// The entry that a message met.
  ///
  /// @param first its doubleword without reserved bits
  private record Met(long first, long second) {
    boolean isFile() {
      return MRIF_V.isSet(first) && MRIF_M.getInt(first) == MRIF && !MRIF_C.isSet(first);
    }
  }

  private static long clean(long at, long word) {
    if ((at & SECOND_AT) != 0) {
      // Of a basic entry this is software's, and nobody reads it.
      return word & ~NOTICE.mask(BitKind.RES0);
    }
    boolean file = MRIF_M.getInt(word) == MRIF;
    return word & ~(file ? FIRST_MRIF : FIRST).mask(BitKind.RES0);
  }

  private static Met met(IommuRun run) {
    long[] found = {-1};
    var unused =
        run.reading((kind, at, word) -> {
          if (kind == ComparedIommu.Kind.INTERRUPT) {
            found[0] = at & -BYTES;
          }
          return word;
        });
    if (found[0] < 0) {
      return new Met(0, 0);
    }
    long second = found[0] + SECOND_AT;
    return new Met(
        clean(found[0], run.view().read64(found[0])), clean(second, run.view().read64(second)));
  }

  /// {@return what QEMU does with a message to an interrupt file in memory: its pending bits are eight bytes apart, its enable bits behind them}
  private static List<IommuOutcome> file(IommuRun run, Met met) {
    int data = run.attempt().data();
    if (!met.isFile()) {
      return List.of();
    }
    if (data >= IDENTITIES) {
      return List.of(RiscvQuirks.fault(run, FaultLayout.MSI_MISCONFIGURED));
    }
    long at = MsiPteLayout.file(met.first()) + (long) data / Long.SIZE * Long.BYTES;
    long bit = 1L << data % Long.SIZE;
    long pending = run.view().read64(at);
    List<String> effects = new ArrayList<>();
    if ((pending & bit) == 0) {
      effects.add(IommuRun.effect(at, pending | bit));
    }
    long page = DirectoryLayout.address(NPPN.get(met.second()));
    if ((run.view().read64(at + Long.BYTES) & bit) != 0) {
      long before = run.view().read64(page);
      long after = before & -1L << Integer.SIZE | MsiPteLayout.notice(met.second());
      if (after != before) {
        effects.add(IommuRun.effect(page, after));
      }
    }
    return List.of(new IommuOutcome(-1, "", effects));
  }

  static List<IommuOutcome> offset(IommuRun run) {
    return (run.attempt().address() & OFFSET) == 0
        ? List.of()
        : List.of(run.at(run.attempt().address() & ~OFFSET));
  }

  static List<IommuOutcome> reserved(IommuRun run) {
    List<IommuOutcome> out = new ArrayList<>();
    out.add(
        run.reading(
            (kind, at, word) -> kind == ComparedIommu.Kind.INTERRUPT ? clean(at, word) : word));
    out.addAll(recorded(run) ? file(run, met(run)) : List.of());
    return out;
  }

  private static boolean recorded(IommuRun run) {
    return RiscvQuirks.recorded(run, FaultLayout.MSI_MISCONFIGURED);
  }

  static List<IommuOutcome> custom(IommuRun run) {
    return recorded(run) ? List.of(RiscvQuirks.fault(run, FaultLayout.MSI_INVALID)) : List.of();
  }

  static List<IommuOutcome> fileOffset(IommuRun run) {
    return (run.attempt().address() & OFFSET) == 0 ? List.of() : file(run, met(run));
  }

  static List<IommuOutcome> wide(IommuRun run) {
    return run.attempt().data() < IDENTITIES ? List.of() : file(run, met(run));
  }

  static List<IommuOutcome> layout(IommuRun run) {
    return run.attempt().data() < Long.SIZE ? List.of() : file(run, met(run));
  }

  static List<IommuOutcome> disabled(IommuRun run) {
    return file(run, met(run));
  }
}
