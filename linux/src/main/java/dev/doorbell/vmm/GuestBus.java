package dev.doorbell.vmm;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.linux.kvm.KvmVcpu;
import dev.doorbell.linux.kvm.VcpuExit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// Where accesses go that leave the guest. Devices are added before it runs.
final class GuestBus {
  /// A device whose place may change.
  interface Place {
    /// {@return the device's registers at an address, with the offset there}
    Optional<At> at(long address);
  }

  /// A register.
  record At(RegisterBus registers, long offset) {}

  private static final long NOTHING = -1;

  private final List<Place> places = new ArrayList<>();
  private final AtomicLong unclaimed = new AtomicLong();

  void add(AddressRange range, RegisterBus registers) {
    places.add(a ->
        range.contains(a) ? Optional.of(new At(registers, a - range.start())) : Optional.empty());
  }

  void add(Place place) {
    places.add(place);
  }

  /// Makes an access; what nothing answers reads as all ones, and is counted.
  void access(KvmVcpu vcpu, VcpuExit.Mmio m) {
    Optional<At> at = places.stream().flatMap(p -> p.at(m.address()).stream()).findFirst();
    if (at.isEmpty()) {
      unclaimed.incrementAndGet();
      if (!m.write()) {
        vcpu.answer(NOTHING);
      }
    } else if (m.write()) {
      at.get().registers().write(at.get().offset(), m.value(), m.bytes());
    } else {
      vcpu.answer(at.get().registers().read(at.get().offset(), m.bytes()));
    }
  }

  /// {@return accesses that nothing answered}
  long unclaimed() {
    return unclaimed.get();
  }
}
