package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// The command queue: what goes in is complete when {@link #run} returns. Safe for use from many threads.
///
/// Completion is told by SMMU_CMDQ_CONS, or by a CMD_SYNC that writes a number to memory ({@link #waitInMemory}): each has its own, so that an older
/// one cannot be taken for it. When that write fails (GERROR.MSI_CMDQ_ABT_ERR) the register tells from then on.
///
/// **Source** IHI 0070 G.b, 3.5.1 (queues), 4.1 (commands), 7.1 (command errors), 6.3.26 SMMU_CMDQ_BASE to 6.3.28 SMMU_CMDQ_CONS.
final class CommandIssuer {
  private static final int MOST_FETCH_RETRIES = 4;
  private static final long SIGNAL_BYTES = 64;

  private final SmmuPort port;
  private final GlobalErrors errors;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final int log2;
  private final Pa base;
  private final ReentrantLock lock = new ReentrantLock();
  private int prod;
  private Optional<Pa> signal = Optional.empty();
  private boolean signals;
  private int signalled;

  private CommandIssuer(
      SmmuPort port, GlobalErrors errors, PhysicalMemory memory, Frames frames, int log2) {
    this.port = port;
    this.errors = errors;
    this.memory = memory;
    this.frames = frames;
    this.log2 = log2;
    this.base = frames.allocate(bytes(log2), bytes(log2));
  }

  /// {@return an empty queue of 2^log2 entries}
  static CommandIssuer create(
      SmmuPort port, GlobalErrors errors, PhysicalMemory memory, Frames frames, int log2) {
    return new CommandIssuer(port, errors, memory, frames, log2);
  }

  /// From now on a completion is waited for in memory, where the SMMU writes it, and not by reading its register.
  void waitInMemory() {
    Pa word = frames.allocate(SIGNAL_BYTES, SIGNAL_BYTES);
    memory.write32(word.value(), signalled);
    signal = Optional.of(word);
    signals = true;
  }

  /// Tells the hardware where the queue is. The queue must be disabled.
  void program() {
    port.write(
        SmmuRegisters.CMDQ_BASE,
        SmmuRegisters.CMDQ_BASE_ADDR.place(base.value())
            | SmmuRegisters.CMDQ_BASE_LOG2SIZE.place(log2)
            | SmmuRegisters.CMDQ_BASE_RA.place(1));
    prod = 0;
    port.write(SmmuRegisters.CMDQ_PROD, 0);
    port.write(SmmuRegisters.CMDQ_CONS, 0);
  }

  /// Has commands executed and waits for their completion.
  ///
  /// @throws SmmuCommandException when one was refused; those before and after it are done
  /// @throws SmmuTimeoutException when the hardware stops consuming
  void run(List<SmmuCommand> commands) {
    lock.lock();
    try {
      for (SmmuCommand command : commands) {
        put(command);
      }
      put(signals ? SmmuCommand.sync(signal.orElseThrow(), ++signalled) : SmmuCommand.sync());
      kick();
      await(0);
    } finally {
      lock.unlock();
    }
  }

  /// Gives the queue's memory back. The queue must be disabled.
  void free() {
    frames.free(base, bytes(log2));
    signal.ifPresent(word -> frames.free(word, SIGNAL_BYTES));
  }

  private void put(SmmuCommand command) {
    if (fill() == 1 << log2) {
      kick();
      await((1 << log2) - 1);
    }
    write(index(prod), command);
    prod = next(prod);
  }

  private void kick() {
    memory.publish();
    port.write(SmmuRegisters.CMDQ_PROD, prod);
  }

  /// Waits until at most so many commands are left.
  private void await(int most) {
    SmmuCommandException refused = null;
    int retries = 0;
    for (int i = 0; i < port.polls(); i++) {
      if (SmmuRegisters.GERROR_CMDQ_ERR.isSet(errors.active())) {
        SmmuCommandException error = recover();
        boolean fetch = error.error().equals(errorName(SmmuRegisters.CERROR_ABT));
        if (fetch && ++retries > MOST_FETCH_RETRIES) {
          throw error;
        }
        refused = fetch || refused != null ? refused : error;
        continue;
      }
      // Where a command was refused it may have been the one that was to tell.
      boolean told = most == 0 && signals && refused == null && !isSignalLost();
      if (told ? memory.read32(signal.orElseThrow().value()) == signalled : fill() <= most) {
        if (refused != null) {
          throw refused;
        }
        return;
      }
      Thread.onSpinWait();
    }
    throw new SmmuTimeoutException(
        port.id(),
        "SMMU_CMDQ_CONS reaching 0x%x".formatted(prod),
        port.read(SmmuRegisters.CMDQ_CONS),
        port.polls());
  }

  /// {@return whether the SMMU could not write a completion; from then on its register tells}
  private boolean isSignalLost() {
    if (SmmuRegisters.GERROR_MSI_CMDQ_ABT_ERR.isSet(errors.active())) {
      errors.acknowledge(SmmuRegisters.GERROR_MSI_CMDQ_ABT_ERR.mask());
      signals = false;
    }
    return !signals;
  }

  /// Takes the refused command out of the way and lets the hardware go on. A fetch that was aborted is tried again.
  private SmmuCommandException recover() {
    long cons = port.read(SmmuRegisters.CMDQ_CONS);
    int error = SmmuRegisters.CMDQ_CONS_ERR.getInt(cons);
    int at = index(SmmuRegisters.CMDQ_CONS_RD.getInt(cons));
    long entry = base.value() + (long) at * CommandLayout.BYTES;
    SmmuCommand found = new SmmuCommand(memory.read64(entry), memory.read64(entry + Long.BYTES));
    if (error != SmmuRegisters.CERROR_ABT && error != SmmuRegisters.CERROR_ATC_INV_SYNC) {
      write(at, SmmuCommand.sync());
      memory.publish();
    }
    errors.acknowledge(SmmuRegisters.GERROR_CMDQ_ERR.mask());
    return new SmmuCommandException(port.id(), found.name(), found, at, errorName(error));
  }

  private static String errorName(int error) {
    String name = SmmuRegisters.CMDQ_CONS_ERR.names().nameOf(error);
    return name.isEmpty() ? "command error " + error : name;
  }

  private void write(int index, SmmuCommand command) {
    long entry = base.value() + (long) index * CommandLayout.BYTES;
    memory.write64(entry, command.w0());
    memory.write64(entry + Long.BYTES, command.w1());
  }

  /// {@return commands that the hardware has not consumed yet}
  private int fill() {
    int cons = SmmuRegisters.CMDQ_CONS_RD.getInt(port.read(SmmuRegisters.CMDQ_CONS));
    return (prod - cons) & (2 * (1 << log2) - 1);
  }

  private int index(int pointer) {
    return pointer & ((1 << log2) - 1);
  }

  private int next(int pointer) {
    return (pointer + 1) & (2 * (1 << log2) - 1);
  }

  private static long bytes(int log2) {
    return Math.max(32L, (long) CommandLayout.BYTES << log2);
  }
}
