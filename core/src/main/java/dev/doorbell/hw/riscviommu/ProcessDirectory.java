package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.ProcessLayout.*;

import dev.doorbell.bits.BitKind;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/// A device's processes as the model has fetched and checked them, kept until they or their device's context are invalidated. Look-ups of what is
/// kept allocate nothing and take no lock.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.2.4 (process-context configuration checks), 2.3.2 (how a process context is found), 2.7 (caching).
final class ProcessDirectory {
  /// Contexts kept: one for each process_id of the smallest directory.
  private static final int KEPT = 256;

  /// No process_id.
  private static final int NONE = -1;

  private final RiscvIommuFeatures features;
  private final IntUnaryOperator spaces;
  private final int mode;
  private final long root;
  private final AtomicReferenceArray<@Nullable Kept> kept = new AtomicReferenceArray<>(KEPT);

  /// @param spaces gives a PSCID its number in the cache
  /// @param mode `pdtp.MODE`
  /// @param root address of the first table; a guest physical one where the second stage translates
  ProcessDirectory(RiscvIommuFeatures features, IntUnaryOperator spaces, int mode, long root) {
    this.features = features;
    this.spaces = spaces;
    this.mode = mode;
    this.root = root;
  }

  /// @param context null where an invalidation left its mark
  private record Kept(int processId, @Nullable DeviceContext context) {}

  /// {@return address of the first table}
  long root() {
    return root;
  }

  /// {@return whether a process_id is wider than the directory}
  boolean isWider(int processId) {
    return mode != BARE && !SvPteLayout.fits(processId, processIdBits(mode));
  }

  /// {@return the device's context with the first stage of a process; null with the cause in the walk where there is none}
  @Nullable DeviceContext find(DeviceContext device, int processId, int access, PageWalk walk) {
    if (mode == BARE) {
      return device;
    }
    Kept known = kept.get(processId & (KEPT - 1));
    if (known != null && known.processId() == processId) {
      return known.context();
    }
    DeviceContext found = fetch(device, processId, access, walk);
    if (found != null) {
      // What was fetched before an invalidation is used once and not kept: that leaves another
      // mark.
      kept.compareAndSet(processId & (KEPT - 1), known, new Kept(processId, found));
    }
    return found;
  }

  private @Nullable DeviceContext fetch(
      DeviceContext device, int processId, int access, PageWalk walk) {
    walk.walksProcesses(device);
    long table = root;
    for (int level = mode - 1; level > 0; level--) {
      long entry = walk.directory(device, table + offset(processId, level), access);
      if (walk.cause == 0 && !POINTER_V.isSet(entry)) {
        walk.cause = FaultLayout.PDT_INVALID;
      } else if (walk.cause == 0 && (entry & POINTER.mask(BitKind.RES0)) != 0) {
        walk.cause = FaultLayout.PDT_MISCONFIGURED;
      }
      if (walk.cause != 0) {
        return null;
      }
      table = DirectoryLayout.address(POINTER_PPN.get(entry));
    }
    long at = table + offset(processId, 0);
    long ta = walk.directory(device, at, access);
    long fsc = walk.cause == 0 ? walk.directory(device, at + FSC_AT, access) : 0;
    if (walk.cause == 0 && !TA_V.isSet(ta)) {
      walk.cause = FaultLayout.PDT_INVALID;
    } else if (walk.cause == 0 && isMisconfigured(ta, fsc)) {
      walk.cause = FaultLayout.PDT_MISCONFIGURED;
    }
    return walk.cause == 0
        ? device.withFirst(
            FSC_MODE.getInt(fsc),
            DirectoryLayout.address(FSC_PPN.get(fsc)),
            spaces.applyAsInt(TA_PSCID.getInt(ta)),
            ta)
        : null;
  }

  private boolean isMisconfigured(long ta, long fsc) {
    return (ta & TA.mask(BitKind.RES0)) != 0
        || (fsc & FSC.mask(BitKind.RES0)) != 0
        || !features.firstStage(FSC_MODE.getInt(fsc));
  }

  /// Forgets one process, and others that are kept in its place.
  void forget(int processId) {
    kept.set(processId & (KEPT - 1), new Kept(NONE, null));
  }
}
