package dev.doorbell.iommu;

import dev.doorbell.explain.Source;
import java.util.List;

/// A function with live vectors, as its group sees it when its translation changes. Implemented by the irq room; called with
/// the group's lock held.
public interface DoorbellHolder {
  /// {@return the function's name}
  String name();

  /// {@return the doorbells that its programmed messages use}
  List<DoorbellLease> leases();

  /// {@return whether all its vectors can be held back at the function, their messages pending there}
  boolean maskable();

  /// {@return where {@link #maskable} was read}
  Source maskableSource();

  /// Holds every vector back at the function. On return, messages sent before have passed the IOMMU.
  void hold();

  /// Takes new leases in place of the present ones, in the same order; where an IOVA differs the function's messages are
  /// programmed anew, which happens between {@link #hold} and {@link #resume} only. The old leases remain the caller's to
  /// release.
  void move(List<DoorbellLease> leases);

  /// Lets the vectors through again that were not masked before; pending messages fire.
  void resume();
}
