package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The command buffer as its driver uses it: what goes in is complete when {@link #run} returns. Safe for use from many threads.
///
/// **Source** 48882 revision 3.09, 2.4 Commands, 2.4.1 COMPLETION_WAIT, 3.4.14 and 3.4.15 (pointers).
final class CommandPoster {
  private static final int LENGTH = 9;
  private static final long BUFFER = (long) CommandLayout.BYTES << LENGTH;
  private static final long MASK = BUFFER - 1;

  private final AmdViPort port;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final Pa base;
  private final Pa semaphore;
  private final ReentrantLock lock = new ReentrantLock();
  private long tail;
  private long sequence;

  private CommandPoster(AmdViPort port, PhysicalMemory memory, Frames frames) {
    this.port = port;
    this.memory = memory;
    this.frames = frames;
    base = frames.allocate(BUFFER, BUFFER);
    try {
      semaphore = frames.allocate(Long.BYTES, Long.BYTES);
    } catch (RuntimeException none) {
      frames.free(base, BUFFER);
      throw none;
    }
  }

  /// {@return an empty buffer of 512 commands}
  static CommandPoster create(AmdViPort port, PhysicalMemory memory, Frames frames) {
    return new CommandPoster(port, memory, frames);
  }

  /// Tells the hardware where the buffer is, which must be disabled.
  void program() {
    port.write(CMD_BUF_BASE_REG, CMD_BASE.place(base.value()) | CMD_LEN.place(LENGTH));
    port.write(CMD_HEAD_REG, 0);
    port.write(CMD_TAIL_REG, 0);
    tail = 0;
  }

  /// Has commands executed and waits for their completion, and for that of the accesses that they concern.
  ///
  /// @throws AmdViCommandException when the hardware stopped at one; those before and after it are done
  /// @throws AmdViTimeoutException when the hardware does not get on
  void run(List<AmdViCommand> commands) {
    lock.lock();
    try {
      AmdViCommandException refused = null;
      for (AmdViCommand command : commands) {
        refused = first(refused, put(command));
      }
      sequence++;
      refused = first(refused, put(AmdViCommand.completion(semaphore.value(), sequence)));
      kick();
      refused = first(refused, await(() -> memory.read64(semaphore.value()) == sequence));
      if (refused != null) {
        throw refused;
      }
    } finally {
      lock.unlock();
    }
  }

  /// Gives the memory back. The buffer must be disabled.
  void free() {
    frames.free(base, BUFFER);
    frames.free(semaphore, Long.BYTES);
  }

  private static @Nullable AmdViCommandException first(
      @Nullable AmdViCommandException before, @Nullable AmdViCommandException now) {
    return before == null ? now : before;
  }

  private @Nullable AmdViCommandException put(AmdViCommand command) {
    long next = tail + CommandLayout.BYTES & MASK;
    AmdViCommandException refused = null;
    if (next == head()) {
      kick();
      refused = await(() -> next != head());
    }
    write(tail, command);
    tail = next;
    return refused;
  }

  private void write(long offset, AmdViCommand command) {
    memory.write64(base.value() + offset, command.w0());
    memory.write64(base.value() + offset + Long.BYTES, command.w1());
  }

  private void kick() {
    memory.publish();
    port.write(CMD_TAIL_REG, tail);
  }

  private long head() {
    return POINTER.get(port.read(CMD_HEAD_REG)) & MASK;
  }

  /// What is waited for.
  @FunctionalInterface
  private interface Condition {
    boolean holds();
  }

  /// {@return what the hardware stopped at meanwhile, if it did}
  private @Nullable AmdViCommandException await(Condition condition) {
    AmdViCommandException refused = null;
    for (int i = 0; i < port.polls(); i++) {
      if (condition.holds()) {
        return refused;
      }
      if (!port.isSet(STATUS_REG, CMD_BUF_RUN)) {
        refused = first(refused, recover());
      }
      Thread.onSpinWait();
    }
    throw new AmdViTimeoutException(
        port.id(), "completion of commands up to 0x%x".formatted(tail), head(), port.polls());
  }

  /// Takes the command at which the hardware stopped out of the way and starts the buffer again.
  private AmdViCommandException recover() {
    long at = head();
    AmdViCommand found =
        new AmdViCommand(
            memory.read64(base.value() + at), memory.read64(base.value() + at + Long.BYTES));
    write(at, AmdViCommand.barrier());
    memory.publish();
    port.control(CMD_BUF_EN, false);
    port.control(CMD_BUF_EN, true);
    return new AmdViCommandException(port.id(), found, at);
  }
}
