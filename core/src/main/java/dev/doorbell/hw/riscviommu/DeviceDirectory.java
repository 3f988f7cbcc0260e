package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.*;
import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.AMO_HWAD;
import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.T2GPA;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Finds device contexts, checks them, and keeps them until they are invalidated. Look-ups of what is kept allocate nothing and take no lock.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.3.1 (how a device context is found), 2.1.4 (configuration checks), 2.7 (caching).
final class DeviceDirectory {
  /// Contexts kept: one for each of as many device_ids as a PCI segment has.
  private static final int KEPT = 0x10000;

  private static final int MOST_SPACES = 0xffff;

  private static final long TC_RESERVED = TC.mask(BitKind.RES0);

  private final RiscvIommuFeatures features;
  private final PhysicalMemory memory;
  private final EventCounters events;
  private final AtomicReferenceArray<@Nullable DeviceContext> kept =
      new AtomicReferenceArray<>(KEPT);
  private final Map<Integer, Integer> spaces = new HashMap<>();
  private volatile long generation;

  DeviceDirectory(RiscvIommuFeatures features, PhysicalMemory memory, EventCounters events) {
    this.features = features;
    this.memory = memory;
    this.events = events;
  }

  /// What a look-up answers instead of a context.
  static final class Missing {
    int cause;

    /// Of the request that asks; negative for none.
    int processId = EventCounters.NONE;
  }

  /// {@return the device's context; null with the cause in `missing` when there is none}
  ///
  /// @param ddtp the register
  @Nullable DeviceContext find(long ddtp, int deviceId, Missing missing) {
    int levels = DDTP_LEVELS[RiscvIommuRegisters.DDTP_MODE.getInt(ddtp)];
    if (deviceId >>> deviceIdBits(levels, features.extended()) != 0) {
      missing.cause = FaultLayout.TYPE_DISALLOWED;
      return null;
    }
    DeviceContext known = kept.get(deviceId & (KEPT - 1));
    return known != null && known.deviceId() == deviceId
        ? known
        : fetch(ddtp, levels, deviceId, missing);
  }

  private static final int[] DDTP_LEVELS = {0, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

  private @Nullable DeviceContext fetch(long ddtp, int levels, int deviceId, Missing missing) {
    events.count(EventCounters.DEVICE_WALK, deviceId, missing.processId);
    long before = generation;
    long table = address(RiscvIommuRegisters.DDTP_PPN.get(ddtp));
    boolean extended = features.extended();
    try {
      for (int level = levels - 1; level > 0; level--) {
        long entry = memory.read64(table + (long) index(deviceId, level, extended) * POINTER_BYTES);
        if (!POINTER_V.isSet(entry)) {
          missing.cause = FaultLayout.DDT_INVALID;
          return null;
        }
        if ((entry & POINTER.mask(BitKind.RES0)) != 0) {
          missing.cause = FaultLayout.DDT_MISCONFIGURED;
          return null;
        }
        table = address(POINTER_PPN.get(entry));
      }
      long at = table + (long) index(deviceId, 0, extended) * contextBytes(extended);
      long[] words = new long[contextBytes(extended) / Long.BYTES];
      for (int i = 0; i < words.length; i++) {
        words[i] = memory.read64(at + (long) i * Long.BYTES);
      }
      if (!TC_V.isSet(words[TC_AT / Long.BYTES])) {
        missing.cause = FaultLayout.DDT_INVALID;
        return null;
      }
      if (isMisconfigured(words)) {
        missing.cause = FaultLayout.DDT_MISCONFIGURED;
        return null;
      }
      return keep(deviceId, words, before);
    } catch (BusErrorException e) {
      missing.cause = FaultLayout.DDT_LOAD_FAULT;
      return null;
    }
  }

  /// The rules of 2.1.4, of an IOMMU without other byte orders and widths.
  private boolean isMisconfigured(long[] w) {
    long tc = w[TC_AT / Long.BYTES];
    long unsupported =
        TC_RESERVED
            | TC_SBE.mask()
            | TC_SXL.mask()
            | (AMO_HWAD.isSet(features.capabilities()) ? 0 : TC_GADE.mask() | TC_SADE.mask());
    long gatp = w[IOHGATP_AT / Long.BYTES];
    int second = IOHGATP_MODE.getInt(gatp);
    long fsc = w[FSC_AT / Long.BYTES];
    boolean unaligned = second != BARE && IOHGATP_PPN.get(gatp) % ROOT_PAGES != 0;
    boolean processes = TC_PDTV.isSet(tc);
    int first = FSC_MODE.getInt(fsc);
    return (tc & unsupported) != 0
        || !requestsSoundly(tc, second)
        || (w[TA_AT / Long.BYTES] & ~TA_PSCID.mask()) != 0
        || (fsc & FSC.mask(BitKind.RES0)) != 0
        || (TC_DPE.isSet(tc) && !processes)
        || !(processes ? features.processDirectory(first) : features.firstStage(first))
        || !features.secondStage(second)
        || unaligned
        || (w.length > BASE_BYTES / Long.BYTES && isMsiMisconfigured(w, second));
  }

  private boolean requestsSoundly(long tc, int second) {
    boolean guests = TC_T2GPA.isSet(tc);
    boolean ats = TC_EN_ATS.isSet(tc);
    boolean pri = TC_EN_PRI.isSet(tc);
    return (!ats || RiscvIommuRegisters.ATS.isSet(features.capabilities()))
        && (!pri || ats)
        && (!guests || ats && second != BARE && T2GPA.isSet(features.capabilities()))
        && (!TC_PRPR.isSet(tc) || pri);
  }

  private static final int ROOT_PAGES = 1 << SvPteLayout.WIDER_ROOT_BITS;

  private boolean isMsiMisconfigured(long[] w, int second) {
    long msiptp = w[MSIPTP_AT / Long.BYTES];
    int mode = MSIPTP_MODE.getInt(msiptp);
    int pageBits = features.guestBits() - PAGE_SHIFT;
    return (msiptp & MSIPTP.mask(BitKind.RES0)) != 0
        || (mode != MSI_OFF && mode != MSI_FLAT)
        || (mode != MSI_OFF && second == BARE)
        || !SvPteLayout.fits(w[MSI_MASK_AT / Long.BYTES], pageBits)
        || !SvPteLayout.fits(w[MSI_PATTERN_AT / Long.BYTES], pageBits)
        || w[RESERVED_AT / Long.BYTES] != 0;
  }

  /// A context that was fetched before an invalidation is used once and not kept.
  private synchronized DeviceContext keep(int deviceId, long[] w, long before) {
    long gatp = w[IOHGATP_AT / Long.BYTES];
    long fsc = w[FSC_AT / Long.BYTES];
    long tc = w[TC_AT / Long.BYTES];
    boolean processes = TC_PDTV.isSet(tc);
    int firstMode = FSC_MODE.getInt(fsc);
    long firstRoot = address(FSC_PPN.get(fsc));
    boolean msi =
        w.length > BASE_BYTES / Long.BYTES
            && MSIPTP_MODE.getInt(w[MSIPTP_AT / Long.BYTES]) == MSI_FLAT;
    DeviceContext context =
        new DeviceContext(
            deviceId,
            tc,
            processes ? new ProcessDirectory(features, this::space, firstMode, firstRoot) : null,
            processes ? BARE : firstMode,
            processes ? 0 : firstRoot,
            IOHGATP_MODE.getInt(gatp),
            address(IOHGATP_PPN.get(gatp)),
            IOHGATP_GSCID.getInt(gatp),
            TA_PSCID.getInt(w[TA_AT / Long.BYTES]),
            space(TA_PSCID.getInt(w[TA_AT / Long.BYTES])),
            msi ? address(MSIPTP_PPN.get(w[MSIPTP_AT / Long.BYTES])) : -1,
            msi ? w[MSI_MASK_AT / Long.BYTES] : 0,
            msi ? w[MSI_PATTERN_AT / Long.BYTES] : 0,
            0,
            new DeviceContext.GuestRoot());
    if (generation == before) {
      kept.set(deviceId & (KEPT - 1), context);
    }
    return context;
  }

  /// {@return the cache's number of a PSCID, which has more bits than the cache's tags}
  ///
  /// Number 0 is nobody's: it tags what has no first stage. Numbers are never given to another PSCID; after all are given out, PSCIDs share the last one, and are invalidated together.
  synchronized int space(int pscid) {
    return spaces.computeIfAbsent(pscid, _ -> Math.min(spaces.size() + 1, MOST_SPACES));
  }

  /// Forgets a process of a device.
  void forget(int deviceId, int processId) {
    DeviceContext known = kept.get(deviceId & (KEPT - 1));
    ProcessDirectory processes = known == null ? null : known.processes();
    if (processes != null) {
      processes.forget(processId);
    }
  }

  /// Forgets a device's context, and its processes.
  synchronized void forget(int deviceId) {
    generation++;
    DeviceContext known = kept.get(deviceId & (KEPT - 1));
    if (known != null && known.deviceId() == deviceId) {
      kept.set(deviceId & (KEPT - 1), null);
    }
  }

  /// Forgets all.
  synchronized void forgetAll() {
    generation++;
    for (int i = 0; i < KEPT; i++) {
      kept.set(i, null);
    }
  }
}
