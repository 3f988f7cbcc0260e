package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.Field;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The command queue: what goes in is complete when {@link #run} returns. Safe for use from many threads.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.1, 6.5 to 6.7, 6.12.
final class CommandIssuer {
  /// One page.
  private static final int LOG2 = 8;

  private static final int ENTRIES = 1 << LOG2;
  private static final int MOST_RETRIES = 4;

  private final RiscvIommuPort port;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final Pa base;
  private final ReentrantLock lock = new ReentrantLock();
  private int tail;

  private CommandIssuer(RiscvIommuPort port, PhysicalMemory memory, Frames frames) {
    this.port = port;
    this.memory = memory;
    this.frames = frames;
    this.base = frames.allocate(bytes(), bytes());
  }

  /// {@return an empty queue}
  static CommandIssuer create(RiscvIommuPort port, PhysicalMemory memory, Frames frames) {
    return new CommandIssuer(port, memory, frames);
  }

  /// Tells the hardware where the queue is, and turns it on. It must be off.
  void start() {
    tail = 0;
    port.write(CQB, LOG2SZ.place(LOG2 - 1) | BASE_PPN.place(DirectoryLayout.ppn(base.value())));
    port.write(CQT, 0);
    port.write(CQCSR, CQEN.mask());
    port.await(CQCSR, "cqcsr.cqon", v -> CQON.isSet(v) && !CQ_BUSY.isSet(v));
  }

  /// Turns the queue off.
  static void stop(RiscvIommuPort port) {
    port.await(CQCSR, "cqcsr.busy = 0", v -> !CQ_BUSY.isSet(v));
    port.write(CQCSR, 0);
    port.await(CQCSR, "cqcsr.cqon = 0", v -> !CQON.isSet(v) && !CQ_BUSY.isSet(v));
  }

  /// Has commands executed and waits for their completion, and for that of devices' accesses which began before.
  ///
  /// @throws RiscvIommuCommandRefused when one was not executed; those before and after it are done
  /// @throws RiscvIommuTimeout when the hardware stops consuming
  void run(List<RiscvIommuCommand> commands) {
    lock.lock();
    try {
      for (RiscvIommuCommand c : commands) {
        put(c);
      }
      put(RiscvIommuCommand.fence());
      kick();
      await(0);
    } finally {
      lock.unlock();
    }
  }

  /// Gives the queue's memory back. The queue must be off.
  void free() {
    frames.free(base, bytes());
  }

  private void put(RiscvIommuCommand command) {
    if (fill() == ENTRIES - 1) {
      kick();
      await(ENTRIES / 2);
    }
    write(tail, command);
    tail = (tail + 1) % ENTRIES;
  }

  private void kick() {
    memory.publish();
    port.write(CQT, tail);
  }

  /// Waits until at most so many commands are left.
  private void await(int most) {
    RiscvIommuCommandRefused refused = null;
    int retries = 0;
    for (int i = 0; i < port.polls(); i++) {
      long csr = port.read(CQCSR);
      Field error = error(csr);
      if (error != null) {
        boolean again = !error.equals(CMD_ILL) && ++retries <= MOST_RETRIES;
        RiscvIommuCommandRefused now = recover(error, again);
        refused = again || refused != null ? refused : now;
        continue;
      }
      if (fill() <= most) {
        if (refused != null) {
          throw refused;
        }
        return;
      }
      Thread.onSpinWait();
    }
    throw new RiscvIommuTimeout(
        port.id(), "cqh reaching 0x%x".formatted(tail), port.read(CQH), port.polls());
  }

  private static @Nullable Field error(long csr) {
    for (Field f : List.of(CMD_ILL, CQMF, CMD_TO)) {
      if (f.isSet(csr)) {
        return f;
      }
    }
    return null;
  }

  /// Lets the hardware go on: with the same command, or with a fence in its place.
  private RiscvIommuCommandRefused recover(Field error, boolean again) {
    int at = INDEX.getInt(port.read(CQH)) % ENTRIES;
    long entry = base.value() + (long) at * CommandLayout.BYTES;
    RiscvIommuCommand found =
        new RiscvIommuCommand(memory.read64(entry), memory.read64(entry + Long.BYTES));
    if (!again) {
      write(at, RiscvIommuCommand.fence());
      memory.publish();
    }
    port.write(CQCSR, CQEN.mask() | error.mask());
    return new RiscvIommuCommandRefused(port.id(), found, error.name(), at);
  }

  private void write(int index, RiscvIommuCommand command) {
    long entry = base.value() + (long) index * CommandLayout.BYTES;
    memory.write64(entry, command.first());
    memory.write64(entry + Long.BYTES, command.second());
  }

  /// {@return commands that the hardware has not consumed yet}
  private int fill() {
    return Math.floorMod(tail - INDEX.getInt(port.read(CQH)), ENTRIES);
  }

  private static long bytes() {
    return (long) CommandLayout.BYTES << LOG2;
  }
}
