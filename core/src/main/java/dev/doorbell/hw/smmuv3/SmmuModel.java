package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Requester;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// An SMMUv3: its Non-secure registers, queues and translation, bit for bit.
///
/// It caches as eagerly as the architecture allows: configuration until CMD_CFGI_*, translations and table pointers until
/// CMD_TLBI_*, so that a forgotten invalidation shows. Faults are not cached. Commands run in the thread that writes
/// SMMU_CMDQ_PROD, and are done when the write returns.
///
/// Accesses are 4 bytes to a register or to half of a 64-bit one, or 8 bytes to a 64-bit register; others are bus errors. Gaps of
/// the window read as zero and ignore writes.
///
/// **Threads** Any number may translate while others write registers. {@link #translate} takes no lock and allocates nothing unless
/// configuration must be fetched. CMD_SYNC returns when the accesses that were in flight have ended; code that runs
/// between {@link #begin} and {@link #end} must therefore not wait for a thread that may be writing to this device.
///
/// **Source** IHI 0070 F.b.
public final class SmmuModel implements MmioDevice, Translator {
  /// Bytes of the register window.
  public static final long WINDOW_BYTES = SmmuRegisters.MAP.bytes();

  private static final int NO_SUBSTREAM = -1;

  private final RegisterFile registers;
  private final RegisterWrites writes;
  private final SmmuInterrupts interrupts;
  private final CommandQueue commands;
  private final AccessGate gate = new AccessGate();
  private final TranslationPath path;
  private final ReentrantLock lock = new ReentrantLock();

  /// Makes an SMMU after reset.
  ///
  /// @param features what it has
  /// @param memory where its tables and queues lie
  /// @param bus where its MSIs go
  /// @param wires where its wired interrupts go
  public SmmuModel(SmmuFeatures features, PhysicalMemory memory, SystemBus bus, SmmuWires wires) {
    registers = new RegisterFile(features);
    writes = new RegisterWrites(features, registers);
    interrupts = new SmmuInterrupts(features, registers, bus, wires);
    TranslationCaches caches = new TranslationCaches(features.cachedTranslations());
    StreamConfigs streams = new StreamConfigs(features, registers);
    EventQueue events = new EventQueue(features, registers, memory, interrupts);
    Invalidations invalidations = new Invalidations(features, streams, caches, gate);
    commands = new CommandQueue(features, registers, memory, interrupts, invalidations);
    path =
        new TranslationPath(
            features, registers, streams, events, TranslationPath.walks(memory, caches));
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!answers(offset, bytes)) {
      return BusRead.error(bytes);
    }
    Optional<RegisterMap.Hit> hit = SmmuRegisters.MAP.find(offset);
    if (hit.isEmpty()) {
      return BusRead.ok(0);
    }
    Register register = hit.get().register();
    if (bytes > register.bytes()) {
      return BusRead.error(bytes);
    }
    return BusRead.ok(hit.get().part(register.access().visible(registers.get(register)), bytes));
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    Optional<RegisterMap.Hit> hit = SmmuRegisters.MAP.find(offset);
    if (hit.isEmpty()) {
      return BusOutcome.OK;
    }
    Register register = hit.get().register();
    if (bytes > register.bytes()) {
      return BusOutcome.ERROR;
    }
    int held = gate.arrive();
    try {
      store(hit.get(), value, bytes);
      consume();
      interrupts.deliver();
    } finally {
      gate.depart(held);
    }
    return BusOutcome.OK;
  }

  private void store(RegisterMap.Hit hit, long value, int bytes) {
    lock.lock();
    try {
      Register register = hit.register();
      long whole = hit.with(registers.get(register), bytes, value);
      boolean wasEnabled = path.isEnabled();
      writes.write(register, whole);
      path.refresh();
      if (wasEnabled && !path.isEnabled()) {
        gate.drain();
      }
      writes.acknowledge();
    } finally {
      lock.unlock();
    }
  }

  // One command at a time, so that interrupts go out without the lock.
  private void consume() {
    for (; ; ) {
      CommandQueue.Step step;
      long address;
      long data;
      lock.lock();
      try {
        step = commands.step();
        address = commands.msiAddress;
        data = commands.msiData;
      } finally {
        lock.unlock();
      }
      switch (step) {
        case IDLE -> {
          return;
        }
        case DONE -> interrupts.deliver();
        case MSI -> interrupts.commandSyncMsi(address, data);
      }
    }
  }

  @Override
  public void begin() {
    gate.enter();
  }

  @Override
  public void end() {
    if (gate.leave()) {
      interrupts.deliver();
    }
  }

  @Override
  public long translate(int streamId, int substreamId, long iova, int access) {
    int slot = gate.enter();
    boolean outermost;
    long pa;
    try {
      pa = path.translate(slot, streamId, substreamId, iova, access);
    } finally {
      outermost = gate.leave(slot);
    }
    if (pa == FAULT && outermost) {
      interrupts.deliver();
    }
    return pa;
  }

  /// With one claim of the gate for the whole access.
  @Override
  public BusOutcome write(Requester from, long address, long value, int bytes, SystemBus to) {
    int slot = gate.enter();
    boolean outermost;
    BusOutcome outcome;
    try {
      long pa = path.translate(slot, from.streamId(), NO_SUBSTREAM, address, WRITE);
      outcome = pa == FAULT ? BusOutcome.ERROR : to.write(pa, value, bytes, from.deviceId());
    } finally {
      outermost = gate.leave(slot);
    }
    if (outermost) {
      interrupts.deliver();
    }
    return outcome;
  }

  private static boolean answers(long offset, int bytes) {
    return (bytes == Integer.BYTES || bytes == Long.BYTES)
        && offset >= 0
        && offset + bytes <= WINDOW_BYTES
        && offset % bytes == 0;
  }
}
