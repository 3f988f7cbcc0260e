package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/// A virtual processor: what of it can be seen and set while it does not run. On x86 that is its local APIC.
public final class KvmVcpu implements AutoCloseable {
  private final Descriptor descriptor;

  KvmVcpu(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  /// Enables the local APIC by software, with spurious vector 255, as a guest's kernel does.
  ///
  /// @throws ErrnoException on other architectures than x86
  public void enableLocalApic() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = lapic(arena);
      s.set(
          JAVA_INT, KvmX86Layout.SVR, s.get(JAVA_INT, KvmX86Layout.SVR) | KvmX86Layout.SVR_ENABLE);
      descriptor.ioctl(KvmX86Layout.KVM_SET_LAPIC, s);
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
      descriptor.ioctl(KvmX86Layout.KVM_SET_LAPIC, s);
    }
  }

  private MemorySegment lapic(Arena arena) {
    MemorySegment s = KvmX86Layout.LAPIC.allocate(arena);
    descriptor.ioctl(KvmX86Layout.KVM_GET_LAPIC, s);
    return s;
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
