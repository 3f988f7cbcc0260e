package dev.doorbell.iommu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.iommu.MsiSlots.Slot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The MSI window of a domain and the doorbells in it. Its own methods that change something take the domain's lock.
final class MsiDoorbells {
  private final Domain domain;
  private final ReentrantLock lock;
  private @Nullable MsiSlots window;

  /// @param lock the domain's
  MsiDoorbells(Domain domain, ReentrantLock lock) {
    this.domain = domain;
    this.lock = lock;
  }

  /// {@return the window as it is} The caller holds the domain's lock.
  Optional<MsiWindow> window() {
    return Optional.ofNullable(window).map(MsiSlots::snapshot);
  }

  /// Sets the window; the caller holds the domain's lock and has checked what it meets.
  void setWindow(AddressRange range) {
    window = new MsiSlots(range, granule(), domain.space()::placing);
  }

  /// Removes the window; the caller holds the domain's lock.
  void removeWindow() {
    MsiSlots w = window;
    if (w == null) {
      throw new IllegalStateException(domain.name() + " has no MSI window to remove");
    }
    if (!w.used().isEmpty()) {
      throw new MsiWindowInUse(
          domain.name(), w.range(), w.used().stream().map(s -> s.first.name()).toList());
    }
    window = null;
  }

  void requireRoom(Collection<DoorbellFrame> frames) {
    lock.lock();
    try {
      if (window != null) {
        window.requireRoom(domain.name(), frames);
      } else if (!frames.isEmpty()) {
        throw noWindow(frames);
      }
    } finally {
      lock.unlock();
    }
  }

  private MsiWindowExhausted noWindow(Collection<DoorbellFrame> frames) {
    List<DoorbellFrame> pages = MsiRequirement.of(granule(), frames).doorbells();
    return MsiWindowExhausted.noWindow(
        domain.name(), granule(), pages.stream().map(DoorbellFrame::name).toList());
  }

  List<DoorbellLease> claim(IommuGroup group, List<Ringer> ringers) {
    List<DoorbellFrame> translated =
        ringers.stream().map(Ringer::frame).filter(f -> !group.bypassesTranslation(f)).toList();
    translated.forEach(this::requireContained);
    lock.lock();
    try {
      if (!translated.isEmpty() && window == null) {
        throw noWindow(translated);
      }
      List<Slot> slots = window == null ? List.of() : window.claim(domain.name(), translated);
      List<DoorbellLease> out = new ArrayList<>(ringers.size());
      int next = 0;
      for (Ringer r : ringers) {
        out.add(
            group.bypassesTranslation(r.frame())
                ? DoorbellLease.untranslated(r)
                : DoorbellLease.of(r, domain, slots.get(next++)));
      }
      return out;
    } finally {
      lock.unlock();
    }
  }

  /// {@return a lease at an IOVA that a function is already programmed with; empty when the window does not allow it}
  Optional<DoorbellLease> claimAt(IommuGroup group, Ringer ringer, Iova iova) {
    DoorbellFrame frame = ringer.frame();
    if (group.bypassesTranslation(frame)) {
      return iova.value() == frame.doorbell().value()
          ? Optional.of(DoorbellLease.untranslated(ringer))
          : Optional.empty();
    }
    if (granule().offset(iova.value()) != granule().offset(frame.doorbell().value())) {
      return Optional.empty();
    }
    requireContained(frame);
    lock.lock();
    try {
      return Optional.ofNullable(window)
          .flatMap(w -> w.claimAt(frame, new Iova(granule().alignDown(iova.value()))))
          .map(s -> DoorbellLease.of(ringer, domain, s));
    } finally {
      lock.unlock();
    }
  }

  void map(Slot slot) {
    lock.lock();
    try {
      if (!slot.mapped) {
        domain.space().map(slot.iova, slot.page, granule().bytes(), Protection.DOORBELL);
        slot.mapped = true;
      }
    } finally {
      lock.unlock();
    }
  }

  /// Unmaps a doorbell that no more than some leases share.
  void unmap(Slot slot, long leases) {
    lock.lock();
    try {
      if (slot.leases <= leases && slot.mapped) {
        domain.space().unmap(slot.iova, granule().bytes());
        slot.mapped = false;
      }
    } finally {
      lock.unlock();
    }
  }

  void release(DoorbellLease lease, Slot slot) {
    lock.lock();
    try {
      lease.requireHeld();
      unmap(slot, 1);
      lease.markReleased();
      slots().drop(slot);
    } finally {
      lock.unlock();
    }
  }

  private MsiSlots slots() {
    if (window == null) {
      throw new IllegalStateException(
          domain.name() + " lost its MSI window while a doorbell was claimed");
    }
    return window;
  }

  private void requireContained(DoorbellFrame frame) {
    AddressRange page = MsiRequirement.page(granule(), frame);
    if (!domain.policy().unsafeInterrupts() && !frame.frame().contains(page)) {
      throw new DoorbellExposesNeighbours(domain.name(), frame, page, granule());
    }
  }

  private Granule granule() {
    return domain.granule();
  }
}
