package dev.doorbell.hw.gicits;

import static dev.doorbell.hw.gicits.GitsRegisters.*;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.LpiPort;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/// An ITS that behaves as the architecture says, with its tables in memory in the format `qemu`. What it found there for a message it keeps until
/// a command, or a write of its registers, changes the tables.
///
/// One device for both frames. A write to GITS_TRANSLATER carries the DeviceID as the requester; a CPU's write has none and is dropped.
/// Messages that the tables do not know are dropped silently. Commands run during the write of GITS_CWRITER (or of GITS_CTLR.Enabled).
/// A command that is an error is skipped and counted; a queue whose command, or whose tables, cannot be read stalls
/// (GITS_CREADR.Stalled) until GITS_CWRITER.Retry is written. GITS_CBASER and GITS_BASER ignore writes while the ITS is enabled.
/// A message allocates nothing and takes no lock.
///
/// **Source**: IHI 0069 H, 5 and 12.19. Left out: virtual LPIs, unmapped-MSI reports, MPAM (`docs/caveats.md`).
public final class ItsModel implements MmioDevice {
  private static final int DEVICE_TABLE = 0;
  private static final int COLLECTION_TABLE = 1;

  private final ItsConfig config;
  private final PhysicalMemory memory;
  private final ItsTranslation tables;
  private final AccessGate gate;
  private final ItsCommands commands;
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private final ReentrantLock registers = new ReentrantLock();
  private final long[] baser = new long[BASERS];
  private final LongAdder dropped = new LongAdder();
  private final LongAdder commandErrors = new LongAdder();
  private long cbaser;
  private long cwriter;
  private long creadr;
  private volatile boolean enabled;
  private volatile String lastCommandError = "";

  public ItsModel(ItsConfig config, PhysicalMemory memory, LpiPort port) {
    this.config = config;
    this.memory = memory;
    gate = port.gate();
    tables = new ItsTranslation(config, memory, port);
    commands = new ItsCommands(config, memory, port, tables);
    long entry = QemuItsTables.DTE_BYTES - 1L;
    baser[DEVICE_TABLE] = BASER_TYPE.place(TYPE_DEVICES) | BASER_ENTRY_SIZE.place(entry);
    if (config.hardwareCollections() == 0) {
      baser[COLLECTION_TABLE] = BASER_TYPE.place(TYPE_COLLECTIONS) | BASER_ENTRY_SIZE.place(entry);
    }
    long typer = typer(config);
    ports.on(
        CTLR,
        i -> ENABLED.place(enabled ? 1 : 0) | QUIESCENT.place(enabled ? 0 : 1),
        (i, v) -> writeCtlr(v));
    ports.on(TYPER, i -> typer);
    ports.on(CBASER, i -> cbaser, (i, v) -> writeCbaser(v));
    ports.on(CWRITER, i -> cwriter, (i, v) -> writeCwriter(v));
    ports.on(CREADR, i -> creadr);
    ports.on(BASER, i -> baser[i], this::writeBaser);
    long pidr2 = ARCH_REV.place(3);
    ports.on(PIDR2, i -> pidr2);
    ports.alsoBy(TRANSLATER, Short.BYTES);
  }

  private static long typer(ItsConfig config) {
    return PHYSICAL.place(1)
        | ITT_ENTRY_SIZE.place(QemuItsTables.ITE_BYTES - 1)
        | ID_BITS.place(config.eventIdBits() - 1)
        | DEVBITS.place(config.deviceIdBits() - 1)
        | PTA.place(config.byAddress() ? 1 : 0)
        | HCC.place(config.hardwareCollections())
        | CIDBITS.place(15)
        | CIL.place(1);
  }

  /// {@return messages that led nowhere: unknown to the tables, without a DeviceID, or sent while the ITS was disabled}
  public long dropped() {
    return dropped.sum();
  }

  /// {@return commands that were skipped as errors}
  public long commandErrors() {
    return commandErrors.sum();
  }

  /// {@return the last skipped command and why, or the empty string}
  public String lastCommandError() {
    return lastCommandError;
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!ports.answers(offset, bytes)) {
      return BusRead.error(bytes);
    }
    registers.lock();
    try {
      return BusRead.ok(ports.read(offset, bytes));
    } finally {
      registers.unlock();
    }
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (offset == TRANSLATER.offset() && (bytes == Integer.BYTES || bytes == Short.BYTES)) {
      message(requester, value & (-1L >>> (Long.SIZE - bytes * Byte.SIZE)));
      return BusOutcome.OK;
    }
    if (!ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    registers.lock();
    try {
      ports.write(offset, value, bytes);
    } finally {
      registers.unlock();
    }
    return BusOutcome.OK;
  }

  private void message(int requester, long eventId) {
    if (requester < 0 || !translate(requester, eventId)) {
      dropped.increment();
    }
  }

  private boolean translate(long deviceId, long eventId) {
    int slot = gate.enter();
    try {
      return enabled && tables.deliver(deviceId, eventId);
    } finally {
      gate.leave(slot);
    }
  }

  private void writeCtlr(long value) {
    boolean next = ENABLED.isSet(value);
    if (next != enabled) {
      enabled = next;
      // While it is disabled the tables are the software's, who may change them without a command.
      tables.change(() -> {});
    }
    runCommands();
  }

  private void writeCbaser(long value) {
    if (!enabled) {
      cbaser = CBASER.legalize(cbaser, value);
      creadr = 0;
    }
  }

  private void writeCwriter(long value) {
    if (RETRY.isSet(value)) {
      creadr = STALLED.with(creadr, 0);
    }
    cwriter = CWRITER_OFFSET.get(value);
    runCommands();
  }

  private void writeBaser(int index, long value) {
    if (enabled || BASER_TYPE.get(baser[index]) == TYPE_NONE) {
      return;
    }
    long next = BASER.legalize(baser[index], value);
    if (!config.indirect()) {
      next = BASER_INDIRECT.with(next, 0);
    }
    if ((config.pageSizes() >> BASER_PAGE_SIZE.get(next) & 1) == 0) {
      int largest = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(config.pageSizes());
      next = BASER_PAGE_SIZE.with(next, largest);
    }
    baser[index] = next;
    long legal = next;
    tables.change(() -> {
      if (index == DEVICE_TABLE) {
        tables.setDevices(legal);
      } else {
        tables.setCollections(legal);
      }
    });
  }

  private void runCommands() {
    long queueBytes = (CBASER_SIZE.get(cbaser) + 1) * QUEUE_PAGE_BYTES;
    if (!CBASER_VALID.isSet(cbaser) || cwriter >= queueBytes) {
      return;
    }
    long[] command = new long[ItsCommandLayout.WORDS];
    while (enabled && !STALLED.isSet(creadr) && creadr != cwriter) {
      try {
        execute(command);
      } catch (BusErrorException e) {
        lastCommandError = "stalled at 0x%x: %s".formatted(creadr, e.getMessage());
        creadr = STALLED.with(creadr, 1);
        return;
      }
      creadr = (creadr + ItsCommandLayout.BYTES) % queueBytes;
    }
  }

  private void execute(long[] command) {
    for (int i = 0; i < command.length; i++) {
      command[i] =
          memory.read(CBASER_ADDRESS.get(cbaser) + creadr + (long) i * Long.BYTES, Long.BYTES);
    }
    String error = commands.execute(command);
    if (!error.isEmpty()) {
      commandErrors.increment();
      int code = ItsCommandLayout.CODE.getInt(command[0]);
      lastCommandError =
          "%s (0x%x) at 0x%x skipped: %s"
              .formatted(ItsCommandLayout.NAMES.nameOf(code), code, creadr, error);
    }
  }
}
