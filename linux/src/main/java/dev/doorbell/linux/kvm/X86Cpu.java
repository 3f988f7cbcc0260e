package dev.doorbell.linux.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.doorbell.address.AddressRange;
import dev.doorbell.linux.Descriptor;
import dev.doorbell.linux.Struct.Member;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/// What only an x86 processor has: its segments, and its local APIC. Used while it does not run.
///
/// **Source**: Linux `Documentation/virt/kvm/api.rst` (`KVM_SET_SREGS`, `KVM_SET_LAPIC`); Intel SDM volume 3, 3.4.5, 11.4
public final class X86Cpu {
  private static final int FLAT = -1;
  private static final int CODE_SELECTOR = 8;
  private static final int DATA_SELECTOR = 16;
  private static final int TASK_SELECTOR = 24;
  private static final int TASK_LIMIT = 0x67;

  private final Descriptor vcpu;

  public X86Cpu(KvmVcpu vcpu) {
    this.vcpu = vcpu.descriptor();
  }

  /// Where the tables of protected mode lie in guest-physical memory, below 4 GiB. Segments are flat: selector 8 is code, 16 data, 24 a
  /// task state.
  ///
  /// @param gdt the descriptor table; it need not be filled for code that loads no segment but through an interrupt gate, which reads
  ///     the code segment's entry
  /// @param idt the interrupt table
  /// @param task a task state of 104 bytes
  public record Tables(AddressRange gdt, AddressRange idt, AddressRange task) {}

  /// Puts it into 32-bit protected mode without paging.
  public void enterProtectedMode(Tables tables) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = KvmX86Layout.SREGS.allocate(arena);
      vcpu.ioctl(KvmX86Layout.KVM_GET_SREGS, s, KvmRefused::state);
      for (Member m : KvmX86Layout.CODE_AND_DATA) {
        boolean code = m.name().equals("cs");
        MemorySegment g = s.asSlice(m.offset(), m.bytes());
        g.fill((byte) 0);
        KvmX86Layout.SEGMENT_LIMIT.set(g, FLAT);
        KvmX86Layout.SEGMENT_SELECTOR.set(g, code ? CODE_SELECTOR : DATA_SELECTOR);
        KvmX86Layout.SEGMENT_TYPE.set(g, code ? KvmX86Layout.CODE : KvmX86Layout.DATA);
        KvmX86Layout.SEGMENT_PRESENT.set(g, 1);
        KvmX86Layout.SEGMENT_DB.set(g, 1);
        KvmX86Layout.SEGMENT_S.set(g, 1);
        KvmX86Layout.SEGMENT_G.set(g, 1);
      }
      MemorySegment task = s.asSlice(KvmX86Layout.TR.offset(), KvmX86Layout.TR.bytes());
      task.fill((byte) 0);
      KvmX86Layout.SEGMENT_BASE.set(task, tables.task().start());
      KvmX86Layout.SEGMENT_LIMIT.set(task, TASK_LIMIT);
      KvmX86Layout.SEGMENT_SELECTOR.set(task, TASK_SELECTOR);
      KvmX86Layout.SEGMENT_TYPE.set(task, KvmX86Layout.BUSY_TASK);
      KvmX86Layout.SEGMENT_PRESENT.set(task, 1);
      MemorySegment ldt = s.asSlice(KvmX86Layout.LDT.offset(), KvmX86Layout.LDT.bytes());
      ldt.fill((byte) 0);
      KvmX86Layout.SEGMENT_UNUSABLE.set(ldt, 1);
      table(s, KvmX86Layout.GDT, tables.gdt());
      table(s, KvmX86Layout.IDT, tables.idt());
      KvmX86Layout.CR0.set(s, KvmX86Layout.PROTECTED);
      KvmX86Layout.CR4.set(s, 0);
      KvmX86Layout.EFER.set(s, 0);
      vcpu.ioctl(KvmX86Layout.KVM_SET_SREGS, s, KvmRefused::state);
    }
  }

  private static void table(MemorySegment s, Member m, AddressRange at) {
    MemorySegment t = s.asSlice(m.offset(), m.bytes());
    KvmX86Layout.TABLE_BASE.set(t, at.start());
    KvmX86Layout.TABLE_LIMIT.set(t, at.bytes() - 1);
  }

  /// Sets where it goes on, interrupts off, all other registers 0.
  ///
  /// @param instruction guest-virtual
  public void startAt(long instruction) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment r = KvmX86Layout.REGS.allocate(arena);
      KvmX86Layout.RIP.set(r, instruction);
      KvmX86Layout.RFLAGS.set(r, KvmX86Layout.RFLAGS_ONE);
      vcpu.ioctl(KvmX86Layout.KVM_SET_REGS, r, KvmRefused::state);
    }
  }

  /// {@return where it is}
  public long instruction() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment r = KvmX86Layout.REGS.allocate(arena);
      vcpu.ioctl(KvmX86Layout.KVM_GET_REGS, r, KvmRefused::state);
      return KvmX86Layout.RIP.get(r);
    }
  }

  /// Enables the local APIC by software, with spurious vector 255, as a guest's kernel does.
  ///
  /// @throws dev.doorbell.linux.ErrnoException on other architectures than x86
  public void enableLocalApic() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = lapic(arena);
      s.set(
          JAVA_INT, KvmX86Layout.SVR, s.get(JAVA_INT, KvmX86Layout.SVR) | KvmX86Layout.SVR_ENABLE);
      vcpu.ioctl(KvmX86Layout.KVM_SET_LAPIC, s, KvmRefused::state);
    }
  }

  /// {@return vectors that wait in the local APIC for the processor to take them}
  public BitSet requested() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = lapic(arena);
      BitSet out = new BitSet();
      for (int v = 0; v < 8 * Integer.SIZE; v++) {
        if ((word(s, v) >>> v % Integer.SIZE & 1) != 0) {
          out.set(v);
        }
      }
      return out;
    }
  }

  private static int word(MemorySegment s, int vector) {
    return s.get(JAVA_INT, offset(vector));
  }

  private static long offset(int vector) {
    return KvmX86Layout.IRR + (long) (vector / Integer.SIZE) * KvmX86Layout.WORD_STRIDE;
  }

  /// Takes requested vectors back, as if the processor had handled them.
  public void clearRequests() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = lapic(arena);
      for (int v = 0; v < 8 * Integer.SIZE; v += Integer.SIZE) {
        s.set(JAVA_INT, offset(v), 0);
      }
      vcpu.ioctl(KvmX86Layout.KVM_SET_LAPIC, s, KvmRefused::state);
    }
  }

  private MemorySegment lapic(Arena arena) {
    MemorySegment s = KvmX86Layout.LAPIC.allocate(arena);
    vcpu.ioctl(KvmX86Layout.KVM_GET_LAPIC, s, KvmRefused::state);
    return s;
  }
}
