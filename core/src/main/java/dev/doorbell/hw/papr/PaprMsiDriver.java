package dev.doorbell.hw.papr;

import dev.doorbell.bus.Rollback;
import dev.doorbell.irq.ArrivedInterrupts;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.pci.MessageTable;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/// Message interrupts of the functions behind one host bridge, which the hypervisor gives: it composes the messages and programs the functions, and the
/// messages are read back from there. All of a function's interrupts are taken together. Safe for use from many threads.
///
/// **Source**: LoPAPR 1.1, 7.3.10.5.1; Linux 6.12 `arch/powerpc/platforms/pseries/msi.c`.
public final class PaprMsiDriver implements MsiController {
  final ReentrantLock lock = new ReentrantLock();
  private final PaprHardware.Messages hw;
  private final PaprCalls calls;
  private final PaprInterruptDriver interrupts;
  private final ArrivedInterrupts arrived = new ArrivedInterrupts();
  private final BitSet given = new BitSet();
  private final BitSet active = new BitSet();
  private final BitSet masked = new BitSet();

  /// Arrived while held back.
  private final BitSet held = new BitSet();

  /// Functions that have interrupts, and how many they were given beyond those that they asked for.
  private final Map<Integer, Integer> functions = new HashMap<>();

  private final InterruptSink taken = this::take;
  private ArrivedInterrupts.Round round = arrived.begin();
  private int used;

  /// What the hypervisor gives at most, as far as it has told.
  private int limit;

  private PaprMsiDriver(PaprHardware.Messages hw, PaprCalls calls, PaprInterruptDriver interrupts) {
    this.hw = hw;
    this.calls = calls;
    this.interrupts = interrupts;
    limit = hw.quota().orElse(Integer.MAX_VALUE);
  }

  /// {@return a driver of a bridge's messages}
  public static PaprMsiDriver open(
      PaprHardware.Messages hw, PaprCalls calls, PaprInterruptDriver interrupts) {
    return new PaprMsiDriver(hw, calls.by(hw.id()), interrupts);
  }

  @Override
  public String id() {
    return hw.id();
  }

  /// A message of a PE that does not own the interrupt stops that PE.
  @Override
  public boolean isolated() {
    return true;
  }

  /// `ibm,change-msi` gives a function another number in place of those that it has.
  @Override
  public boolean givesOneByOne() {
    return false;
  }

  @Override
  public int vectorsFree() {
    lock.lock();
    try {
      return limit - used;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
    if (count < 1 || contiguous && Integer.bitCount(count) != 1) {
      throw new IllegalArgumentException(
          "%s asks %s for %d vectors (contiguous: %b)"
              .formatted(source.name(), id(), count, contiguous));
    }
    MessageTable.Kind kind = contiguous ? MessageTable.Kind.MSI : MessageTable.Kind.MSIX;
    lock.lock();
    try {
      int rid = source.deviceId();
      MessageTable table =
          hw.functions()
              .table(rid, kind)
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      "%s has no %s for %s to program".formatted(source.name(), kind, id())));
      if (functions.containsKey(rid)) {
        throw new VectorsExhausted(source, id(), count, 0, hw.source());
      }
      if (count > limit - used) {
        throw new VectorsExhausted(source, id(), count, limit - used, hw.source());
      }
      return take(source, count, table);
    } finally {
      lock.unlock();
    }
  }

  private VectorBlock take(MsiSource source, int count, MessageTable table) {
    MessageTable.Saved before = table.save(0, table.size());
    int rid = source.deviceId();
    try (Rollback rollback = new Rollback()) {
      rollback.add(before::restore);
      // Of a function that was granted nothing there is nothing to release, which is refused.
      rollback.add(() -> release(rid));
      int granted = ask(rid, table, count);
      if (granted < count) {
        limit = Math.min(limit, used + granted);
        throw new VectorsExhausted(source, id(), count, granted, hw.source());
      }
      int[] numbers = new int[count];
      for (int i = 0; i < count; i++) {
        numbers[i] = calls.rtas(Calls.SOURCE_NUMBER, 3, arguments(rid, i))[1];
      }
      VectorBlock block = new PaprVectors(this, source, numbers, table, before);
      functions.put(rid, granted - count);
      for (int n : numbers) {
        given.set(n);
      }
      used += granted;
      rollback.commit();
      return block;
    }
  }

  /// {@return what the hypervisor tells of the routes of interrupts that it gave, by the names that a walker knows}
  public Map<String, Long> routes() {
    Map<String, Long> out = new TreeMap<>();
    lock.lock();
    try {
      for (int n = given.nextSetBit(0); n >= 0; n = given.nextSetBit(n + 1)) {
        interrupts.tell(n, out);
      }
    } finally {
      lock.unlock();
    }
    return out;
  }

  /// {@return the number by which calls name the bridge}
  public long buid() {
    return hw.buid();
  }

  private static int function(MessageTable table) {
    if (table.kind() == MessageTable.Kind.MSIX) {
      return Calls.CHANGE_MSIX;
    }
    return table.is64Bit() ? Calls.CHANGE_MSI_FN : Calls.CHANGE_MSI32;
  }

  private int[] arguments(int rid, int... more) {
    return new PaprHardware.Endpoint(hw.buid(), rid, false, hw.source()).arguments(more);
  }

  /// {@return how many were granted. Firmware that gives MSI-X in powers of two alone is asked for the next one, where the function and the quota have room for it}
  private int ask(int rid, MessageTable table, int count) {
    int granted = change(rid, function(table), count);
    int more = Integer.highestOneBit(count) << 1;
    boolean round =
        granted < 0
            && table.kind() == MessageTable.Kind.MSIX
            && Integer.bitCount(count) != 1
            && more <= Math.min(table.size(), limit - used);
    return Math.max(0, round ? change(rid, function(table), more) : granted);
  }

  /// {@return how many were granted; negative when the hypervisor refuses}
  private int change(int rid, int function, int count) {
    int[] results = new int[4];
    int status = calls.changeMsi(arguments(rid, function, count, 0), results);
    return status == Calls.RTAS_OK ? results[1] : -1;
  }

  /// {@return whether a function's interrupts were taken back. Of one that has no MSI QEMU's hypervisor refuses function 3, which by LoPAPR releases both kinds}
  private boolean release(int rid) {
    return change(rid, Calls.CHANGE_MSI_FN, 0) >= 0 || change(rid, Calls.CHANGE_ANY, 0) >= 0;
  }

  /// The lock is held, as for all that follow.
  void takeBack(int rid) {
    if (functions.containsKey(rid) && !release(rid)) {
      throw PaprException.refused(
          id(), Calls.CHANGE_MSI, "an error when interrupts were to be given back");
    }
    Integer beyond = functions.remove(rid);
    used -= beyond == null ? 0 : beyond;
    limit = hw.quota().orElse(Integer.MAX_VALUE);
  }

  void giveBack(int number) {
    given.clear(number);
    used--;
  }

  /// A message that came before is dropped: the source may have remembered one.
  void on(int number, int cpu, boolean mask) {
    interrupts.start(number, cpu, mask);
    masked.set(number, mask);
    active.set(number);
  }

  void off(int number) {
    interrupts.stop(number);
    active.clear(number);
    held.clear(number);
  }

  void move(int number, int cpu) {
    interrupts.move(number, cpu, masked.get(number));
  }

  /// What is held back already is left alone: a second ibm,int-off would have the source forget its priority.
  void mask(int number, boolean mask) {
    if (mask == masked.get(number)) {
      return;
    }
    if (mask) {
      interrupts.hold(number);
    } else {
      interrupts.letThrough(number);
    }
    masked.set(number, mask);
  }

  @Override
  public int collect(InterruptSink sink) {
    ArrivedInterrupts.Round mine = arrived.begin();
    lock.lock();
    try {
      round = mine;
      interrupts.collect(active, taken);
      for (int n = held.nextSetBit(0); n >= 0; n = held.nextSetBit(n + 1)) {
        if (!masked.get(n)) {
          held.clear(n);
          round.arrived(n, interrupts.cpu(n));
        }
      }
    } finally {
      lock.unlock();
    }
    return mine.deliver(sink);
  }

  private void take(int number, int cpu) {
    if (masked.get(number)) {
      held.set(number);
    } else {
      held.clear(number);
      round.arrived(number, cpu);
    }
  }
}
