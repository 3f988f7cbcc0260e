package dev.doorbell.iommu;

import dev.doorbell.explain.Source;
import dev.doorbell.simple.HardwareWrites;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A function with one live vector per doorbell, programmed with its IOVA.
final class LiveFunction implements DoorbellHolder {
  private final IommuGroup group;
  private final HardwareWrites hw;
  private final boolean maskable;
  private List<DoorbellLease> leases;
  final List<Long> programmed = new ArrayList<>();
  final List<String> calls = new ArrayList<>();
  boolean held;

  LiveFunction(IommuGroup group, HardwareWrites hw, boolean maskable, DoorbellFrame... frames) {
    this.group = group;
    this.hw = hw;
    this.maskable = maskable;
    this.leases = Bench.lease(group, frames);
    leases.forEach(l -> programmed.add(l.iova().value()));
    group.lock().lock();
    try {
      group.add(this);
    } finally {
      group.lock().unlock();
    }
  }

  void release() {
    group.lock().lock();
    try {
      leases.forEach(DoorbellLease::release);
      leases = List.of();
      group.remove(this);
    } finally {
      group.lock().unlock();
    }
  }

  /// {@return where a message of a vector arrives}
  Optional<Long> ring(int vector) {
    IommuGroup.Stream s = group.members().getFirst().streams().getFirst();
    return ((dev.doorbell.simple.SimpleIommu) s.iommu())
        .write(s.streamId(), programmed.get(vector));
  }

  @Override
  public String name() {
    return group.members().getFirst().name();
  }

  @Override
  public List<DoorbellLease> leases() {
    return leases;
  }

  @Override
  public boolean maskable() {
    return maskable;
  }

  @Override
  public Source maskableSource() {
    return Bench.TEST;
  }

  @Override
  public void hold() {
    hw.write("hold");
    calls.add("hold");
    held = true;
  }

  @Override
  public void move(List<DoorbellLease> next) {
    boolean changes = false;
    for (int i = 0; i < next.size(); i++) {
      changes |= next.get(i).iova().value() != programmed.get(i);
    }
    if (changes) {
      if (!held) {
        throw new IllegalStateException("programmed anew without being held");
      }
      hw.write("program");
      calls.add("program");
      programmed.clear();
      next.forEach(l -> programmed.add(l.iova().value()));
    }
    leases = List.copyOf(next);
  }

  @Override
  public void resume() {
    hw.write("resume");
    calls.add("resume");
    held = false;
  }
}
