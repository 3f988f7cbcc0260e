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

/// An XIVE: takes events at its port, finds where they go in tables in memory, writes them to queues there, and tells threads.
///
/// Assignments are kept in a cache of 1024 entries until they are scrubbed; descriptors are read and written back each time. Tables lie in one piece.
/// Escalation, backlog, logical servers and the sources of the controller itself are not there. One lock: an event and a register access
/// are each one step.
public final class XiveModel implements MmioDevice {
  private static final int CACHED = 1024;

  private final PhysicalMemory memory;
  private final ReentrantLock lock = new ReentrantLock();
  private final RegisterPorts ports = new RegisterPorts(XiveRegisters.MAP);
  private final XiveThreadModel[] threads = new XiveThreadModel[XiveRegisters.MOST_THREADS];
  private final long[] enabled =
      new long[XiveRegisters.MOST_THREADS / XiveRegisters.THREADS_PER_REGISTER];
  private final long[] vcVsd = new long[VsdLayout.TABLES * VsdLayout.BLOCKS];
  private final long[] pcVsd = new long[VsdLayout.TABLES * VsdLayout.BLOCKS];
  private final long[] cachedEas = new long[CACHED];
  private final long[] cachedAt = new long[CACHED];
  private long indirect;
  private long vcSelect;
  private long pcSelect;

  public XiveModel(PhysicalMemory memory) {
    this.memory = memory;
    Arrays.setAll(threads, _ -> new XiveThreadModel());
    ports.on(XiveRegisters.INDIR0, _ -> indirect, (_, v) -> indirect = v);
    enable(XiveRegisters.EN0_SET, XiveRegisters.EN0_CLR, 0);
    enable(XiveRegisters.EN1_SET, XiveRegisters.EN1_CLR, 1);
    ports.on(XiveRegisters.VC_VSD_ADDR, _ -> vcSelect, (_, v) -> vcSelect = v);
    ports.on(
        XiveRegisters.VC_VSD_DATA, _ -> vcVsd[slot(vcSelect)], (_, v) -> vcVsd[slot(vcSelect)] = v);
    ports.on(XiveRegisters.PC_VSD_ADDR, _ -> pcSelect, (_, v) -> pcSelect = v);
    ports.on(
        XiveRegisters.PC_VSD_DATA, _ -> pcVsd[slot(pcSelect)], (_, v) -> pcVsd[slot(pcSelect)] = v);
    ports.on(XiveRegisters.IVC_SCRUB, _ -> 0, (_, v) -> scrub(v));
  }

  private void enable(Register set, Register clear, int index) {
    ports.on(set, _ -> enabled[index], (_, v) -> enabled[index] |= v);
    ports.on(clear, _ -> enabled[index], (_, v) -> enabled[index] &= ~v);
  }

  /// Tables beyond those that are kept here are written over the last one's place, which nobody reads.
  private static int slot(long select) {
    int table = Math.min(XiveRegisters.VST_SELECT.getInt(select), VsdLayout.TABLES - 1);
    return table * VsdLayout.BLOCKS + XiveRegisters.VST_BLOCK.getInt(select) % VsdLayout.BLOCKS;
  }

  private void scrub(long what) {
    long base =
        XiveEventLayout.BLOCK.place(XiveRegisters.SCRUB_BLOCK.get(what))
            | XiveEventLayout.INDEX.place(XiveRegisters.SCRUB_OFFSET.get(what));
    if (cachedAt[cacheSlot(base)] == base) {
      cachedEas[cacheSlot(base)] = 0;
    }
  }

  private static int cacheSlot(long source) {
    return (int) (source % CACHED);
  }

  @Override
  public BusRead read(long offset, int bytes) {
    lock.lock();
    try {
      if (offset < XiveRegisters.PAGE) {
        return read(ports, offset, bytes);
      }
      XiveThreadModel thread = thread(offset);
      return thread == null
          ? BusRead.error(bytes)
          : read(thread.ports(), offset % XiveRegisters.PAGE, bytes);
    } finally {
      lock.unlock();
    }
  }

  private static BusRead read(RegisterPorts ports, long offset, int bytes) {
    return ports.answers(offset, bytes)
        ? BusRead.ok(ports.read(offset, bytes))
        : BusRead.error(bytes);
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    lock.lock();
    try {
      if (offset < XiveRegisters.PAGE) {
        return write(ports, offset, value, bytes);
      }
      if (offset < XiveRegisters.NOTIFY + XiveRegisters.PAGE) {
        return bytes == Long.BYTES ? event(value) : BusOutcome.ERROR;
      }
      XiveThreadModel thread = thread(offset);
      return thread == null
          ? BusOutcome.ERROR
          : write(thread.ports(), offset % XiveRegisters.PAGE, value, bytes);
    } finally {
      lock.unlock();
    }
  }

  private static BusOutcome write(RegisterPorts ports, long offset, long value, int bytes) {
    if (!ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    ports.write(offset, value, bytes);
    return BusOutcome.OK;
  }

  /// {@return the thread whose context is at an offset; null when there is none}
  private @Nullable XiveThreadModel thread(long offset) {
    return offset >= XiveRegisters.INDIRECT && XiveRegisters.INDIR_VALID.isSet(indirect)
        ? threads[XiveRegisters.INDIR_THRDID.getInt(indirect)]
        : null;
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
            VsdLayout.EAT,
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
    if (!EndLayout.VALID.isSet(w0)) {
      return;
    }
    if (EndLayout.ENQUEUE.isSet(w0)) {
      append(end, w0, EasLayout.END_DATA.get(eas));
    }
    if (EndLayout.UCOND_NOTIFY.isSet(w0)) {
      long w6 = word(end, 6);
      present(
          EndLayout.NVT_BLOCK.getInt(w6),
          EndLayout.NVT_INDEX.getInt(w6),
          EndLayout.F0_PRIORITY.getInt(word(end, 7)));
    }
  }

  private void append(long end, long w0, long data) {
    long w1 = word(end, 1);
    long at = EndLayout.PAGE_OFF.get(w1);
    long generation = EndLayout.GENERATION.get(w1);
    long entry = EndLayout.ENTRY_GENERATION.place(generation) | EndLayout.ENTRY_DATA.place(data);
    memory.write32(
        EndLayout.queue(word(end, 2), word(end, 3)) + at * EndLayout.ENTRY_BYTES,
        (int) EndLayout.swapped(entry));
    long next = (at + 1) % (EndLayout.queueBytes(w0) / EndLayout.ENTRY_BYTES);
    long flipped = next == 0 ? 1 - generation : generation;
    memory.write32(
        end + Integer.BYTES,
        (int)
            EndLayout.swapped(
                EndLayout.GENERATION.with(EndLayout.PAGE_OFF.with(w1, next), flipped)));
  }

  private void present(int block, int index, int priority) {
    long nvt = entry(pcVsd, VsdLayout.NVTT, block, index, NvtLayout.BYTES);
    if (nvt == 0
        || !NvtLayout.VALID.isSet(word(nvt, 0))
        || !NvtLayout.HARDWARE.isSet(index)
        || priority >= EndLayout.PRIORITIES) {
      return;
    }
    int thread = NvtLayout.THREAD.getInt(index);
    long bit = XiveRegisters.threadBit(thread % XiveRegisters.THREADS_PER_REGISTER);
    if ((enabled[thread / XiveRegisters.THREADS_PER_REGISTER] & bit) != 0
        && threads[thread].isValid()) {
      threads[thread].present(priority);
    }
  }

  private long word(long at, int index) {
    return EndLayout.swapped(memory.read32(at + (long) index * Integer.BYTES));
  }
}
