package dev.doorbell.hw.gicits;

import dev.doorbell.bus.BusException;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.LpiPool;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// Vectors of one device at one ITS. Collections are numbered as CPUs are.
final class ItsVectorBlock implements VectorBlock {
  private final ItsDriver its;
  private final MsiSource source;
  private final ItsDeviceTable device;
  private final int[] events;
  private final LpiPool.Lease lease;
  private final boolean[] active;
  private final boolean[] masked;
  private final AtomicIntegerArray cpus;
  private boolean freed;

  ItsVectorBlock(
      ItsDriver its, MsiSource source, ItsDeviceTable device, int[] events, LpiPool.Lease lease) {
    this.its = its;
    this.source = source;
    this.device = device;
    this.events = events;
    this.lease = lease;
    active = new boolean[events.length];
    masked = new boolean[events.length];
    cpus = new AtomicIntegerArray(events.length);
  }

  @Override
  public MsiController controller() {
    return its;
  }

  @Override
  public int count() {
    return events.length;
  }

  @Override
  public long doorbell(int index) {
    return its.doorbell();
  }

  @Override
  public int data(int index) {
    return events[index];
  }

  @Override
  public int intid(int index) {
    return lease.intid(index);
  }

  @Override
  public int cpu(int index) {
    return cpus.get(index);
  }

  @Override
  public void activate(int index, int cpu) {
    its.checkCpu(cpu);
    change(
        index,
        () -> {
          if (active[index]) {
            move(index, cpu);
          } else {
            map(index, cpu);
          }
        });
  }

  private void map(int index, int cpu) {
    int event = events[index];
    its.lpis().setEnabled(intid(index), !masked[index]);
    try {
      its.send(
          cpu,
          ItsCommand.mapti(device.deviceId, event, intid(index), cpu),
          ItsCommand.inv(device.deviceId, event));
    } catch (MsiControllerFailed | BusException e) {
      its.lpis().setEnabled(intid(index), false);
      try {
        its.send(cpu, ItsCommand.discard(device.deviceId, event));
      } catch (MsiControllerFailed | BusException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
    cpus.set(index, cpu);
    active[index] = true;
  }

  @Override
  public void deactivate(int index) {
    change(index, () -> unmap(index));
  }

  /// INV comes before DISCARD, as it needs the mapping.
  private void unmap(int index) {
    if (!active[index]) {
      return;
    }
    int event = events[index];
    its.lpis().setEnabled(intid(index), false);
    try {
      its.send(
          cpus.get(index),
          ItsCommand.inv(device.deviceId, event),
          ItsCommand.discard(device.deviceId, event));
    } catch (MsiControllerFailed | BusException e) {
      mapAgain(index, e);
      throw e;
    }
    active[index] = false;
    its.lpis().forget(intid(index));
  }

  /// Puts a vector back whose unmapping failed somewhere.
  private void mapAgain(int index, RuntimeException because) {
    int cpu = cpus.get(index);
    try {
      its.lpis().setEnabled(intid(index), !masked[index]);
      its.send(
          cpu,
          ItsCommand.mapti(device.deviceId, events[index], intid(index), cpu),
          ItsCommand.inv(device.deviceId, events[index]));
      active[index] = true;
    } catch (MsiControllerFailed | BusException again) {
      because.addSuppressed(again);
    }
  }

  @Override
  public void retarget(int index, int cpu) {
    its.checkCpu(cpu);
    change(
        index,
        () -> {
          if (!active[index]) {
            throw new IllegalStateException(name(index) + " is not active and cannot be moved");
          }
          move(index, cpu);
        });
  }

  private void move(int index, int cpu) {
    int from = cpus.get(index);
    if (from != cpu) {
      its.send(
          cpu,
          ItsCommand.movi(device.deviceId, events[index], cpu),
          ItsCommand.inv(device.deviceId, events[index]));
      its.send(from);
      cpus.set(index, cpu);
    }
  }

  @Override
  public void mask(int index) {
    change(index, () -> setMasked(index, true));
  }

  @Override
  public void unmask(int index) {
    change(index, () -> setMasked(index, false));
  }

  private void setMasked(int index, boolean mask) {
    masked[index] = mask;
    if (active[index]) {
      its.lpis().setEnabled(intid(index), !mask);
      its.send(cpus.get(index), ItsCommand.inv(device.deviceId, events[index]));
    }
  }

  @Override
  public void free() {
    its.lock.lock();
    try {
      if (freed) {
        return;
      }
      boolean[] live = active.clone();
      try {
        for (int i = 0; i < events.length; i++) {
          unmap(i);
        }
        its.giveBack(this, device, events);
      } catch (MsiControllerFailed | BusException e) {
        for (int i = 0; i < events.length; i++) {
          if (live[i] && !active[i]) {
            mapAgain(i, e);
          }
        }
        throw e;
      }
      freed = true;
      lease.release();
    } finally {
      its.lock.unlock();
    }
  }

  /// Takes what the pending tables in memory show; with the driver's lock held. CLEAR comes before the report: a message in between is
  /// pending again and not lost.
  void takePending(InterruptSink sink) {
    for (int i = 0; i < events.length; i++) {
      if (active[i] && !masked[i] && its.lpis().isPending(cpus.get(i), intid(i))) {
        its.send(cpus.get(i), ItsCommand.clear(device.deviceId, events[i]));
        sink.arrived(intid(i), cpus.get(i));
      }
    }
  }

  private void change(int index, Runnable action) {
    if (index < 0 || index >= events.length) {
      throw new IndexOutOfBoundsException(
          "%s has %d vectors and no vector %d".formatted(source.name(), events.length, index));
    }
    its.lock.lock();
    try {
      if (freed) {
        throw new IllegalStateException(
            "vectors of " + source.name() + " at " + its.id() + " have been freed");
      }
      action.run();
    } finally {
      its.lock.unlock();
    }
  }

  private String name(int index) {
    return "vector %d of %s at %s".formatted(index, source.name(), its.id());
  }
}
