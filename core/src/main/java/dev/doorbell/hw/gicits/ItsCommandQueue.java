package dev.doorbell.hw.gicits;

import static dev.doorbell.hw.gicits.GitsRegisters.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiControllerFailed;

/// The driver's side of the command queue: 64 KiB, one sender at a time (the caller synchronises), who returns when the ITS has read
/// what was sent.
///
/// A command on which the ITS stalls is replaced by SYNC and the queue goes on, so that one bad command does not take all others along.
final class ItsCommandQueue {
  static final int BYTES = 0x10000;
  private static final int READS = 1_000_000;
  private static final int SHARED = 1;
  private static final int CACHED = 7;
  private static final int NOT_CACHED = 1;

  private final ItsHardware hardware;
  private final long base;
  private final long anyTarget;
  private long offset;

  /// @param anyTarget a Redistributor that exists
  ItsCommandQueue(ItsHardware hardware, Pa base, long anyTarget) {
    this.hardware = hardware;
    this.base = base.value();
    this.anyTarget = anyTarget;
  }

  /// Tells the ITS where the queue is; it must be disabled.
  void install() {
    RegisterBus bus = hardware.registers();
    long queue =
        CBASER_VALID.place(1)
            | CBASER_ADDRESS.place(base)
            | CBASER_SIZE.place(BYTES / QUEUE_PAGE_BYTES - 1L);
    bus.write64(
        CBASER.offset(),
        queue | CBASER_SHAREABILITY.place(SHARED) | CBASER_INNER_CACHE.place(CACHED));
    long taken = bus.read64(CBASER.offset());
    if (!CBASER_SHAREABILITY.isSet(taken)) {
      bus.write64(CBASER.offset(), queue | CBASER_INNER_CACHE.place(NOT_CACHED));
      taken = bus.read64(CBASER.offset());
    }
    if (CBASER_ADDRESS.get(taken) != base || !CBASER_VALID.isSet(taken)) {
      throw failed(
          "did not take the command queue at 0x%x (GITS_CBASER 0x%x)".formatted(base, taken),
          "GITS_CBASER");
    }
    bus.write64(CWRITER.offset(), 0);
    offset = 0;
  }

  /// Sends commands, then SYNC for a target, and waits.
  ///
  /// @throws MsiControllerFailed when the ITS stalls on one or does not get through
  void sendAndSync(long target, ItsCommand... commands) {
    for (ItsCommand command : commands) {
      send(command);
    }
    send(ItsCommand.sync(target));
  }

  /// Sends one command and waits until the ITS has read it. (The effect is waited for by SYNC.)
  ///
  /// @throws MsiControllerFailed when the ITS stalls on it or does not read it
  void send(ItsCommand command) {
    put(command);
    long next = (offset + ItsCommandLayout.BYTES) % BYTES;
    hardware.registers().write64(CWRITER.offset(), CWRITER_OFFSET.place(next));
    long creadr = await(next);
    if (STALLED.isSet(creadr)) {
      put(ItsCommand.sync(anyTarget));
      hardware.registers().write64(CWRITER.offset(), CWRITER_OFFSET.place(next) | RETRY.place(1));
      await(next);
    }
    offset = next;
    if (CREADR_OFFSET.get(creadr) != next) {
      throw failed(
          "%s %s (GITS_CREADR 0x%x, GITS_CWRITER 0x%x)"
              .formatted(
                  STALLED.isSet(creadr) ? "stalled on" : "does not read", command, creadr, next),
          "GITS_CREADR");
    }
  }

  private void put(ItsCommand command) {
    PhysicalMemory memory = hardware.memory();
    long at = base + offset;
    memory.write64(at, command.dw0());
    memory.write64(at + Long.BYTES, command.dw1());
    memory.write64(at + 2L * Long.BYTES, command.dw2());
    memory.write64(at + 3L * Long.BYTES, command.dw3());
    memory.publish();
  }

  /// {@return GITS_CREADR once it has got there, has stalled, or has been read often enough}
  private long await(long next) {
    long creadr = 0;
    for (int i = 0; i < READS; i++) {
      creadr = hardware.registers().read64(CREADR.offset());
      if (STALLED.isSet(creadr) || CREADR_OFFSET.get(creadr) == next) {
        return creadr;
      }
      Thread.onSpinWait();
    }
    return creadr;
  }

  private MsiControllerFailed failed(String what, String register) {
    return new MsiControllerFailed(hardware.id(), what, Source.rule(register));
  }
}
