package dev.doorbell.plan.emit;

import dev.doorbell.address.AddressRange;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.WindowPlan;

/// A complete domain of libvirt, to be given to `virsh define`.
///
/// **Source**: libvirt 9.0 docs/formatdomain.rst; docs/schemas/domain.rng.
final class LibvirtForm {
  private LibvirtForm() {}

  static String emit(Plan plan) {
    VirtBoard.requireArm(plan, Form.LIBVIRT);
    long kibibytes = VirtBoard.ramMebibytes(plan, Form.LIBVIRT) * 1024;
    String window =
        plan.window()
            .map(WindowPlan::range)
            .map(LibvirtForm::window)
            .orElse("  <!-- No MSI window is to be kept clear. -->\n");
    StringBuilder out = new StringBuilder(head(kibibytes, window));
    VirtBoard.placed(plan).forEach(f -> out.append(hostdev(f)));
    return out.append("  </devices>\n</domain>\n").toString();
  }

  private static String head(long kibibytes, String window) {
    return """
    <domain type='kvm'>
      <name>doorbell</name>
      <memory unit='KiB'>%1$d</memory>
      <currentMemory unit='KiB'>%1$d</currentMemory>
    %2$s  <vcpu>1</vcpu>
      <os>
        <type arch='aarch64' machine='virt'>hvm</type>
      </os>
      <features>
        <gic version='3'/>
      </features>
      <cpu mode='host-passthrough'/>
      <devices>
        <controller type='pci' index='0' model='pcie-root'/>
    """
        .formatted(kibibytes, window);
  }

  private static String hostdev(VirtBoard.Placed f) {
    Sbdf guest = new Sbdf(0, 0, f.slot(), 0);
    return """
        <hostdev mode='subsystem' type='pci' managed='yes'>
          <driver name='vfio'/>
          <source>
            %s
          </source>
          %s
        </hostdev>
    """
        .formatted(address("", f.host()), address("type='pci' ", guest));
  }

  private static String address(String type, Sbdf s) {
    return "<address %sdomain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>"
        .formatted(type, s.segment(), s.bus(), s.device(), s.function());
  }

  private static String window(AddressRange w) {
    return """
      <!-- MSI window 0x%x-0x%x: guest RAM, one run from 0x40000000 on machine virt, lies clear of it.
           libvirt has no element for it and needs none: with <iommu model='virtio'/> virt itself tells the guest of the doorbell
           of its ITS, and QEMU 7.2 refuses a second region (qemu:commandline or qemu:override) beside that. -->
    """
        .formatted(w.start(), w.last());
  }
}
