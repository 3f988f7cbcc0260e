package dev.doorbell.vmm;

import dev.doorbell.linux.kvm.GuestMsi;
import dev.doorbell.linux.kvm.KvmVm;
import dev.doorbell.vfio.Guest;
import dev.doorbell.vfio.GuestIrq;
import java.util.Map;

/// A guest that takes messages, as far as a function's vectors need it.
interface GuestMessages extends Guest {
  /// Leads interrupts to messages, in one step.
  void route(Map<Integer, GuestMsi> routes);

  /// Raises a message now.
  void signal(GuestMsi message);

  /// {@return a machine of KVM}
  static GuestMessages of(KvmVm vm) {
    return new GuestMessages() {
      @Override
      public void route(Map<Integer, GuestMsi> routes) {
        vm.route(routes);
      }

      @Override
      public void signal(GuestMsi message) {
        vm.signal(message);
      }

      @Override
      public GuestIrq irq(int gsi) {
        return vm.irq(gsi);
      }
    };
  }
}
