package dev.doorbell.hw.papr;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Rollback;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Writes the TCEs of a PE's windows by calls: many at a time where the hypervisor takes many.
///
/// **Source**: LoPAPR 1.1, 14.5.4.2 (H_PUT_TCE, H_PUT_TCE_INDIRECT, H_STUFF_TCE), 7.4.1 (dynamic windows); Linux 6.12
/// `tce_buildmulti_pSeriesLP`, `tce_clearrange_multi_pSeriesLP`, `enable_ddw`.
final class PaprWindows {
  /// Bit of 64 KiB in what ibm,query-pe-dma-window tells of pages.
  private static final int PAGES_64K = 0x2;

  /// Most bits of a further window that is asked for: 16 GiB at 64 KiB a page.
  private static final int MOST_BITS = 34;

  private static final int LIST_BYTES = 0x1000;

  private record Wide(long liobn, AddressRange range) {}

  private final PaprHardware hw;
  private final PaprCalls calls;
  private final Optional<Wide> wide;
  private final Pa list;
  private final ReentrantLock lock = new ReentrantLock();
  private boolean multiple = true;

  private PaprWindows(PaprHardware hw, PaprCalls calls, Optional<Wide> wide, Pa list) {
    this.hw = hw;
    this.calls = calls;
    this.wide = wide;
    this.list = list;
  }

  static PaprWindows open(PaprHardware hw, PaprCalls calls, Rollback rollback) {
    Pa list = hw.frames().allocate(LIST_BYTES, LIST_BYTES);
    rollback.add(() -> hw.frames().free(list, LIST_BYTES));
    Optional<Wide> wide =
        hw.endpoint().filter(PaprHardware.Endpoint::dynamic).flatMap(e -> ask(e, calls));
    wide.ifPresent(w -> rollback.add(() -> remove(calls, w)));
    PaprWindows out = new PaprWindows(hw, calls, wide, list);
    out.clear(Granule.K4, hw.window());
    return out;
  }

  /// {@return a further window of 64 KiB pages, as large as the hypervisor gives; empty when it gives none}
  private static Optional<Wide> ask(PaprHardware.Endpoint e, PaprCalls calls) {
    int[] told = calls.rtas(Calls.QUERY_WINDOW, 5, e.arguments());
    long pages = Integer.toUnsignedLong(told[2]);
    if (told[1] < 1 || pages == 0 || (told[3] & PAGES_64K) == 0) {
      return Optional.empty();
    }
    int shift = Granule.K64.shift();
    int bits = Math.min(MOST_BITS, shift + Long.SIZE - 1 - Long.numberOfLeadingZeros(pages));
    int[] made = calls.rtas(Calls.CREATE_WINDOW, 4, e.arguments(shift, bits));
    long start = (long) made[2] << Integer.SIZE | Integer.toUnsignedLong(made[3]);
    return Optional.of(
        new Wide(Integer.toUnsignedLong(made[1]), AddressRange.ofSize(start, 1L << bits)));
  }

  private static void remove(PaprCalls calls, Wide w) {
    calls.rtas(Calls.REMOVE_WINDOW, 1, (int) w.liobn());
  }

  Optional<AddressRange> wide() {
    return wide.map(Wide::range);
  }

  private long liobn(Granule granule) {
    return granule.equals(Granule.K4) ? hw.liobn() : wide.orElseThrow().liobn();
  }

  /// @param tce of the first page; each further one has the next page
  void put(Granule granule, AddressRange range, long tce) {
    lock.lock();
    try {
      long pages = range.bytes() >>> granule.shift();
      for (long done = 0; done < pages; ) {
        int now = (int) Math.min(Calls.INDIRECT_MOST, pages - done);
        long at = range.start() + (done << granule.shift());
        put(granule, at, now, tce + (done << granule.shift()));
        done += now;
      }
    } finally {
      lock.unlock();
    }
  }

  private void put(Granule granule, long at, int count, long tce) {
    if (count > 1 && multiple) {
      for (int i = 0; i < count; i++) {
        hw.memory()
            .write64(
                list.value() + (long) i * Long.BYTES,
                Long.reverseBytes(tce + ((long) i << granule.shift())));
      }
      if (many(Calls.H_PUT_TCE_INDIRECT, liobn(granule), at, list.value(), count)) {
        return;
      }
    }
    for (int i = 0; i < count; i++) {
      long step = (long) i << granule.shift();
      one(liobn(granule), at + step, tce + step);
    }
  }

  void clear(Granule granule, AddressRange range) {
    lock.lock();
    try {
      long pages = range.bytes() >>> granule.shift();
      for (long done = 0; done < pages; ) {
        int now = (int) Math.min(Calls.INDIRECT_MOST, pages - done);
        clear(granule, range.start() + (done << granule.shift()), now);
        done += now;
      }
    } finally {
      lock.unlock();
    }
  }

  private void clear(Granule granule, long at, int count) {
    if (multiple && many(Calls.H_STUFF_TCE, liobn(granule), at, TceLayout.NONE, count)) {
      return;
    }
    for (int i = 0; i < count; i++) {
      one(liobn(granule), at + ((long) i << granule.shift()), TceLayout.NONE);
    }
  }

  /// {@return whether the hypervisor has the call}
  private boolean many(long... callAndArguments) {
    long call = callAndArguments[0];
    long status = calls.hcall(0, callAndArguments);
    if (status == Calls.H_FUNCTION) {
      multiple = false;
      return false;
    }
    if (status != Calls.H_SUCCESS) {
      throw calls.refused(call, status);
    }
    return true;
  }

  private void one(long liobn, long at, long tce) {
    long status = calls.hcall(0, Calls.H_PUT_TCE, liobn, at, tce);
    if (status != Calls.H_SUCCESS) {
      throw calls.refused(Calls.H_PUT_TCE, status);
    }
  }

  void close() {
    wide.ifPresent(w -> remove(calls, w));
    hw.frames().free(list, LIST_BYTES);
  }
}
