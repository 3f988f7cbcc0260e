package dev.doorbell.plan.emit;

import dev.doorbell.address.AddressRange;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.WindowPlan;

/// A command line of QEMU, to be pasted into a shell; further options go after its last line.
///
/// **Source**: QEMU 7.2 docs/system/arm/virt.rst; hw/arm/virt.c `virt_machine_device_pre_plug_cb`; hw/virtio/virtio-iommu-pci.c.
final class QemuForm {
  private QemuForm() {}

  static String emit(Plan plan) {
    VirtBoard.requireArm(plan, Form.QEMU);
    long mebibytes = VirtBoard.ramMebibytes(plan, Form.QEMU);
    StringBuilder out = new StringBuilder();
    plan.window()
        .map(WindowPlan::range)
        .ifPresentOrElse(
            w -> window(out, w), () -> out.append("# No MSI window is to be kept clear.\n"));
    out.append("qemu-system-aarch64 \\\n  -machine virt,gic-version=3 \\\n");
    out.append("  -m %dM".formatted(mebibytes));
    for (VirtBoard.Placed f : VirtBoard.placed(plan)) {
      out.append(" \\\n  -device vfio-pci,host=%s,addr=0x%x".formatted(f.host(), f.slot()));
    }
    return out.append('\n').toString();
  }

  private static void window(StringBuilder out, AddressRange w) {
    out.append(
        """
        # MSI window 0x%x-0x%x: guest RAM, one run from 0x40000000, lies clear of it.
        # Without a virtual IOMMU nothing more is to be reserved. A virtio-iommu tells the guest of the window with
        #   %s
        # but QEMU 7.2 takes this line only beside -machine virt,gic-version=3,its=off: where virt has an ITS or a GICv2m, it
        # sets this property itself, to the doorbell of that controller.
        """
            .formatted(w.start(), w.last(), regionOption(w)));
  }

  /// {@return the option with which a virtio-iommu reports a window as an MSI region (type 1)}
  static String regionOption(AddressRange w) {
    return "-device 'virtio-iommu-pci,len-reserved-regions=1,reserved-regions[0]=0x%x:0x%x:1'"
        .formatted(w.start(), w.last());
  }
}
