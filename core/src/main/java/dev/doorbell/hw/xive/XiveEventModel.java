package dev.doorbell.hw.xive;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.XiveEventLayout;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// What both XIVEs do: take events at a port, find where they go in tables in memory, write them to queues there, and tell threads.
///
/// Assignments are kept in a cache of 1024 entries until they are forgotten; descriptors are read and written back each time. Tables lie in one piece.
/// Escalation, backlog, logical servers and the sources of the controller itself are not there. One lock: an event and a register access
/// are each one step.
public abstract sealed class XiveEventModel implements MmioDevice permits XiveModel, Xive2Model {
  private static final int CACHED = 1024;
  private static final int THREADS = 128;
  private static final int SLOTS = (VsdLayout.TABLES + 1) * VsdLayout.BLOCKS;

  private final PhysicalMemory memory;
  private final XiveGeneration generation;
  private final ReentrantLock lock = new ReentrantLock();
  private final XiveThreadModel[] threads = new XiveThreadModel[THREADS];
  private final long[] enabled = new long[THREADS / Long.SIZE];
  private final long[] vcVsd = new long[SLOTS];
  private final long[] pcVsd = new long[SLOTS];
  private final long[] cachedEas = new long[CACHED];
  private final long[] cachedAt = new long[CACHED];
  private long vcSelect;
  private long pcSelect;

  XiveEventModel(PhysicalMemory memory, XiveGeneration generation) {
    this.memory = memory;
    this.generation = generation;
    Arrays.setAll(threads, _ -> new XiveThreadModel());
  }

  /// {@return what answers at an offset; null where nothing does}
  abstract @Nullable RegisterPorts at(long offset);

  /// {@return whether sources store their events there}
  abstract boolean isPort(long offset);

  /// {@return which table and block a selecting register names}
  abstract int slot(long select);

  /// All tables beyond those that are used here have one place behind theirs, which nobody reads.
  static int slot(int table, int block) {
    return Math.min(table, VsdLayout.TABLES) * VsdLayout.BLOCKS + block % VsdLayout.BLOCKS;
  }

  /// Registers by which the virtualizing half is told of tables.
  void virtualizing(RegisterPorts ports, Register address, Register data) {
    ports.on(address, _ -> vcSelect, (_, v) -> vcSelect = v);
    ports.on(data, _ -> vcVsd[slot(vcSelect)], (_, v) -> vcVsd[slot(vcSelect)] = v);
  }

  /// Registers by which the presenting half is told of tables.
  void presenting(RegisterPorts ports, Register address, Register data) {
    ports.on(address, _ -> pcSelect, (_, v) -> pcSelect = v);
    ports.on(data, _ -> pcVsd[slot(pcSelect)], (_, v) -> pcVsd[slot(pcSelect)] = v);
  }

  /// Registers by which 64 threads take part, or do not.
  void enabling(RegisterPorts ports, Register set, Register clear, int index) {
    ports.on(set, _ -> enabled[index], (_, v) -> enabled[index] |= v);
    ports.on(clear, _ -> enabled[index], (_, v) -> enabled[index] &= ~v);
  }

  /// A register of threads that take part.
  void enabled(RegisterPorts ports, Register all, int index) {
    ports.on(all, _ -> enabled[index], (_, v) -> enabled[index] = v);
  }

  XiveThreadModel thread(int number) {
    return threads[number];
  }

  /// Forgets a source's assignment.
  void forget(long block, long index) {
    long source = XiveEventLayout.BLOCK.place(block) | XiveEventLayout.INDEX.place(index);
    if (cachedAt[cacheSlot(source)] == source) {
      cachedEas[cacheSlot(source)] = 0;
    }
  }

  private static int cacheSlot(long source) {
    return (int) (source % CACHED);
  }

  @Override
  public final BusRead read(long offset, int bytes) {
    lock.lock();
    try {
      RegisterPorts ports = at(offset);
      return ports != null && ports.answers(offset % XiveRegisters.PAGE, bytes)
          ? BusRead.ok(ports.read(offset % XiveRegisters.PAGE, bytes))
          : BusRead.error(bytes);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public final BusOutcome write(long offset, long value, int bytes, int requester) {
    lock.lock();
    try {
      if (isPort(offset)) {
        return bytes == Long.BYTES ? event(value) : BusOutcome.ERROR;
      }
      RegisterPorts ports = at(offset);
      if (ports == null || !ports.answers(offset % XiveRegisters.PAGE, bytes)) {
        return BusOutcome.ERROR;
      }
      ports.write(offset % XiveRegisters.PAGE, value, bytes);
      return BusOutcome.OK;
    } finally {
      lock.unlock();
    }
  }

  /// The store was taken; whether an event comes of it is not told to the source.
  private BusOutcome event(long trigger) {
    try {
      long eas = assignment(trigger);
      if (EasLayout.VALID.isSet(eas) && !EasLayout.MASKED.isSet(eas)) {
        enqueue(eas);
      }
    } catch (BusErrorException nowhere) {
      return BusOutcome.OK;
    }
    return BusOutcome.OK;
  }

  private long assignment(long trigger) {
    long source =
        XiveEventLayout.BLOCK.place(XiveEventLayout.BLOCK.get(trigger))
            | XiveEventLayout.INDEX.place(XiveEventLayout.INDEX.get(trigger));
    int slot = cacheSlot(source);
    if (cachedAt[slot] == source && cachedEas[slot] != 0) {
      return cachedEas[slot];
    }
    long at =
        entry(
            vcVsd,
            generation.assignments(),
            XiveEventLayout.BLOCK.getInt(trigger),
            XiveEventLayout.INDEX.get(trigger),
            EasLayout.BYTES);
    long eas = at == 0 ? 0 : EasLayout.swapped(memory.read64(at));
    cachedAt[slot] = source;
    cachedEas[slot] = eas;
    return eas;
  }

  /// {@return the address of an entry of a table; 0 when the table has none such}
  private static long entry(long[] vsds, int table, int block, long index, int bytes) {
    long vsd = vsds[table * VsdLayout.BLOCKS + block];
    return index < VsdLayout.bytes(vsd) / bytes ? VsdLayout.ADDRESS.get(vsd) + index * bytes : 0;
  }

  private void enqueue(long eas) {
    long end =
        entry(
            vcVsd,
            VsdLayout.ENDT,
            EasLayout.END_BLOCK.getInt(eas),
            EasLayout.END_INDEX.get(eas),
            EndLayout.BYTES);
    long w0 = end == 0 ? 0 : word(end, 0);
    if (!generation.isValid(w0)) {
      return;
    }
    if (generation.enqueues(w0)) {
      append(end, w0, EasLayout.END_DATA.getInt(eas));
    }
    if (generation.notifies(w0)) {
      long w6 = word(end, 6);
      present(
          generation.targetBlock(w6),
          generation.target(w6),
          EndLayout.F0_PRIORITY.getInt(word(end, 7)));
    }
  }

  private void append(long end, long w0, int data) {
    long w1 = word(end, 1);
    long at = EndLayout.PAGE_OFF.get(w1);
    long round = EndLayout.GENERATION.get(w1);
    long w3 = word(end, 3);
    memory.write32(
        generation.queue(word(end, 2), w3) + at * XiveEventLayout.ENTRY_BYTES,
        XiveEventLayout.entry((int) round, data));
    long next = (at + 1) % (generation.queueBytes(w0, w3) / XiveEventLayout.ENTRY_BYTES);
    long flipped = next == 0 ? 1 - round : round;
    memory.write32(
        end + Integer.BYTES,
        (int)
            EndLayout.swapped(
                EndLayout.GENERATION.with(EndLayout.PAGE_OFF.with(w1, next), flipped)));
  }

  private void present(int block, int index, int priority) {
    long nvt = entry(pcVsd, VsdLayout.NVTT, block, index, generation.targetBytes());
    if (nvt == 0
        || !NvtLayout.VALID.isSet(word(nvt, 0))
        || !NvtLayout.HARDWARE.isSet(index)
        || priority >= EndLayout.PRIORITIES) {
      return;
    }
    int thread = NvtLayout.THREAD.getInt(index);
    long bit = XiveRegisters.threadBit(thread % Long.SIZE);
    if ((enabled[thread / Long.SIZE] & bit) != 0 && threads[thread].isValid()) {
      threads[thread].present(priority);
    }
  }

  private long word(long at, int index) {
    return EndLayout.swapped(memory.read32(at + (long) index * Integer.BYTES));
  }
}
