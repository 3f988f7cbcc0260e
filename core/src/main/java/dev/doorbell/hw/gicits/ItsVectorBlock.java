package dev.doorbell.hw.gicits;

import dev.doorbell.bus.BusException;
import dev.doorbell.irq.DrivenVectors;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.LpiPool;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import java.util.BitSet;

/// Vectors of one device at one ITS. Collections are numbered as CPUs are.
final class ItsVectorBlock extends DrivenVectors {
  private final ItsDriver its;
  private final ItsDeviceTable device;
  private final int[] events;
  private final LpiPool.Lease lease;

  ItsVectorBlock(
      ItsDriver its, MsiSource source, ItsDeviceTable device, int[] events, LpiPool.Lease lease) {
    super(its, source, its.lock, events.length);
    this.its = its;
    this.device = device;
    this.events = events;
    this.lease = lease;
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
  public void activate(int index, int cpu) {
    its.checkCpu(cpu);
    states.change(
        index,
        () -> {
          if (states.isActive(index)) {
            move(index, cpu);
          } else {
            map(index, cpu);
          }
        });
  }

  private void map(int index, int cpu) {
    int event = events[index];
    its.lpis().setEnabled(intid(index), !states.isMasked(index));
    try {
      its.send(cpu, mapping(index, cpu), ItsCommand.inv(device.deviceId, event));
    } catch (MsiControllerFailed | BusException e) {
      its.lpis().setEnabled(intid(index), false);
      try {
        its.send(cpu, ItsCommand.discard(device.deviceId, event));
      } catch (MsiControllerFailed | BusException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
    states.setCpu(index, cpu);
    states.setActive(index, true);
  }

  private ItsCommand mapping(int index, int cpu) {
    int event = events[index];
    return event == intid(index)
        ? ItsCommand.mapi(device.deviceId, event, cpu)
        : ItsCommand.mapti(device.deviceId, event, intid(index), cpu);
  }

  /// INV comes before DISCARD, as it needs the mapping.
  @Override
  protected void stop(int index) {
    if (!states.isActive(index)) {
      return;
    }
    int event = events[index];
    its.lpis().setEnabled(intid(index), false);
    try {
      its.send(
          states.cpu(index),
          ItsCommand.inv(device.deviceId, event),
          ItsCommand.discard(device.deviceId, event));
    } catch (MsiControllerFailed | BusException e) {
      mapAgain(index, e);
      throw e;
    }
    states.setActive(index, false);
    its.lpis().forget(intid(index));
  }

  /// Puts a vector back whose unmapping failed somewhere.
  private void mapAgain(int index, RuntimeException because) {
    int cpu = states.cpu(index);
    try {
      its.lpis().setEnabled(intid(index), !states.isMasked(index));
      its.send(cpu, mapping(index, cpu), ItsCommand.inv(device.deviceId, events[index]));
      states.setActive(index, true);
    } catch (MsiControllerFailed | BusException again) {
      because.addSuppressed(again);
    }
  }

  @Override
  public void retarget(int index, int cpu) {
    its.checkCpu(cpu);
    states.change(
        index,
        () -> {
          states.checkActive(index);
          move(index, cpu);
        });
  }

  /// Moves its vectors of a CPU to another; with the driver's lock held.
  void moveAway(int from, int to) {
    for (int i = 0; i < events.length; i++) {
      if (states.isActive(i) && states.cpu(i) == from) {
        move(i, to);
      }
    }
  }

  private void move(int index, int cpu) {
    int from = states.cpu(index);
    if (from != cpu) {
      its.send(
          cpu,
          ItsCommand.movi(device.deviceId, events[index], cpu),
          ItsCommand.inv(device.deviceId, events[index]));
      its.send(from);
      states.setCpu(index, cpu);
    }
  }

  @Override
  public void raise(int index) {
    states.change(
        index,
        () -> {
          states.checkActive(index, "raised");
          its.send(states.cpu(index), ItsCommand.raise(device.deviceId, events[index]));
        });
  }

  @Override
  public void clearPending(int index) {
    states.change(
        index,
        () -> {
          states.checkActive(index, "cleared");
          its.send(states.cpu(index), ItsCommand.clear(device.deviceId, events[index]));
          its.lpis().forget(intid(index));
        });
  }

  @Override
  protected void setMasked(int index, boolean mask) {
    states.setMasked(index, mask);
    if (states.isActive(index)) {
      its.lpis().setEnabled(intid(index), !mask);
      its.send(states.cpu(index), ItsCommand.inv(device.deviceId, events[index]));
    }
  }

  @Override
  protected void giveBack() {
    BitSet live = new BitSet();
    for (int i = 0; i < events.length; i++) {
      live.set(i, states.isActive(i));
    }
    try {
      for (int i = 0; i < events.length; i++) {
        stop(i);
      }
      its.giveBack(this, device, events);
    } catch (MsiControllerFailed | BusException e) {
      for (int i = live.nextSetBit(0); i >= 0; i = live.nextSetBit(i + 1)) {
        if (!states.isActive(i)) {
          mapAgain(i, e);
        }
      }
      throw e;
    }
    lease.release();
  }

  /// Takes what the pending tables in memory show; with the driver's lock held. CLEAR comes before the report: a message in between is
  /// pending again and not lost.
  void takePending(InterruptSink sink) {
    for (int i = 0; i < events.length; i++) {
      if (states.isActive(i)
          && !states.isMasked(i)
          && its.lpis().isPending(states.cpu(i), intid(i))) {
        its.send(states.cpu(i), ItsCommand.clear(device.deviceId, events[i]));
        sink.arrived(intid(i), states.cpu(i));
      }
    }
  }
}
