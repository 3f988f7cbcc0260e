package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;

/// The slots of one MSI window: which granule holds which doorbell page, and how many leases share it. Guarded by the
/// domain's lock. Claiming writes nothing to hardware.
final class MsiSlots {
  /// One granule of the window with a doorbell page.
  static final class Slot {
    final Iova iova;
    final Pa page;
    final DoorbellFrame first;
    int leases;
    boolean mapped;

    private Slot(Iova iova, Pa page, DoorbellFrame first) {
      this.iova = iova;
      this.page = page;
      this.first = first;
    }
  }

  private final AddressRange range;
  private final Granule granule;
  private final long firstSlot;
  private final long count;
  private final LongUnaryOperator placing;
  private final TreeMap<Iova, Slot> used = new TreeMap<>();

  /// @param placing what a doorbell's page near an IOVA must start at a multiple of: {@link AddressSpace#placing}
  MsiSlots(AddressRange range, Granule granule, LongUnaryOperator placing) {
    this.range = range;
    this.granule = granule;
    this.placing = placing;
    long start = granule.alignDown(range.start());
    this.firstSlot = start == range.start() ? start : start + granule.bytes();
    this.count = wholeGranules();
  }

  private long wholeGranules() {
    boolean pastTop = Long.compareUnsigned(firstSlot, range.start()) < 0;
    if (pastTop || Long.compareUnsigned(firstSlot, range.last()) > 0) {
      return 0;
    }
    long span = range.last() - firstSlot;
    long full = Long.divideUnsigned(span, granule.bytes());
    return granule.offset(span) == granule.bytes() - 1 ? full + 1 : full;
  }

  AddressRange range() {
    return range;
  }

  MsiWindow snapshot() {
    long places = isDense() ? count : used.size() + free(Integer.MAX_VALUE).size();
    return new MsiWindow(range, granule, places, used.size());
  }

  /// {@return whether a doorbell can lie in each granule}
  private boolean isDense() {
    return spacing() == granule.bytes();
  }

  /// {@return bytes from a doorbell to the next, at the window's end}
  private long spacing() {
    return placing.applyAsLong(range.last());
  }

  /// {@return the slots that hold a doorbell, ascending}
  List<Slot> used() {
    return List.copyOf(used.values());
  }

  /// Refuses doorbells that have no slot and find none.
  void requireRoom(String domain, Collection<DoorbellFrame> frames) {
    List<Pa> missing = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (DoorbellFrame f : frames) {
      Pa page = pageOf(f);
      if (find(page).isEmpty() && !missing.contains(page)) {
        missing.add(page);
        names.add(f.name());
      }
    }
    if (free(missing.size()).size() < missing.size()) {
      throw MsiWindowExhausted.tooSmall(domain, snapshot(), spacing(), names);
    }
  }

  /// Counts a lease in the slot of each doorbell: one that its page has already, else the lowest free one.
  ///
  /// {@return the slots, one per frame}
  ///
  /// @throws MsiWindowExhausted when there are too few free slots; nothing is counted then
  List<Slot> claim(String domain, List<DoorbellFrame> frames) {
    requireRoom(domain, frames);
    List<Slot> out = new ArrayList<>(frames.size());
    for (DoorbellFrame f : frames) {
      Slot slot = find(pageOf(f)).orElseGet(() -> place(free(1).getFirst(), f));
      slot.leases++;
      out.add(slot);
    }
    return out;
  }

  /// Counts a lease in the slot of one IOVA page.
  ///
  /// {@return the slot; empty when the page is no slot of this window, cannot be mapped by itself, or holds another doorbell}
  Optional<Slot> claimAt(DoorbellFrame frame, Iova page) {
    Slot slot = used.get(page);
    if (slot == null) {
      long distance = page.value() - firstSlot;
      boolean inside =
          (page.value() & (placing.applyAsLong(page.value()) - 1)) == 0
              && Long.compareUnsigned(Long.divideUnsigned(distance, granule.bytes()), count) < 0;
      if (!inside) {
        return Optional.empty();
      }
      slot = place(page, frame);
    } else if (!slot.page.equals(pageOf(frame))) {
      return Optional.empty();
    }
    slot.leases++;
    return Optional.of(slot);
  }

  /// Takes a lease off a slot and forgets the slot with the last one.
  void drop(Slot slot) {
    slot.leases--;
    if (slot.leases == 0) {
      used.remove(slot.iova);
    }
  }

  private Slot place(Iova iova, DoorbellFrame frame) {
    Slot slot = new Slot(iova, pageOf(frame), frame);
    used.put(iova, slot);
    return slot;
  }

  /// {@return free places, the lowest first}
  ///
  /// @param most how many will do
  private List<Iova> free(int most) {
    List<Iova> out = new ArrayList<>();
    for (long i = 0; out.size() < most && Long.compareUnsigned(i, count) < 0; i++) {
      long at = firstSlot + (i << granule.shift());
      long bytes = placing.applyAsLong(at);
      long beside = at & (bytes - 1);
      if (beside != 0) {
        i += (bytes - beside >>> granule.shift()) - 1;
      } else if (!used.containsKey(new Iova(at))) {
        out.add(new Iova(at));
      }
    }
    return out;
  }

  private Optional<Slot> find(Pa page) {
    for (Slot s : used.values()) {
      if (s.page.equals(page)) {
        return Optional.of(s);
      }
    }
    return Optional.empty();
  }

  private Pa pageOf(DoorbellFrame frame) {
    return new Pa(granule.alignDown(frame.doorbell().value()));
  }
}
