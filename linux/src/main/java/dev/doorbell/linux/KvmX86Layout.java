package dev.doorbell.linux;

/// Requests of KVM that x86 alone has.
///
/// **Source**: Linux `include/uapi/linux/kvm.h`, `arch/x86/include/uapi/asm/kvm.h`; Intel SDM volume 3, 11.4 (local APIC registers)
final class KvmX86Layout {
  static final Struct LAPIC = Struct.of("struct kvm_lapic_state");
  static final Struct.Member LAPIC_REGS = LAPIC.block("regs", 0x400, 1);

  static final Ioctl KVM_GET_LAPIC = Ioctl.ior("KVM_GET_LAPIC", 0xae, 0x8e, 0x400);
  static final Ioctl KVM_SET_LAPIC = Ioctl.iow("KVM_SET_LAPIC", 0xae, 0x8f, 0x400);

  /// Spurious Interrupt Vector Register.
  static final int SVR = 0xf0;

  static final int SVR_ENABLE = 0x100;

  /// Interrupt Request Register: eight words of 32 vectors, 16 bytes apart.
  static final int IRR = 0x200;

  static final int WORD_STRIDE = 0x10;

  static {
    LAPIC.end(0x400);
  }

  private KvmX86Layout() {}
}
