package dev.doorbell.linux.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.doorbell.linux.Descriptor;
import dev.doorbell.linux.Errno;
import dev.doorbell.linux.Kernel;
import dev.doorbell.linux.SystemCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;

/// Brings a thread out of `KVM_RUN` while its guest waits inside the kernel, where `immediate_exit` is not looked at.
///
/// A signal that the thread blocks everywhere but in `KVM_RUN` (`KVM_SET_SIGNAL_MASK`) is sent to it: the kernel breaks the wait off and
/// answers EINTR, and the signal, blocked again, is never delivered. So no handler is installed, and this process's virtual machine for Java
/// sees nothing.
final class VcpuKick {
  /// A real-time signal that neither the C library (32, 33) nor the JDK (the third but last) uses.
  private static final int SIGNAL = 40;

  /// Signals count from 1.
  private static final int BIT = SIGNAL - 1;

  private static final long SIGSET_BYTES = 128;

  private final Descriptor vcpu;
  private final ReentrantLock lock = new ReentrantLock();

  /// Who runs it; 0 for nobody.
  private int thread;

  private boolean ended;

  VcpuKick(Descriptor vcpu) {
    this.vcpu = vcpu;
  }

  /// The calling thread runs it from now on.
  void claim() {
    SystemCalls calls = vcpu.kernel().calls();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment before = arena.allocate(SIGSET_BYTES, Long.BYTES);
      Kernel.check(calls.blockSignals(only(arena), before), "pthread_sigmask", vcpu.name());
      MemorySegment mask = KvmLayout.SIGNAL_MASK.allocate(arena, Long.BYTES);
      KvmLayout.SIGNAL_MASK_LEN.set(mask, Long.BYTES);
      MemorySegment running = mask.asSlice(KvmLayout.SIGNAL_MASK_SIGSET.offset());
      MemorySegment.copy(before, 0, running, 0, Long.BYTES);
      byte b = running.get(JAVA_BYTE, BIT / Byte.SIZE);
      running.set(JAVA_BYTE, BIT / Byte.SIZE, (byte) (b & ~(1 << BIT % Byte.SIZE)));
      vcpu.ioctl(KvmLayout.KVM_SET_SIGNAL_MASK, mask);
    }
    lock.lock();
    try {
      thread = calls.threadId();
    } finally {
      lock.unlock();
    }
  }

  /// The calling thread runs it no more. Signals that came too late are taken: the thread ends with the mask that it began with.
  void leave() {
    lock.lock();
    try {
      thread = 0;
    } finally {
      lock.unlock();
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ours = only(arena);
      int taken;
      // Real-time signals queue: there is one for each kick.
      do {
        taken = vcpu.kernel().calls().takeSignal(ours);
      } while (taken == SIGNAL);
      if (taken != -Errno.EAGAIN.number()) {
        Kernel.check(taken, "sigtimedwait", vcpu.name());
      }
    }
  }

  private static MemorySegment only(Arena arena) {
    MemorySegment set = arena.allocate(SIGSET_BYTES, Long.BYTES);
    set.set(JAVA_BYTE, BIT / Byte.SIZE, (byte) (1 << BIT % Byte.SIZE));
    return set;
  }

  /// Brings it out, unless the processor has ended.
  ///
  /// @param first done before; what it uses is not given back meanwhile
  void kick(Runnable first) {
    lock.lock();
    try {
      if (ended) {
        return;
      }
      first.run();
      if (thread != 0) {
        int answer = vcpu.kernel().calls().signalThread(thread, SIGNAL);
        if (answer != -Errno.EAGAIN.number()) {
          Kernel.check(answer, "tgkill", "the thread of " + vcpu.name());
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// The processor is given back: nobody is brought out from now on.
  ///
  /// {@return whether this is the first call}
  boolean end() {
    lock.lock();
    try {
      boolean first = !ended;
      ended = true;
      return first;
    } finally {
      lock.unlock();
    }
  }
}
