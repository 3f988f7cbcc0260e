package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.BusException;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.VectorsExhausted;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/// The interrupt remapping tables of one IOMMU, one for each device id that has interrupts. A table appears with the first entry that is taken of
/// it and goes with the last.
///
/// **Source** 48882 revision 3.09, 2.2.5 Interrupt Remapping Tables.
final class InterruptTables {
  private static final long LAST_XAPIC_ID = 0xfe;
  private static final long LAST_X2APIC_ID = 0xffff_fffeL;

  private final String id;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final boolean wide;
  private final boolean x2apic;
  private final DeviceTable devices;
  private final CommandPoster commands;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, InterruptTable> tables = new TreeMap<>();
  private final Optional<GuestApics> guests;

  InterruptTables(String id, PhysicalMemory memory, Frames frames, AmdViStart start) {
    this.id = id;
    this.memory = memory;
    this.frames = frames;
    this.wide = start.wide();
    this.x2apic = start.x2apic();
    this.devices = start.devices();
    this.commands = start.commands();
    this.guests = start.logs().guests().map(log -> new GuestApics(id, memory, frames, log, lock));
  }

  /// {@return the guests' processors that entries can post to; empty where the IOMMU posts nothing}
  Optional<GuestApics> guests() {
    return guests;
  }

  long lastDestination() {
    return x2apic ? LAST_X2APIC_ID : LAST_XAPIC_ID;
  }

  /// {@return devices that have interrupts}
  Set<Integer> devices() {
    lock.lock();
    try {
      return new TreeSet<>(tables.keySet());
    } finally {
      lock.unlock();
    }
  }

  RemapEntries allocate(MsiSource source, int count, boolean contiguous) {
    if (count <= 0 || (contiguous && Integer.bitCount(count) != 1)) {
      throw new IllegalArgumentException(
          "%s asks %s for %d entries (contiguous: %b)"
              .formatted(source.name(), id, count, contiguous));
    }
    lock.lock();
    try {
      InterruptTable table = tables.get(source.deviceId());
      int free = table == null ? InterruptTable.ENTRIES : table.largest(contiguous);
      if (free < count) {
        throw new VectorsExhausted(source, id, count, free, InterruptTable.LIMIT);
      }
      if (table == null) {
        table = open(source.deviceId());
      }
      return new InterruptEntriesBlock(this, table, table.take(count, contiguous));
    } finally {
      lock.unlock();
    }
  }

  private InterruptTable open(int device) {
    InterruptTable table = InterruptTable.create(device, wide, memory, frames);
    long before = devices.interrupts(device);
    try {
      devices.writeInterrupts(device, table.entry(before));
      forgetDevice(device);
    } catch (RuntimeException failed) {
      if (restored(device, before, failed)) {
        table.free();
      }
      throw failed;
    }
    tables.put(device, table);
    return table;
  }

  /// {@return whether a device's entry says again what it said, and the IOMMU knows}
  private boolean restored(int device, long before, RuntimeException because) {
    try {
      devices.writeInterrupts(device, before);
      forgetDevice(device);
      return true;
    } catch (RuntimeException again) {
      because.addSuppressed(again);
      return false;
    }
  }

  /// Changes one entry; when the IOMMU cannot be made to forget the former one, that one comes back.
  void change(InterruptTable table, int index, InterruptTable.Entry next) {
    lock.lock();
    try {
      exchange(table, index, next);
      guests.ifPresent(g -> g.ends(new GuestApic.Place(table, index)));
    } finally {
      lock.unlock();
    }
  }

  /// Lets an entry post to a guest's processor.
  ///
  /// @throws IllegalArgumentException when the descriptor is none of this IOMMU's
  void post(InterruptTable table, int index, PostedInterrupt to) {
    lock.lock();
    try {
      GuestApics all = guests.orElseThrow();
      GuestApic guest = all.at(to);
      exchange(table, index, guest.entry(to.vector()));
      all.posts(new GuestApic.Place(table, index), guest, to.vector());
    } finally {
      lock.unlock();
    }
  }

  private void exchange(InterruptTable table, int index, InterruptTable.Entry next) {
    InterruptTable.Entry before = table.read(index);
    if (next.equals(before)) {
      return;
    }
    try {
      table.write(index, next, () -> forgetEntries(table.device()));
    } catch (RuntimeException failed) {
      try {
        table.write(index, before, () -> forgetEntries(table.device()));
      } catch (RuntimeException again) {
        failed.addSuppressed(again);
      }
      throw failed;
    }
  }

  /// Gives entries back, which are off; the table goes with the last.
  void giveBack(InterruptTable table, int[] indexes) {
    lock.lock();
    try {
      if (table.isLast(indexes)) {
        close(table);
      }
      table.release(indexes);
    } finally {
      lock.unlock();
    }
  }

  private void close(InterruptTable table) {
    long before = devices.interrupts(table.device());
    try {
      devices.writeInterrupts(table.device(), DeviceTable.NO_INTERRUPTS);
      forgetDevice(table.device());
    } catch (RuntimeException failed) {
      restored(table.device(), before, failed);
      throw failed;
    }
    tables.remove(table.device());
    table.free();
  }

  private void forgetDevice(int device) {
    run(List.of(AmdViCommand.device(device), AmdViCommand.interrupts(device)));
  }

  private void forgetEntries(int device) {
    run(List.of(AmdViCommand.interrupts(device)));
  }

  private void run(List<AmdViCommand> batch) {
    try {
      commands.run(batch);
    } catch (AmdViException | BusException failed) {
      MsiControllerFailed told =
          new MsiControllerFailed(
              id,
              "did not take an invalidation of interrupts: " + failed.getMessage(),
              Source.rule("the command buffer, 48882 2.4"));
      told.initCause(failed);
      throw told;
    }
  }
}
