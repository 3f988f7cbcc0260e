package dev.doorbell.iommu;

import dev.doorbell.address.Iova;
import dev.doorbell.iommu.MsiSlots.Slot;
import dev.doorbell.iommu.Ringers.Ring;
import java.util.Collection;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One user's share in a doorbell: the IOVA at which its function must ring. Claimed first, which writes nothing to
/// hardware; mapped before the function is told. Releasing the last lease of a doorbell unmaps it.
///
/// Safe for use from many threads.
public final class DoorbellLease {
  private final Ringer ringer;
  private final Iova iova;
  private final @Nullable Domain domain;
  private final @Nullable Slot slot;
  private boolean released;
  private @Nullable Ringers register;
  private @Nullable Ring ring;

  private DoorbellLease(Ringer ringer, Iova iova, @Nullable Domain domain, @Nullable Slot slot) {
    this.ringer = ringer;
    this.iova = iova;
    this.domain = domain;
    this.slot = slot;
  }

  /// {@return a lease of a doorbell whose messages do not meet translation tables (R23): the IOVA is the PA}
  static DoorbellLease untranslated(Ringer ringer) {
    return new DoorbellLease(ringer, new Iova(ringer.frame().doorbell().value()), null, null);
  }

  static DoorbellLease of(Ringer ringer, Domain domain, Slot slot) {
    long offset = domain.granule().offset(ringer.frame().doorbell().value());
    return new DoorbellLease(ringer, slot.iova.plus(offset), domain, slot);
  }

  public DoorbellFrame frame() {
    return ringer.frame();
  }

  /// {@return whose share it is}
  Ringer ringer() {
    return ringer;
  }

  /// {@return what the register of the machine has of it; empty before it was entered}
  Optional<Ring> ring() {
    return Optional.ofNullable(ring);
  }

  void entered(Ringers by, Ring as) {
    register = by;
    ring = as;
  }

  /// {@return what the function writes to in order to ring}
  public Iova iova() {
    return iova;
  }

  /// {@return the domain that maps the doorbell; empty where messages are not translated}
  public Optional<Domain> domain() {
    return Optional.ofNullable(domain);
  }

  /// Maps the doorbell, unless another lease has.
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables
  public void map() {
    if (domain != null && slot != null) {
      domain.doorbells().map(slot);
    }
  }

  /// Gives the lease back; with the last one the doorbell is unmapped, and no IOMMU holds a translation of it on return.
  ///
  /// @throws IllegalStateException when it was given back before
  public void release() {
    if (domain != null && slot != null) {
      domain.doorbells().release(this, slot);
    } else {
      markReleased();
    }
  }

  /// Unmaps the doorbell if nobody but some leases, this one among them, shares it; its place in the window stays. The first
  /// step of giving several leases back, and the only one that hardware can fail: {@link #map} takes it back, {@link #release}
  /// completes it.
  public void unmapIfOnly(Collection<DoorbellLease> leases) {
    if (domain != null && slot != null) {
      long mine = leases.stream().filter(l -> l.slot == slot).count();
      domain.doorbells().unmap(slot, mine);
    }
  }

  /// @throws IllegalStateException when it was given back
  void requireHeld() {
    if (released) {
      throw new IllegalStateException(
          "lease of the doorbell of " + frame().name() + " at " + iova + " is given back twice");
    }
  }

  void markReleased() {
    requireHeld();
    released = true;
    if (register != null && ring != null) {
      register.leave(ring);
    }
  }

  @Override
  public String toString() {
    return "doorbell of " + frame().name() + " at " + iova;
  }
}
