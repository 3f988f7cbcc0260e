package dev.doorbell.linux.kvm;

import dev.doorbell.linux.Because;
import dev.doorbell.linux.Descriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/// A machine's table of messages by global interrupt number. The kernel has one table and takes it as a whole.
final class KvmRoutes {
  private final Descriptor vm;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, GuestMsi> routes = new TreeMap<>();

  KvmRoutes(Descriptor vm) {
    this.vm = vm;
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

  private void commit(Map<Integer, GuestMsi> all) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment t =
          KvmLayout.ROUTING.allocate(arena, (long) all.size() * KvmLayout.ROUTE.bytes());
      KvmLayout.ROUTING_NR.set(t, all.size());
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
      vm.ioctl(
          KvmLayout.KVM_SET_GSI_ROUTING,
          t,
          e ->
              new Because(
                  "the kernel does not take %d routes up to interrupt %d"
                      .formatted(all.size(), all.keySet().stream().reduce(0, Math::max)),
                  "lead fewer vectors to the guest: a kernel has room for 4096 (KVM_MAX_IRQ_ROUTES)"));
    }
  }
}
