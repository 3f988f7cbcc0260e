package dev.doorbell.linux.kvm;

import dev.doorbell.linux.Struct;
import dev.doorbell.linux.Struct.Member;

/// The page that a virtual processor shares with its user: why it stopped, and what it is to be answered.
///
/// **Source**: Linux `include/uapi/linux/kvm.h`, `Documentation/virt/kvm/api.rst` section 5
final class KvmRunLayout {
  // spotless:off
  static final Struct RUN = Struct.of("struct kvm_run");
  static final Member REQUEST_INTERRUPT_WINDOW = RUN.u8("request_interrupt_window");
  static final Member IMMEDIATE_EXIT = RUN.u8("immediate_exit");
  static final Member PADDING1 = RUN.block("padding1", 6, 1);
  static final Member EXIT_REASON = RUN.u32("exit_reason");
  static final Member READY_FOR_INJECTION = RUN.u8("ready_for_interrupt_injection");
  static final Member IF_FLAG = RUN.u8("if_flag");
  static final Member FLAGS = RUN.u16("flags");
  static final Member CR8 = RUN.u64("cr8");
  static final Member APIC_BASE = RUN.u64("apic_base");
  static final Member EXIT = RUN.block("padding", 256, 8);
  static final Member UNKNOWN_REASON = RUN.over(EXIT, 0, "hw.hardware_exit_reason", 8);
  static final Member FAIL_ENTRY_REASON = RUN.over(EXIT, 0, "fail_entry.hardware_entry_failure_reason", 8);
  static final Member IO_DIRECTION = RUN.over(EXIT, 0, "io.direction", 1);
  static final Member IO_SIZE = RUN.over(EXIT, 1, "io.size", 1);
  static final Member IO_PORT = RUN.over(EXIT, 2, "io.port", 2);
  static final Member IO_COUNT = RUN.over(EXIT, 4, "io.count", 4);
  static final Member IO_DATA_OFFSET = RUN.over(EXIT, 8, "io.data_offset", 8);
  static final Member MMIO_ADDRESS = RUN.over(EXIT, 0, "mmio.phys_addr", 8);
  static final Member MMIO_DATA = RUN.over(EXIT, 8, "mmio.data", 8);
  static final Member MMIO_LEN = RUN.over(EXIT, 16, "mmio.len", 4);
  static final Member MMIO_IS_WRITE = RUN.over(EXIT, 20, "mmio.is_write", 1);
  static final Member INTERNAL_SUBERROR = RUN.over(EXIT, 0, "internal.suberror", 4);
  static final Member INTERNAL_NDATA = RUN.over(EXIT, 4, "internal.ndata", 4);
  static final Member INTERNAL_DATA = RUN.over(EXIT, 8, "internal.data", 128);
  static final Member SYSTEM_EVENT_TYPE = RUN.over(EXIT, 0, "system_event.type", 4);
  static final Member NISV_ESR = RUN.over(EXIT, 0, "arm_nisv.esr_iss", 8);
  static final Member NISV_ADDRESS = RUN.over(EXIT, 8, "arm_nisv.fault_ipa", 8);
  static final Member VALID_REGS = RUN.u64("kvm_valid_regs");
  static final Member DIRTY_REGS = RUN.u64("kvm_dirty_regs");
  static final Member SYNC = RUN.block("s", 2048, 8);
  // spotless:on

  /// Values of `exit_reason` (KVM_EXIT_…).
  static final int EXIT_IO = 2;

  static final int EXIT_HLT = 5;
  static final int EXIT_MMIO = 6;
  static final int EXIT_SHUTDOWN = 8;
  static final int EXIT_FAIL_ENTRY = 9;
  static final int EXIT_INTERNAL_ERROR = 17;
  static final int EXIT_SYSTEM_EVENT = 24;
  static final int EXIT_ARM_NISV = 28;

  /// Values of `system_event.type` (KVM_SYSTEM_EVENT_…).
  static final int SYSTEM_EVENT_SHUTDOWN = 1;

  static final int SYSTEM_EVENT_RESET = 2;
  static final int SYSTEM_EVENT_CRASH = 3;

  static final int IO_OUT = 1;
  static final int MOST_INTERNAL_DATA = 16;

  static {
    RUN.end(2352);
  }

  private KvmRunLayout() {}
}
