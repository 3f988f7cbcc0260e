package dev.doorbell.hw.lapic;

import static dev.doorbell.hw.lapic.LapicRegisters.*;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.CpuInterface;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// One CPU's local APIC. An interrupt becomes pending without a lock; registers and acknowledging take one, under which other CPUs' APICs may be
/// sent to.
///
/// **Source**: Intel SDM volume 3, 11.4 (registers), 11.6.2 (destination), 11.8 (handling interrupts), 11.12 (x2APIC).
final class ApicModel {
  /// Takes what the CPU writes to its ICR.
  @FunctionalInterface
  interface Commands {
    void send(long low, long destination);
  }

  private static final int WORDS = 256 / Long.SIZE;
  private static final long VERSION_21 = VERSION_VALUE.place(0x15) | MAX_LVT.place(6);
  private static final int CLASS_BITS = 4;
  private static final long LOW_CLUSTER = 0xf;

  private final long id;
  private final Commands commands;
  private final Map<Register, Long> contents = new IdentityHashMap<>();
  private final AtomicLongArray requests = new AtomicLongArray(WORDS);
  private final long[] inService = new long[WORDS];
  private final AtomicLong errors = new AtomicLong();
  private volatile long base;
  private volatile long logicalId;
  private volatile long format = DFR.reset();
  private volatile boolean enabled;
  private volatile int taskPriority;
  private volatile int mostUrgent = -1;

  ApicModel(long id, boolean boots, Commands commands) {
    this.id = id;
    this.commands = commands;
    this.base = APIC_BASE.place(0xfee0_0000L) | EN.mask() | (boots ? BSP.mask() : 0);
    MAP.registers().forEach(r -> contents.put(r, r.reset()));
  }

  long id() {
    return id;
  }

  boolean isEnabled() {
    return enabled && EN.isSet(base);
  }

  private boolean isX2() {
    return EXTD.isSet(base);
  }

  /// {@return whether a destination that is no broadcast means this CPU}
  boolean matches(long destination, boolean logical) {
    if (!logical) {
      return destination == (isX2() ? id : APIC_ID.get(APIC_ID.place(id & 0xff)));
    }
    if (isX2()) {
      long mine = x2LogicalId();
      return ID_CLUSTER.get(destination) == X2_CLUSTER.get(mine)
          && (ID_MEMBERS.get(destination) & X2_MEMBER.get(mine)) != 0;
    }
    long mine = LOGICAL_ID.get(logicalId);
    if (destination > 0xff) {
      return false;
    }
    if (MODEL.getInt(format) == FLAT) {
      return (destination & mine) != 0;
    }
    boolean cluster = destination >>> CLASS_BITS == mine >>> CLASS_BITS;
    return (cluster || destination >>> CLASS_BITS == LOW_CLUSTER)
        && (destination & mine & LOW_CLUSTER) != 0;
  }

  /// LDR of x2APIC mode follows from the id: 16 CPUs are a cluster.
  private long x2LogicalId() {
    return X2_CLUSTER.place(id >>> CLASS_BITS & X2_CLUSTER.max())
        | X2_MEMBER.place(1L << (id & LOW_CLUSTER));
  }

  /// Makes a vector pending.
  ///
  /// {@return whether it is}
  boolean accept(int vector) {
    if (!isEnabled()) {
      return false;
    }
    if (vector < FIRST_LEGAL_VECTOR) {
      raise(RECEIVE_ILLEGAL);
      return false;
    }
    int word = vector / Long.SIZE;
    long bit = 1L << vector;
    for (; ; ) {
      long old = requests.get(word);
      if ((old & bit) != 0 || requests.compareAndSet(word, old, old | bit)) {
        return true;
      }
    }
  }

  /// {@return how urgent the CPU's present work is: PPR}
  int priority() {
    int task = taskPriority;
    int serving = Math.max(0, mostUrgent) >>> CLASS_BITS;
    return task >>> CLASS_BITS >= serving ? task : serving << CLASS_BITS;
  }

  /// {@return the most urgent pending vector that is above the CPU's priority, now in service}
  synchronized int acknowledge() {
    int vector = highestRequest();
    if (vector < 0 || vector >>> CLASS_BITS <= priority() >>> CLASS_BITS) {
      return CpuInterface.NONE;
    }
    int word = vector / Long.SIZE;
    long bit = 1L << vector;
    long old = requests.get(word);
    while (!requests.compareAndSet(word, old, old & ~bit)) {
      old = requests.get(word);
    }
    inService[word] |= bit;
    mostUrgent = vector;
    return vector;
  }

  synchronized void endOfInterrupt() {
    int vector = highest(inService);
    if (vector >= 0) {
      inService[vector / Long.SIZE] &= ~(1L << vector);
      mostUrgent = highest(inService);
    }
  }

  private int highestRequest() {
    for (int i = WORDS - 1; i >= 0; i--) {
      long word = requests.get(i);
      if (word != 0) {
        return i * Long.SIZE + Long.SIZE - 1 - Long.numberOfLeadingZeros(word);
      }
    }
    return -1;
  }

  private static int highest(long[] bits) {
    for (int i = WORDS - 1; i >= 0; i--) {
      if (bits[i] != 0) {
        return i * Long.SIZE + Long.SIZE - 1 - Long.numberOfLeadingZeros(bits[i]);
      }
    }
    return -1;
  }

  private void raise(Field error) {
    errors.accumulateAndGet(error.mask(), (a, b) -> a | b);
  }

  synchronized long readMsr(int msr) {
    if (msr == MSR_APIC_BASE) {
      return base;
    }
    Register r = x2(msr, "read");
    if (r == ICR_LOW) {
      return X2ICR_COMMAND.place(content(ICR_LOW)) | X2ICR_DESTINATION.place(content(ICR_HIGH));
    }
    return get(r, (int) ((offset(msr) - r.offset()) / BYTES_PER_MSR));
  }

  synchronized void writeMsr(int msr, long value) {
    if (msr == MSR_APIC_BASE) {
      writeBase(value);
      return;
    }
    Register r = x2(msr, "write");
    if (r == ICR_LOW) {
      contents.put(ICR_HIGH, X2ICR_DESTINATION.get(value));
      contents.put(ICR_LOW, ICR_LOW.legalize(content(ICR_LOW), X2ICR_COMMAND.get(value)));
      issue(X2ICR_DESTINATION.get(value));
    } else if (r == LDR || r.access().rw() == 0 && r.access().wo() == 0) {
      throw refused("write", msr);
    } else {
      set(r, value);
    }
  }

  /// 11.12.5: EXTD may be set when EN is, and is cleared together with it.
  private void writeBase(long value) {
    boolean impossible = EXTD.isSet(value) && !EN.isSet(value);
    boolean straightBack = isX2() && EN.isSet(value) && !EXTD.isSet(value);
    if (impossible || straightBack) {
      throw refused("write", MSR_APIC_BASE);
    }
    base = BSP.mask() & base | value & (EXTD.mask() | EN.mask() | APIC_BASE.mask());
  }

  private static long offset(int msr) {
    return (long) (msr - FIRST_X2APIC_MSR) * BYTES_PER_MSR;
  }

  private Register x2(int msr, String operation) {
    if (!isX2() || msr < FIRST_X2APIC_MSR || msr > LAST_X2APIC_MSR) {
      throw refused(operation, msr);
    }
    Register r = MAP.find(offset(msr)).map(RegisterMap.Hit::register).orElse(null);
    if (r == null || r == DFR || r == ICR_HIGH) {
      throw refused(operation, msr);
    }
    return r;
  }

  private static BusErrorException refused(String operation, int msr) {
    return new BusErrorException("MSR " + operation, msr, Long.BYTES);
  }

  synchronized long readPage(long offset) {
    requirePage("read", offset);
    RegisterMap.Hit hit = MAP.find(offset).orElse(null);
    if (hit == null) {
      raise(ILLEGAL_REGISTER);
      return 0;
    }
    return get(hit.register(), hit.index());
  }

  synchronized void writePage(long offset, long value) {
    requirePage("write", offset);
    RegisterMap.Hit hit = MAP.find(offset).orElse(null);
    if (hit == null) {
      raise(ILLEGAL_REGISTER);
    } else {
      set(hit.register(), value);
      if (hit.register() == ICR_LOW) {
        issue(ICR_DESTINATION.get(content(ICR_HIGH)));
      }
    }
  }

  private void requirePage(String operation, long offset) {
    if (!EN.isSet(base) || isX2()) {
      throw new BusErrorException(operation, APIC_BASE.get(base) + offset, Integer.BYTES);
    }
  }

  private long content(Register r) {
    Long c = contents.get(r);
    return c == null ? 0 : c;
  }

  private long get(Register r, int index) {
    if (r == ID) {
      return isX2() ? X2APIC_ID.place(id) : APIC_ID.place(id & 0xff);
    }
    if (r == VERSION) {
      return VERSION_21;
    }
    if (r == PPR) {
      return priority();
    }
    if (r == LDR && isX2()) {
      return x2LogicalId();
    }
    if (r == ISR || r == IRR) {
      int word = index * VECTORS_PER_REGISTER / Long.SIZE;
      long bits = r == ISR ? inService[word] : requests.get(word);
      return (index & 1) == 0 ? Integer.toUnsignedLong((int) bits) : bits >>> Integer.SIZE;
    }
    return r.access().visible(content(r));
  }

  private void set(Register r, long value) {
    if (r == EOI) {
      endOfInterrupt();
      return;
    }
    if (r == ESR) {
      // A write shows what has gathered since the one before.
      contents.put(ESR, errors.getAndSet(0));
      return;
    }
    long next = r.legalize(content(r), value);
    contents.put(r, next);
    if (r == SVR) {
      enabled = ENABLE.isSet(next);
    } else if (r == TPR) {
      taskPriority = (int) next;
    } else if (r == LDR) {
      logicalId = next;
    } else if (r == DFR) {
      format = next;
    }
  }

  private void issue(long destination) {
    commands.send(content(ICR_LOW), destination);
  }
}
