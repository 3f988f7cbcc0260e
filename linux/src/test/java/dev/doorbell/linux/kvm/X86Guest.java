package dev.doorbell.linux.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.doorbell.address.AddressRange;
import dev.doorbell.linux.MemFd;
import java.lang.foreign.MemorySegment;

/// A guest of a few instructions in 32-bit protected mode: it waits, and every interrupt leads to a handler that counts, ends the interrupt at
/// the local APIC, and tells the vector by a write to a port.
///
/// The handler does not return with `iret`: where KVM emulates instructions it has none of protected mode. It drops what is on the stack
/// and waits again.
final class X86Guest implements AutoCloseable {
  static final int PORT = 0x10;
  private static final long MEMORY = 0x10_0000;
  private static final int GDT = 0x1000;
  private static final int IDT = 0x2000;
  private static final int TASK = 0x3000;
  private static final int COUNTER = 0x4000;
  private static final int IDLE = 0x5000;
  private static final int HANDLERS = 0x6000;
  private static final int HANDLER_BYTES = 32;
  private static final int STACK = 0x9000;
  private static final int SETUP = 0xa000;
  private static final int IOAPIC_SELECT = 0xfec0_0000;
  private static final int IOAPIC_WINDOW = 0xfec0_0010;
  private static final int LEVEL = 1 << 15;
  private static final int FIRST_REDIRECTION = 0x10;
  private static final int INTERRUPT_GATE = 0x8e00;
  private static final int CODE_SELECTOR = 8;

  private final MemFd memory = MemFd.create("guest", MEMORY);

  /// @param firstVector of those that have a handler
  X86Guest(KvmVm vm, KvmVcpu vcpu, int firstVector, int vectors) {
    MemorySegment m = memory.memory();
    // Flat code and data of 4 GiB.
    m.set(JAVA_LONG_UNALIGNED, GDT + 8, 0x00cf_9b00_0000_ffffL);
    m.set(JAVA_LONG_UNALIGNED, GDT + 16, 0x00cf_9300_0000_ffffL);
    // mov esp, STACK; sti; hlt; jmp to the hlt.
    put(m, IDLE, 0xbc);
    m.set(JAVA_INT_UNALIGNED, IDLE + 1, STACK);
    put(m, IDLE + 5, 0xfb, 0xf4, 0xeb, 0xfd);
    for (int v = firstVector; v < firstVector + vectors; v++) {
      int at = HANDLERS + (v - firstVector) * HANDLER_BYTES;
      gate(m, v, at);
      // inc dword [COUNTER]
      put(m, at, 0xff, 0x05);
      m.set(JAVA_INT_UNALIGNED, at + 2, COUNTER);
      // mov dword [0xfee000b0], 0: end of interrupt
      put(m, at + 6, 0xc7, 0x05);
      m.set(JAVA_INT_UNALIGNED, at + 8, 0xfee0_00b0);
      m.set(JAVA_INT_UNALIGNED, at + 12, 0);
      // mov al, vector; out PORT, al; jmp IDLE
      put(m, at + 16, 0xb0, v, 0xe6, PORT, 0xe9);
      m.set(JAVA_INT_UNALIGNED, at + 21, IDLE - (at + 25));
    }
    vm.addMemory(0, AddressRange.ofSize(0, MEMORY), m);
    X86Cpu cpu = new X86Cpu(vcpu);
    cpu.enterProtectedMode(
        new X86Cpu.Tables(
            AddressRange.ofSize(GDT, 24),
            AddressRange.ofSize(IDT, 0x800),
            AddressRange.ofSize(TASK, 104)));
    cpu.startAt(IDLE);
    cpu.enableLocalApic();
  }

  /// Lets it begin by leading an input of the IOAPIC to a vector of its own processor, level-triggered, and telling so by a write to the port.
  void takeLevel(KvmVcpu vcpu, int input, int vector) {
    MemorySegment m = memory.memory();
    // mov al, 0xff; out 0x21, al; out 0xa1, al: KVM's 8259s begin unmasked, and would send the same
    // line as a vector of their own.
    put(m, SETUP, 0xb0, 0xff, 0xe6, 0x21, 0xe6, 0xa1);
    int at = store(m, SETUP + 6, IOAPIC_SELECT, FIRST_REDIRECTION + 2 * input + 1);
    at = store(m, at, IOAPIC_WINDOW, 0);
    at = store(m, at, IOAPIC_SELECT, FIRST_REDIRECTION + 2 * input);
    at = store(m, at, IOAPIC_WINDOW, LEVEL | vector);
    // mov al, 0; out PORT, al; jmp IDLE
    put(m, at, 0xb0, 0, 0xe6, PORT, 0xe9);
    m.set(JAVA_INT_UNALIGNED, at + 5, IDLE - (at + 9));
    new X86Cpu(vcpu).startAt(SETUP);
  }

  /// mov dword [address], value
  private static int store(MemorySegment m, int at, int address, int value) {
    put(m, at, 0xc7, 0x05);
    m.set(JAVA_INT_UNALIGNED, at + 2, address);
    m.set(JAVA_INT_UNALIGNED, at + 6, value);
    return at + 10;
  }

  /// Lets it begin with other instructions.
  void program(int... instructions) {
    put(memory.memory(), IDLE, instructions);
  }

  private static void gate(MemorySegment m, int vector, int handler) {
    long at = IDT + 8L * vector;
    m.set(JAVA_SHORT_UNALIGNED, at, (short) handler);
    m.set(JAVA_SHORT_UNALIGNED, at + 2, (short) CODE_SELECTOR);
    m.set(JAVA_INT_UNALIGNED, at + 4, INTERRUPT_GATE);
  }

  private static void put(MemorySegment m, int at, int... bytes) {
    for (int i = 0; i < bytes.length; i++) {
      m.set(JAVA_BYTE, at + i, (byte) bytes[i]);
    }
  }

  /// {@return interrupts that handlers took}
  int taken() {
    return memory.memory().get(JAVA_INT_UNALIGNED, COUNTER);
  }

  @Override
  public void close() {
    memory.close();
  }
}
