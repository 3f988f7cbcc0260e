package dev.doorbell.vmm;

import dev.doorbell.address.AddressRange;
import dev.doorbell.linux.kvm.KvmVm;
import java.lang.foreign.MemorySegment;

/// A guest's memory, as far as a function's registers need it.
interface GuestMemory {
  /// Gives the guest memory of this process at a place.
  void add(int slot, AddressRange guest, MemorySegment memory);

  /// Takes it back.
  void remove(int slot);

  /// {@return the memory of a machine of KVM}
  static GuestMemory of(KvmVm vm) {
    return new GuestMemory() {
      @Override
      public void add(int slot, AddressRange guest, MemorySegment memory) {
        vm.addMemory(slot, guest, memory);
      }

      @Override
      public void remove(int slot) {
        vm.removeMemory(slot);
      }
    };
  }
}
