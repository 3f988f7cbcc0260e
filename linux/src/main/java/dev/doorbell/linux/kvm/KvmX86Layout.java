package dev.doorbell.linux.kvm;

import dev.doorbell.linux.Ioctl;
import dev.doorbell.linux.Struct;
import dev.doorbell.linux.Struct.Member;
import java.util.List;

/// Requests of KVM that x86 alone has.
///
/// **Source**: Linux `include/uapi/linux/kvm.h`, `arch/x86/include/uapi/asm/kvm.h`; Intel SDM volume 3, 3.4.5 (segment descriptors), 2.5 (control registers), 11.4 (local APIC registers)
final class KvmX86Layout {
  static final Struct LAPIC = Struct.of("struct kvm_lapic_state");
  static final Struct.Member LAPIC_REGS = LAPIC.block("regs", 0x400, 1);

  static final Struct REGS = Struct.of("struct kvm_regs");

  static {
    for (String r :
        List.of(
            "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9", "r10", "r11", "r12",
            "r13", "r14", "r15")) {
      REGS.u64(r);
    }
  }

  static final Member RIP = REGS.u64("rip");
  static final Member RFLAGS = REGS.u64("rflags");

  static final Struct SEGMENT = Struct.of("struct kvm_segment");
  static final Member SEGMENT_BASE = SEGMENT.u64("base");
  static final Member SEGMENT_LIMIT = SEGMENT.u32("limit");
  static final Member SEGMENT_SELECTOR = SEGMENT.u16("selector");
  static final Member SEGMENT_TYPE = SEGMENT.u8("type");
  static final Member SEGMENT_PRESENT = SEGMENT.u8("present");
  static final Member SEGMENT_DPL = SEGMENT.u8("dpl");
  static final Member SEGMENT_DB = SEGMENT.u8("db");
  static final Member SEGMENT_S = SEGMENT.u8("s");
  static final Member SEGMENT_L = SEGMENT.u8("l");
  static final Member SEGMENT_G = SEGMENT.u8("g");
  static final Member SEGMENT_AVL = SEGMENT.u8("avl");
  static final Member SEGMENT_UNUSABLE = SEGMENT.u8("unusable");
  static final Member SEGMENT_PADDING = SEGMENT.u8("padding");

  static final Struct TABLE = Struct.of("struct kvm_dtable");
  static final Member TABLE_BASE = TABLE.u64("base");
  static final Member TABLE_LIMIT = TABLE.u16("limit");
  static final Member TABLE_PADDING = TABLE.block("padding", 6, 2);

  static final Struct SREGS = Struct.of("struct kvm_sregs");
  static final List<Member> CODE_AND_DATA =
      List.of(
          SREGS.block("cs", 24, 8),
          SREGS.block("ds", 24, 8),
          SREGS.block("es", 24, 8),
          SREGS.block("fs", 24, 8),
          SREGS.block("gs", 24, 8),
          SREGS.block("ss", 24, 8));
  static final Member TR = SREGS.block("tr", 24, 8);
  static final Member LDT = SREGS.block("ldt", 24, 8);
  static final Member GDT = SREGS.block("gdt", 16, 8);
  static final Member IDT = SREGS.block("idt", 16, 8);
  static final Member CR0 = SREGS.u64("cr0");
  static final Member CR2 = SREGS.u64("cr2");
  static final Member CR3 = SREGS.u64("cr3");
  static final Member CR4 = SREGS.u64("cr4");
  static final Member CR8 = SREGS.u64("cr8");
  static final Member EFER = SREGS.u64("efer");
  static final Member APIC_BASE = SREGS.u64("apic_base");
  static final Member INTERRUPT_BITMAP = SREGS.block("interrupt_bitmap", 32, 8);

  static final Ioctl KVM_SET_TSS_ADDR = Ioctl.io("KVM_SET_TSS_ADDR", 0xae, 0x47);
  static final Ioctl KVM_CREATE_IRQCHIP = Ioctl.io("KVM_CREATE_IRQCHIP", 0xae, 0x60);
  static final Ioctl KVM_GET_REGS = Ioctl.ior("KVM_GET_REGS", 0xae, 0x81, 144);
  static final Ioctl KVM_SET_REGS = Ioctl.iow("KVM_SET_REGS", 0xae, 0x82, 144);
  static final Ioctl KVM_GET_SREGS = Ioctl.ior("KVM_GET_SREGS", 0xae, 0x83, 312);
  static final Ioctl KVM_SET_SREGS = Ioctl.iow("KVM_SET_SREGS", 0xae, 0x84, 312);
  static final Ioctl KVM_GET_LAPIC = Ioctl.ior("KVM_GET_LAPIC", 0xae, 0x8e, 0x400);
  static final Ioctl KVM_SET_LAPIC = Ioctl.iow("KVM_SET_LAPIC", 0xae, 0x8f, 0x400);

  /// Spurious Interrupt Vector Register.
  static final int SVR = 0xf0;

  static final int SVR_ENABLE = 0x100;

  /// Interrupt Request Register: eight words of 32 vectors, 16 bytes apart.
  static final int IRR = 0x200;

  static final int WORD_STRIDE = 0x10;

  /// Segment types of the descriptor tables: code that was accessed, data that was accessed, a busy 32-bit task state.
  static final int CODE = 0xb;

  static final int DATA = 0x3;
  static final int BUSY_TASK = 0xb;

  /// Protection Enable and Extension Type of CR0.
  static final int PROTECTED = 0x11;

  /// RFLAGS' only bit that is always 1.
  static final int RFLAGS_ONE = 2;

  /// The controllers of a PC inside the kernel, as routes name them, and how many inputs they have.
  static final int IRQCHIP_PIC_MASTER = 0;

  static final int IRQCHIP_PIC_SLAVE = 1;
  static final int IRQCHIP_IOAPIC = 2;
  static final int PIC_INPUTS = 8;
  static final int IOAPIC_INPUTS = 24;

  static final int CAP_SPLIT_IRQCHIP = 121;

  static {
    REGS.end(144);
    SEGMENT.end(24);
    TABLE.end(16);
    SREGS.end(312);
    LAPIC.end(0x400);
  }

  private KvmX86Layout() {}
}
