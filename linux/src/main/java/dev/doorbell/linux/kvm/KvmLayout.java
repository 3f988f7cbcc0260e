package dev.doorbell.linux.kvm;

import dev.doorbell.linux.Ioctl;
import dev.doorbell.linux.Struct;
import dev.doorbell.linux.Struct.Member;

/// Requests and structures of KVM, as far as interrupts, memory and the life of a VM need them.
///
/// **Source**: Linux `include/uapi/linux/kvm.h`, `Documentation/virt/kvm/api.rst`
final class KvmLayout {
  private static final int TYPE = 0xae;

  // spotless:off
  static final Struct MEMORY_REGION = Struct.of("struct kvm_userspace_memory_region");
  static final Member REGION_SLOT = MEMORY_REGION.u32("slot");
  static final Member REGION_FLAGS = MEMORY_REGION.u32("flags");
  static final Member REGION_GUEST = MEMORY_REGION.u64("guest_phys_addr");
  static final Member REGION_SIZE = MEMORY_REGION.u64("memory_size");
  static final Member REGION_USER = MEMORY_REGION.u64("userspace_addr");

  static final Struct ROUTING = Struct.of("struct kvm_irq_routing");
  static final Member ROUTING_NR = ROUTING.u32("nr");
  static final Member ROUTING_FLAGS = ROUTING.u32("flags");
  static final Member ROUTING_ENTRIES = ROUTING.rest("entries", 8);

  static final Struct ROUTE = Struct.of("struct kvm_irq_routing_entry");
  static final Member ROUTE_GSI = ROUTE.u32("gsi");
  static final Member ROUTE_TYPE = ROUTE.u32("type");
  static final Member ROUTE_FLAGS = ROUTE.u32("flags");
  static final Member ROUTE_PAD = ROUTE.u32("pad");
  static final Member ROUTE_U = ROUTE.block("u", 32, 8);
  static final Member ROUTE_ADDRESS_LO = ROUTE.over(ROUTE_U, 0, "u.msi.address_lo", 4);
  static final Member ROUTE_ADDRESS_HI = ROUTE.over(ROUTE_U, 4, "u.msi.address_hi", 4);
  static final Member ROUTE_DATA = ROUTE.over(ROUTE_U, 8, "u.msi.data", 4);
  static final Member ROUTE_DEVID = ROUTE.over(ROUTE_U, 12, "u.msi.devid", 4);
  static final Member ROUTE_IRQCHIP = ROUTE.over(ROUTE_U, 0, "u.irqchip.irqchip", 4);
  static final Member ROUTE_PIN = ROUTE.over(ROUTE_U, 4, "u.irqchip.pin", 4);

  static final Struct IRQFD = Struct.of("struct kvm_irqfd");
  static final Member IRQFD_FD = IRQFD.u32("fd");
  static final Member IRQFD_GSI = IRQFD.u32("gsi");
  static final Member IRQFD_FLAGS = IRQFD.u32("flags");
  static final Member IRQFD_RESAMPLEFD = IRQFD.u32("resamplefd");
  static final Member IRQFD_PAD = IRQFD.block("pad", 16, 1);

  static final Struct MSI = Struct.of("struct kvm_msi");
  static final Member MSI_ADDRESS_LO = MSI.u32("address_lo");
  static final Member MSI_ADDRESS_HI = MSI.u32("address_hi");
  static final Member MSI_DATA = MSI.u32("data");
  static final Member MSI_FLAGS = MSI.u32("flags");
  static final Member MSI_DEVID = MSI.u32("devid");
  static final Member MSI_PAD = MSI.block("pad", 12, 1);

  static final Struct IOEVENTFD = Struct.of("struct kvm_ioeventfd");
  static final Member IOEVENTFD_DATAMATCH = IOEVENTFD.u64("datamatch");
  static final Member IOEVENTFD_ADDR = IOEVENTFD.u64("addr");
  static final Member IOEVENTFD_LEN = IOEVENTFD.u32("len");
  static final Member IOEVENTFD_FD = IOEVENTFD.u32("fd");
  static final Member IOEVENTFD_FLAGS = IOEVENTFD.u32("flags");
  static final Member IOEVENTFD_PAD = IOEVENTFD.block("pad", 36, 1);

  static final Struct DEVICE = Struct.of("struct kvm_create_device");
  static final Member DEVICE_TYPE = DEVICE.u32("type");
  static final Member DEVICE_FD = DEVICE.u32("fd");
  static final Member DEVICE_FLAGS = DEVICE.u32("flags");

  static final Struct ATTRIBUTE = Struct.of("struct kvm_device_attr");
  static final Member ATTRIBUTE_FLAGS = ATTRIBUTE.u32("flags");
  static final Member ATTRIBUTE_GROUP = ATTRIBUTE.u32("group");
  static final Member ATTRIBUTE_ATTR = ATTRIBUTE.u64("attr");
  static final Member ATTRIBUTE_ADDR = ATTRIBUTE.u64("addr");

  static final Struct CAPABILITY = Struct.of("struct kvm_enable_cap");
  static final Member CAPABILITY_CAP = CAPABILITY.u32("cap");
  static final Member CAPABILITY_FLAGS = CAPABILITY.u32("flags");
  static final Member CAPABILITY_ARGS = CAPABILITY.block("args", 32, 8);
  static final Member CAPABILITY_PAD = CAPABILITY.block("pad", 64, 1);
  static final Member CAPABILITY_ARG0 = CAPABILITY.over(CAPABILITY_ARGS, 0, "args[0]", 8);

  static final Struct LINE = Struct.of("struct kvm_irq_level");
  static final Member LINE_IRQ = LINE.u32("irq");
  static final Member LINE_LEVEL = LINE.u32("level");

  static final Struct ONE_REG = Struct.of("struct kvm_one_reg");
  static final Member ONE_REG_ID = ONE_REG.u64("id");
  static final Member ONE_REG_ADDR = ONE_REG.u64("addr");

  /// Followed by the mask itself, as many bytes as `len` says.
  static final Struct SIGNAL_MASK = Struct.of("struct kvm_signal_mask");
  static final Member SIGNAL_MASK_LEN = SIGNAL_MASK.u32("len");
  static final Member SIGNAL_MASK_SIGSET = SIGNAL_MASK.rest("sigset", 1);

  static final Ioctl KVM_GET_API_VERSION = Ioctl.io("KVM_GET_API_VERSION", TYPE, 0x00);
  static final Ioctl KVM_CREATE_VM = Ioctl.io("KVM_CREATE_VM", TYPE, 0x01);
  static final Ioctl KVM_CHECK_EXTENSION = Ioctl.io("KVM_CHECK_EXTENSION", TYPE, 0x03);
  static final Ioctl KVM_GET_VCPU_MMAP_SIZE = Ioctl.io("KVM_GET_VCPU_MMAP_SIZE", TYPE, 0x04);
  static final Ioctl KVM_CREATE_VCPU = Ioctl.io("KVM_CREATE_VCPU", TYPE, 0x41);
  static final Ioctl KVM_SET_USER_MEMORY_REGION = Ioctl.iow("KVM_SET_USER_MEMORY_REGION", TYPE, 0x46, 32);
  static final Ioctl KVM_IRQ_LINE = Ioctl.iow("KVM_IRQ_LINE", TYPE, 0x61, 8);
  static final Ioctl KVM_SET_GSI_ROUTING = Ioctl.iow("KVM_SET_GSI_ROUTING", TYPE, 0x6a, 8);
  static final Ioctl KVM_IRQFD = Ioctl.iow("KVM_IRQFD", TYPE, 0x76, 32);
  static final Ioctl KVM_IOEVENTFD = Ioctl.iow("KVM_IOEVENTFD", TYPE, 0x79, 64);
  static final Ioctl KVM_RUN = Ioctl.io("KVM_RUN", TYPE, 0x80);
  static final Ioctl KVM_SET_SIGNAL_MASK = Ioctl.iow("KVM_SET_SIGNAL_MASK", TYPE, 0x8b, 4);
  static final Ioctl KVM_ENABLE_CAP = Ioctl.iow("KVM_ENABLE_CAP", TYPE, 0xa3, 104);
  static final Ioctl KVM_SIGNAL_MSI = Ioctl.iow("KVM_SIGNAL_MSI", TYPE, 0xa5, 32);
  static final Ioctl KVM_GET_ONE_REG = Ioctl.iow("KVM_GET_ONE_REG", TYPE, 0xab, 16);
  static final Ioctl KVM_SET_ONE_REG = Ioctl.iow("KVM_SET_ONE_REG", TYPE, 0xac, 16);
  static final Ioctl KVM_CREATE_DEVICE = Ioctl.iowr("KVM_CREATE_DEVICE", TYPE, 0xe0, 12);
  static final Ioctl KVM_SET_DEVICE_ATTR = Ioctl.iow("KVM_SET_DEVICE_ATTR", TYPE, 0xe1, 24);
  static final Ioctl KVM_HAS_DEVICE_ATTR = Ioctl.iow("KVM_HAS_DEVICE_ATTR", TYPE, 0xe3, 24);
  // spotless:on

  static final int API_VERSION = 12;
  static final int CAP_MSI_DEVID = 131;
  static final int CAP_IMMEDIATE_EXIT = 136;
  static final int READONLY_MEMORY = 2;
  static final int CREATE_DEVICE_TEST = 1;
  static final int ROUTE_TO_IRQCHIP = 1;
  static final int ROUTE_MSI = 2;
  static final int MSI_VALID_DEVID = 1;
  static final int IRQFD_DEASSIGN = 1;
  static final int IRQFD_RESAMPLE = 2;
  static final int IOEVENTFD_DATAMATCH_FLAG = 1;
  static final int IOEVENTFD_DEASSIGN = 4;

  /// The device that knows assigned functions, its attributes' group, and the attributes.
  static final int TYPE_VFIO = 4;

  static final int VFIO_GROUP_FILE = 1;
  static final int VFIO_FILE_ADD = 1;
  static final int VFIO_FILE_DEL = 2;

  static {
    MEMORY_REGION.end(32);
    ROUTING.end(8);
    ROUTE.end(48);
    IRQFD.end(32);
    MSI.end(32);
    IOEVENTFD.end(64);
    DEVICE.end(12);
    ATTRIBUTE.end(24);
    CAPABILITY.end(104);
    LINE.end(8);
    ONE_REG.end(16);
    SIGNAL_MASK.end(4);
  }

  private KvmLayout() {}
}
