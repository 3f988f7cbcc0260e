package dev.doorbell.linux.kvm;

import dev.doorbell.address.Ipa;

/// Arm's interrupt controllers inside the kernel. Made after all processors of the machine are, and initialised, and before the first runs.
///
/// KVM has no GICv2m frame: a machine with a GICv2 takes no messages. Whoever wants them there answers the frame's one register itself and
/// calls {@link KvmVm#setLine}.
///
/// **Source**: Linux `Documentation/virt/kvm/devices/arm-vgic-v3.rst`, `arm-vgic-its.rst`, `arm-vgic.rst`
public final class ArmGic {
  /// Bytes of a Redistributor, a Distributor of a GICv3, and an ITS.
  public static final long REDISTRIBUTOR_BYTES = 0x2_0000;

  public static final long DISTRIBUTOR_BYTES = 0x1_0000;
  public static final long ITS_BYTES = 0x2_0000;

  /// Where an ITS takes messages: GITS_TRANSLATER's offset.
  public static final long TRANSLATER = 0x1_0040;

  private ArmGic() {}

  /// Where a GICv3 and its ITS lie, guest-physical, each on a boundary of 64 KiB.
  ///
  /// @param distributor 64 KiB
  /// @param redistributors 128 KiB for each processor, from here up
  /// @param its 128 KiB
  public record V3Places(Ipa distributor, Ipa redistributors, Ipa its) {
    /// {@return where the guest's messages go}
    public long doorbell() {
      return its.value() + TRANSLATER;
    }
  }

  /// Makes a GICv3 with an ITS. Until the guest has set the ITS up, `KVM_SIGNAL_MSI` is answered with EBUSY.
  ///
  /// @param interrupts interrupts below LPIs, 64 to 1024 in steps of 32
  /// @throws dev.doorbell.linux.ErrnoException with ENODEV when the host's own controller is of another kind
  public static void createV3(KvmVm vm, V3Places at, int interrupts) {
    KvmDevice gic = vm.createDevice(KvmArmLayout.TYPE_VGIC_V3, "GICv3");
    place(gic, KvmArmLayout.ADDRESS_V3_DISTRIBUTOR, "the Distributor", at.distributor());
    place(gic, KvmArmLayout.ADDRESS_V3_REDISTRIBUTOR, "the Redistributors", at.redistributors());
    finish(gic, "the GICv3", interrupts);
    KvmDevice its = vm.createDevice(KvmArmLayout.TYPE_ITS, "ITS");
    place(its, KvmArmLayout.ADDRESS_ITS, "the ITS", at.its());
    its.set(control("the ITS"));
  }

  private static void place(KvmDevice device, int part, String what, Ipa at) {
    device.setLong(
        new KvmDevice.Attribute(
            KvmArmLayout.GROUP_ADDRESS,
            part,
            e -> KvmRefused.attribute(e, "%s at 0x%x".formatted(what, at.value()))),
        at.value());
  }

  private static void finish(KvmDevice gic, String what, int interrupts) {
    gic.setInt(
        new KvmDevice.Attribute(
            KvmArmLayout.GROUP_NR_IRQS,
            0,
            e ->
                KvmRefused.attribute(
                    e,
                    "%s with %d interrupts (64 to 1024, in steps of 32)"
                        .formatted(what, interrupts))),
        interrupts);
    gic.set(control(what));
  }

  private static KvmDevice.Attribute control(String what) {
    return new KvmDevice.Attribute(
        KvmArmLayout.GROUP_CONTROL, KvmArmLayout.CONTROL_INIT, e -> KvmRefused.attribute(e, what));
  }

  /// Where a GICv2 lies, guest-physical, each on a boundary of 4 KiB.
  ///
  /// @param distributor 4 KiB
  /// @param cpuInterface 8 KiB
  public record V2Places(Ipa distributor, Ipa cpuInterface) {}

  /// Makes a GICv2.
  ///
  /// @param interrupts 64 to 1024 in steps of 32
  /// @throws dev.doorbell.linux.ErrnoException with ENODEV when the host's controller is no GICv2 and cannot stand in for one
  public static void createV2(KvmVm vm, V2Places at, int interrupts) {
    KvmDevice gic = vm.createDevice(KvmArmLayout.TYPE_VGIC_V2, "GICv2");
    place(gic, KvmArmLayout.ADDRESS_V2_DISTRIBUTOR, "the Distributor", at.distributor());
    place(gic, KvmArmLayout.ADDRESS_V2_CPU, "the CPU interface", at.cpuInterface());
    finish(gic, "the GICv2", interrupts);
  }

  /// {@return whether the kernel makes GICv3s with an ITS for this machine}
  public static boolean hasV3WithIts(KvmVm vm) {
    return KvmDevice.exists(vm.descriptor(), KvmArmLayout.TYPE_VGIC_V3)
        && KvmDevice.exists(vm.descriptor(), KvmArmLayout.TYPE_ITS);
  }

  /// {@return whether the kernel makes GICv2s for this machine}
  public static boolean hasV2(KvmVm vm) {
    return KvmDevice.exists(vm.descriptor(), KvmArmLayout.TYPE_VGIC_V2);
  }

  /// {@return a shared interrupt as {@link KvmVm#setLine} takes it}
  ///
  /// @param intid 32 up, below the interrupts that the controller was made with
  public static int line(int intid) {
    return KvmArmLayout.spiLine(intid);
  }
}
