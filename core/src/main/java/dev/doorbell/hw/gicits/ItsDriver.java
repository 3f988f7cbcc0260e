package dev.doorbell.hw.gicits;

import static dev.doorbell.hw.gicits.GitsRegisters.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.ArrivedInterrupts;
import dev.doorbell.irq.DeviceIdOutOfRange;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.LpiPool;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/// Drives an ITS: tables, command queue, one collection a CPU, one translation table a DeviceID.
///
/// A vector's datum is its EventID. A message is looked up by the DeviceID that the interconnect attaches, so that a device reaches its own
/// events alone. LPIs come from the GIC's driver. One lock serialises all changes; the blocks' look-ups take none.
///
/// **Source**: IHI 0069 H, 5.
public final class ItsDriver implements MsiController {
  /// Events that a new DeviceID's table has at least: what one MSI-X function can use, so that further functions behind the same alias
  /// and later allocations fit without replacing a table in use.
  private static final int USUAL_EVENT_BITS = 11;

  private static final int MOST_EVENT_BITS = 20;

  final ReentrantLock lock = new ReentrantLock();
  private final ItsHardware hardware;
  private final LpiPool lpis;
  private final ItsCommandQueue queue;
  private final ItsTableDriver deviceTable;
  private final Source eventLimit;
  private final int eventBits;
  private final int ittEntryBytes;
  private final long[] targets;
  private final Map<Integer, ItsDeviceTable> devices = new HashMap<>();
  private final List<ItsVectorBlock> blocks = new ArrayList<>();
  private final ArrivedInterrupts arrived = new ArrivedInterrupts();

  ItsDriver(ItsBringUp up, LpiPool lpis) {
    hardware = up.hardware();
    this.lpis = lpis;
    queue = up.queue();
    deviceTable = up.deviceTable();
    targets = up.targets();
    long typer = up.typer();
    eventBits = Math.min(ID_BITS.getInt(typer) + 1, MOST_EVENT_BITS);
    ittEntryBytes = ITT_ENTRY_SIZE.getInt(typer) + 1;
    eventLimit = Source.rule("GITS_TYPER.ID_bits of " + hardware.id());
  }

  /// {@return a driver of an ITS that has been initialised}
  ///
  /// @throws dev.doorbell.irq.MsiControllerFailed when it is no ITS for physical LPIs, or does not answer as promised
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for its tables
  public static ItsDriver open(ItsHardware hardware, LpiPool lpis) {
    return new ItsDriver(ItsBringUp.run(hardware, lpis), lpis);
  }

  @Override
  public String id() {
    return hardware.id();
  }

  /// {@return true: a message is looked up by DeviceID}
  @Override
  public boolean isolated() {
    return true;
  }

  @Override
  public int vectorsFree() {
    return Math.min(1 << eventBits, lpis.free());
  }

  /// {@return CPUs that vectors can be routed to, from 0}
  public int cpus() {
    return targets.length;
  }

  /// {@return DeviceIDs that the device table holds, from 0}
  public long deviceIds() {
    return deviceTable.ids();
  }

  @Override
  public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
    if (count <= 0 || (contiguous && Integer.bitCount(count) != 1)) {
      throw new IllegalArgumentException(
          "%s asks for %d vectors (contiguous: %b)".formatted(source.name(), count, contiguous));
    }
    return allocate(
        source, count, _ -> count, (device, _) -> events(source, device, count, contiguous));
  }

  /// Takes vectors whose data are the numbers of their LPIs (MAPI), for functions that are programmed by somebody who knows interrupts and no events. The
  /// DeviceID's translation table has an entry for each number up to the LPIs', which is some thousand times what {@link #allocate} needs.
  ///
  /// @param count how many, above 0
  /// @throws VectorsExhausted when there are fewer, or the DeviceID's table ends before the LPIs; nothing is taken then
  public VectorBlock allocateByIntid(MsiSource source, int count) {
    if (count <= 0) {
      throw new IllegalArgumentException("%s asks for %d vectors".formatted(source.name(), count));
    }
    return allocate(
        source,
        count,
        lease -> {
          int last = Arrays.stream(intids(lease)).max().orElseThrow();
          if (last >>> eventBits != 0) {
            throw new VectorsExhausted(source, id(), count, 0, eventLimit);
          }
          return last + 1;
        },
        (device, lease) -> {
          int[] intids = intids(lease);
          int free = device.firstTaken(intids);
          if (free < count) {
            throw new VectorsExhausted(
                source,
                id(),
                count,
                free,
                Source.rule(
                    "the translation table of DeviceID 0x%x, which has %d events"
                        .formatted(source.deviceId(), 1 << device.eventBits)));
          }
          return intids;
        });
  }

  private static int[] intids(LpiPool.Lease lease) {
    return IntStream.range(0, lease.count()).map(lease::intid).toArray();
  }

  /// @param room how many events a new table of the DeviceID must have
  /// @param events chooses those of the vectors
  private VectorBlock allocate(
      MsiSource source,
      int count,
      ToIntFunction<LpiPool.Lease> room,
      BiFunction<ItsDeviceTable, LpiPool.Lease, int[]> events) {
    lock.lock();
    try (Rollback rollback = new Rollback()) {
      checkDeviceId(source);
      checkEvents(source, count);
      Optional<LpiPool.Lease> lease = lpis.allocate(id(), count);
      if (lease.isEmpty()) {
        throw new VectorsExhausted(
            source,
            id(),
            count,
            lpis.free(),
            Source.rule("GICD_TYPER.IDbits (%d used)".formatted(lpis.idBits())));
      }
      rollback.add(lease.get()::release);
      ItsDeviceTable device = devices.get(source.deviceId());
      if (device == null) {
        device = mapDevice(source.deviceId(), room.applyAsInt(lease.get()));
      }
      int[] chosen = events.apply(device, lease.get());
      device.take(chosen);
      devices.put(source.deviceId(), device);
      ItsVectorBlock block = new ItsVectorBlock(this, source, device, chosen, lease.get());
      blocks.add(block);
      rollback.commit();
      return block;
    } finally {
      lock.unlock();
    }
  }

  private void checkDeviceId(MsiSource source) {
    if (Integer.toUnsignedLong(source.deviceId()) >= deviceTable.ids()) {
      throw new DeviceIdOutOfRange(
          source, id(), deviceTable.ids(), Source.rule("GITS_TYPER.Devbits of " + id()));
    }
  }

  private void checkEvents(MsiSource source, int count) {
    ItsDeviceTable device = devices.get(source.deviceId());
    int free = device == null ? 1 << eventBits : device.free();
    if (count > free) {
      throw new VectorsExhausted(source, id(), count, free, eventLimit);
    }
  }

  private int[] events(MsiSource source, ItsDeviceTable device, int count, boolean contiguous) {
    int[] events = new int[count];
    int run = device.findRun(count, contiguous ? count : 1);
    if (run < 0 && contiguous) {
      throw new VectorsExhausted(source, id(), count, largestRun(device, count), eventLimit);
    }
    int next = run < 0 ? 0 : run;
    for (int i = 0; i < count; i++) {
      events[i] = device.nextFree(next);
      next = events[i] + 1;
    }
    return events;
  }

  private static int largestRun(ItsDeviceTable device, int below) {
    int size = below;
    while (size > 0 && device.findRun(size, size) < 0) {
      size /= 2;
    }
    return size;
  }

  private ItsDeviceTable mapDevice(int deviceId, int count) {
    int bits =
        Math.min(
            eventBits,
            Math.max(USUAL_EVENT_BITS, Integer.SIZE - Integer.numberOfLeadingZeros(count - 1)));
    long bytes = Math.max(ItsDeviceTable.ALIGNMENT, (long) ittEntryBytes << bits);
    Pa itt = hardware.frames().allocate(bytes, ItsDeviceTable.ALIGNMENT);
    boolean mapped = false;
    try {
      deviceTable.provide(Integer.toUnsignedLong(deviceId));
      hardware.memory().publish();
      queue.sendAndSync(targets[0], ItsCommand.mapd(deviceId, bits, itt.value()));
      mapped = true;
    } finally {
      if (!mapped) {
        hardware.frames().free(itt, bytes);
      }
    }
    return new ItsDeviceTable(deviceId, bits, itt, bytes);
  }

  @Override
  public int collect(InterruptSink sink) {
    if (lpis.acknowledges()) {
      return lpis.collect(id(), sink);
    }
    ArrivedInterrupts.Round round = arrived.begin();
    lock.lock();
    try {
      for (ItsVectorBlock block : blocks) {
        block.takePending(round);
      }
    } finally {
      lock.unlock();
    }
    return round.deliver(sink);
  }

  /// Moves every active vector of a CPU to another, with what is pending for it, as for a CPU that is about to stop. Their messages stay what
  /// they are, and none that is on its way is lost.
  ///
  /// MOVALL takes along whatever else is pending there. It concerns all ITSes of a GIC at once, which is why they come together. No vector may
  /// be activated for that CPU, or moved to it, meanwhile. When it throws, each vector is at the one or at the other CPU, and {@link
  /// VectorBlock#cpu} tells which.
  ///
  /// @param ofOneGic every ITS whose LPIs arrive at the same Redistributors
  /// @throws IllegalArgumentException when one of them has no such CPU; nothing is moved
  /// @throws dev.doorbell.irq.MsiControllerFailed when one of them stalls
  public static void evacuate(List<ItsDriver> ofOneGic, int from, int to) {
    for (ItsDriver its : ofOneGic) {
      its.checkCpu(from);
      its.checkCpu(to);
    }
    if (from == to) {
      return;
    }
    ofOneGic.forEach(its -> its.moveVectors(from, to));
    for (ItsDriver its : ofOneGic.subList(0, Math.min(1, ofOneGic.size()))) {
      its.moveAll(from, to);
    }
  }

  private void moveVectors(int from, int to) {
    lock.lock();
    try {
      blocks.forEach(block -> block.moveAway(from, to));
    } finally {
      lock.unlock();
    }
  }

  private void moveAll(int from, int to) {
    lock.lock();
    try {
      queue.sendAndSync(targets[to], ItsCommand.movall(targets[from], targets[to]));
    } finally {
      lock.unlock();
    }
  }

  long doorbell() {
    return hardware.base() + TRANSLATER.offset();
  }

  LpiPool lpis() {
    return lpis;
  }

  /// Sends commands about a vector, then SYNC for the CPU that they concern; with the lock held.
  void send(int cpu, ItsCommand... commands) {
    queue.sendAndSync(targets[cpu], commands);
  }

  void checkCpu(int cpu) {
    if (cpu < 0 || cpu >= targets.length) {
      throw new IllegalArgumentException(
          "%s has CPUs 0 to %d and not %d".formatted(id(), targets.length - 1, cpu));
    }
  }

  /// Takes a block back, whose vectors are inactive; with the lock held.
  void giveBack(ItsVectorBlock block, ItsDeviceTable device, int[] events) {
    device.giveBack(events);
    if (device.isUnused()) {
      try {
        queue.sendAndSync(targets[0], ItsCommand.unmapd(device.deviceId));
      } catch (MsiControllerFailed | BusException e) {
        device.take(events);
        mapDeviceAgain(device, e);
        throw e;
      }
      devices.remove(device.deviceId);
      hardware.frames().free(device.itt, device.ittBytes);
    }
    blocks.remove(block);
  }

  /// Puts a device's table back whose unmapping failed somewhere. Its events are unmapped.
  private void mapDeviceAgain(ItsDeviceTable device, RuntimeException because) {
    try {
      queue.sendAndSync(
          targets[0], ItsCommand.mapd(device.deviceId, device.eventBits, device.itt.value()));
    } catch (MsiControllerFailed | BusException again) {
      because.addSuppressed(again);
    }
  }
}
