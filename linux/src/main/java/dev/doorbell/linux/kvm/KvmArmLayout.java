package dev.doorbell.linux.kvm;

import dev.doorbell.linux.Ioctl;
import dev.doorbell.linux.Struct;
import dev.doorbell.linux.Struct.Member;

/// Requests, attributes and register numbers of KVM that Arm alone has.
///
/// **Source**: Linux `arch/arm64/include/uapi/asm/kvm.h`, `Documentation/virt/kvm/devices/arm-vgic-v3.rst`, `arm-vgic-its.rst`, `arm-vgic.rst`, `api.rst`
/// (4.68 `KVM_SET_ONE_REG`, 4.25 `KVM_IRQ_LINE`)
final class KvmArmLayout {
  // spotless:off
  static final Struct INIT = Struct.of("struct kvm_vcpu_init");
  static final Member INIT_TARGET = INIT.u32("target");
  static final Member INIT_FEATURES = INIT.block("features", 28, 4);
  static final Member INIT_FEATURES0 = INIT.over(INIT_FEATURES, 0, "features[0]", 4);

  static final Ioctl KVM_ARM_VCPU_INIT = Ioctl.iow("KVM_ARM_VCPU_INIT", 0xae, 0xae, 32);
  static final Ioctl KVM_ARM_PREFERRED_TARGET = Ioctl.ior("KVM_ARM_PREFERRED_TARGET", 0xae, 0xaf, 32);
  // spotless:on

  /// Bits of `features[0]`.
  static final int POWER_OFF = 1;

  static final int PSCI_0_2 = 1 << 2;

  static final int TYPE_VGIC_V2 = 5;
  static final int TYPE_VGIC_V3 = 7;
  static final int TYPE_ITS = 8;

  static final int GROUP_ADDRESS = 0;
  static final int GROUP_NR_IRQS = 3;
  static final int GROUP_CONTROL = 4;
  static final int CONTROL_INIT = 0;

  static final int ADDRESS_V2_DISTRIBUTOR = 0;
  static final int ADDRESS_V2_CPU = 1;
  static final int ADDRESS_V3_DISTRIBUTOR = 2;
  static final int ADDRESS_V3_REDISTRIBUTOR = 3;
  static final int ADDRESS_ITS = 4;

  /// KVM_REG_ARM64, KVM_REG_SIZE_U64 and KVM_REG_ARM_CORE; what follows is an offset in `struct kvm_regs` in words of 32 bits.
  private static final long CORE = 0x6030_0000_0010_0000L;

  private static final int WORDS_A_REGISTER = 2;
  private static final int PC = 0x40;

  /// The type of a line in `struct kvm_irq_level`.
  private static final int LINE_SPI = 1;

  private static final int LINE_TYPE_SHIFT = 24;

  static {
    INIT.end(32);
  }

  private KvmArmLayout() {}

  /// {@return the number of a general register}
  ///
  /// @param n 0 to 30
  static long general(int n) {
    return CORE | (long) n * WORDS_A_REGISTER;
  }

  static long programCounter() {
    return CORE | PC;
  }

  /// {@return the number of a shared interrupt's line}
  ///
  /// @param intid 32 up
  static int spiLine(int intid) {
    return LINE_SPI << LINE_TYPE_SHIFT | intid;
  }
}
