package dev.doorbell.linux.kvm;

import dev.doorbell.linux.Descriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/// A machine's table of messages by global interrupt number. The kernel has one table and takes it as a whole.
final class KvmRoutes {
  private final Descriptor vm;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, GuestMsi> routes = new TreeMap<>();

  /// Whether interrupts without a message lead to the inputs of a PC's controllers. The kernel begins with such a table, and forgets it.
  private boolean ofPc;

  KvmRoutes(Descriptor vm) {
    this.vm = vm;
  }

  /// From now on global interrupts below 24 that have no message lead to the 8259s and the IOAPIC, as the kernel has it at first.
  void leadToPcInputs() {
    lock.lock();
    try {
      ofPc = true;
    } finally {
      lock.unlock();
    }
  }

  /// Adds and changes routes, the kernel's table replaced once.
  ///
  /// @throws RouteNeedsDevice when one would be taken and never deliver
  void put(Map<Integer, GuestMsi> changes) {
    lock.lock();
    try {
      Map<Integer, GuestMsi> all = new TreeMap<>(routes);
      all.putAll(changes);
      if (looksAtDevices()) {
        all.forEach((gsi, m) -> {
          if (m.deviceId().isEmpty()) {
            throw new RouteNeedsDevice(gsi, m);
          }
        });
      }
      commit(all);
      routes.clear();
      routes.putAll(all);
    } finally {
      lock.unlock();
    }
  }

  /// Only the machine itself answers this rightly, once it has its controllers.
  private boolean looksAtDevices() {
    return vm.tryIoctl(
            KvmLayout.KVM_CHECK_EXTENSION, MemorySegment.ofAddress(KvmLayout.CAP_MSI_DEVID))
        > 0;
  }

  /// An input of a controller inside the kernel.
  private record Input(int gsi, int controller, int pin) {}

  /// Of two for one interrupt a guest unmasks one.
  private static List<Input> inputs(Set<Integer> taken) {
    List<Input> out = new ArrayList<>();
    for (int gsi = 0; gsi < KvmX86Layout.IOAPIC_INPUTS; gsi++) {
      if (taken.contains(gsi)) {
        continue;
      }
      out.add(new Input(gsi, KvmX86Layout.IRQCHIP_IOAPIC, gsi));
      if (gsi < 2 * KvmX86Layout.PIC_INPUTS) {
        int pic =
            gsi < KvmX86Layout.PIC_INPUTS
                ? KvmX86Layout.IRQCHIP_PIC_MASTER
                : KvmX86Layout.IRQCHIP_PIC_SLAVE;
        out.add(new Input(gsi, pic, gsi % KvmX86Layout.PIC_INPUTS));
      }
    }
    return out;
  }

  private void commit(Map<Integer, GuestMsi> all) {
    List<Input> inputs = ofPc ? inputs(all.keySet()) : List.of();
    int count = all.size() + inputs.size();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment t = KvmLayout.ROUTING.allocate(arena, (long) count * KvmLayout.ROUTE.bytes());
      KvmLayout.ROUTING_NR.set(t, count);
      long at = KvmLayout.ROUTING_ENTRIES.offset();
      for (Map.Entry<Integer, GuestMsi> e : all.entrySet()) {
        GuestMsi m = e.getValue();
        MemorySegment r = t.asSlice(at, KvmLayout.ROUTE.bytes());
        KvmLayout.ROUTE_GSI.set(r, e.getKey());
        KvmLayout.ROUTE_TYPE.set(r, KvmLayout.ROUTE_MSI);
        KvmLayout.ROUTE_FLAGS.set(r, m.deviceId().isPresent() ? KvmLayout.MSI_VALID_DEVID : 0);
        KvmLayout.ROUTE_ADDRESS_LO.set(r, m.address());
        KvmLayout.ROUTE_ADDRESS_HI.set(r, m.address() >>> Integer.SIZE);
        KvmLayout.ROUTE_DATA.set(r, m.data());
        KvmLayout.ROUTE_DEVID.set(r, m.deviceId().orElse(0));
        at += KvmLayout.ROUTE.bytes();
      }
      for (Input i : inputs) {
        MemorySegment r = t.asSlice(at, KvmLayout.ROUTE.bytes());
        KvmLayout.ROUTE_GSI.set(r, i.gsi());
        KvmLayout.ROUTE_TYPE.set(r, KvmLayout.ROUTE_TO_IRQCHIP);
        KvmLayout.ROUTE_IRQCHIP.set(r, i.controller());
        KvmLayout.ROUTE_PIN.set(r, i.pin());
        at += KvmLayout.ROUTE.bytes();
      }
      vm.ioctl(
          KvmLayout.KVM_SET_GSI_ROUTING,
          t,
          e -> KvmRefused.routes(e, count, all.keySet().stream().reduce(0, Math::max)));
    }
  }
}
