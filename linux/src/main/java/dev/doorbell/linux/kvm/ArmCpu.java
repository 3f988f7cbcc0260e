package dev.doorbell.linux.kvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.doorbell.linux.Descriptor;
import dev.doorbell.linux.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// What only an Arm processor has: its kind, and its registers by number. Used while it does not run.
///
/// **Source**: Linux `Documentation/virt/kvm/api.rst` (`KVM_ARM_VCPU_INIT`, `KVM_SET_ONE_REG`); `Documentation/arch/arm64/booting.rst`
public final class ArmCpu {
  private final Descriptor vm;
  private final Descriptor vcpu;

  public ArmCpu(KvmVm vm, KvmVcpu vcpu) {
    this.vm = vm.descriptor();
    this.vcpu = vcpu.descriptor();
  }

  /// Makes it a processor of the host's own kind, in EL1, with PSCI 0.2 or later in the kernel.
  ///
  /// @param off whether it waits until another one starts it through PSCI
  /// @throws dev.doorbell.linux.ErrnoException on other architectures
  public void init(boolean off) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = KvmArmLayout.INIT.allocate(arena);
      vm.ioctl(KvmArmLayout.KVM_ARM_PREFERRED_TARGET, s, KvmRefused::state);
      KvmArmLayout.INIT_FEATURES0.set(
          s,
          KvmArmLayout.INIT_FEATURES0.get(s)
              | KvmArmLayout.PSCI_0_2
              | (off ? KvmArmLayout.POWER_OFF : 0));
      vcpu.ioctl(KvmArmLayout.KVM_ARM_VCPU_INIT, s, KvmRefused::state);
    }
  }

  /// Sets where it starts and what it is handed.
  ///
  /// @param entry guest-physical, the MMU is off
  /// @param x0 what the first register has: for Linux, where the device tree lies
  public void startAt(long entry, Argument x0) {
    set(KvmArmLayout.programCounter(), entry);
    set(KvmArmLayout.general(0), x0.value());
  }

  /// What register x0 has at the start.
  public record Argument(long value) {}

  /// {@return where it is}
  public long instruction() {
    return get(KvmArmLayout.programCounter());
  }

  /// {@return a general register}
  ///
  /// @param n 0 to 30
  public long general(int n) {
    return get(KvmArmLayout.general(n));
  }

  private void set(long register, long value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment v = arena.allocate(JAVA_LONG);
      v.set(JAVA_LONG, 0, value);
      oneRegister(KvmLayout.KVM_SET_ONE_REG, arena, register, v);
    }
  }

  private long get(long register) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment v = arena.allocate(JAVA_LONG);
      oneRegister(KvmLayout.KVM_GET_ONE_REG, arena, register, v);
      return v.get(JAVA_LONG, 0);
    }
  }

  private void oneRegister(Ioctl request, Arena arena, long register, MemorySegment value) {
    MemorySegment s = KvmLayout.ONE_REG.allocate(arena);
    KvmLayout.ONE_REG_ID.set(s, register);
    KvmLayout.ONE_REG_ADDR.set(s, value.address());
    vcpu.ioctl(request, s, KvmRefused::state);
  }
}
