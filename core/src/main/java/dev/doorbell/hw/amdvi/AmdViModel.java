package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.AtsMessages;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PageRequest;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.irq.X86MessageLayout;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// An AMD IOMMU: its registers, command buffer, logs, translation and interrupt remapping.
///
/// It caches as eagerly as the architecture allows: device table entries until INVALIDATE_DEVTAB_ENTRY, translations until
/// INVALIDATE_IOMMU_PAGES, interrupt table entries until INVALIDATE_INTERRUPT_TABLE, so that a forgotten invalidation shows. What is not
/// present is not cached.
///
/// **Threads** Any number may translate while others write registers. {@link #translate} and {@link #message} take no lock and allocate
/// nothing unless an entry must be fetched. COMPLETION_WAIT completes when the accesses that were in flight have
/// ended; code that runs between {@link #begin} and {@link #end} must therefore not wait for a thread that may be writing to this device.
///
/// **Source** 48882 revision 3.09.
public final class AmdViModel implements MmioDevice, Translator {
  /// Bytes of the register window.
  public static final long WINDOW_BYTES = AmdViRegisters.MAP.bytes();

  private static final int CACHED_PAGES = 4096;
  private static final int PHYSICAL_BITS = 52;

  private final AmdViFeatures features;
  private final RegisterFile registers;
  private final RegisterPorts ports = new RegisterPorts(AmdViRegisters.MAP);
  private final InterruptLine line;
  private final OwnInterrupt interrupt = new OwnInterrupt();
  private final EventLog events;
  private final PageRequests requests;
  private final CommandBuffer commands;
  private final DmaPath accesses;
  private final InterruptPath interrupts;
  private final AccessGate gate = new AccessGate();
  private final ReentrantLock lock = new ReentrantLock();
  private volatile Settings settings;

  /// Makes an IOMMU after reset.
  ///
  /// @param features what it has
  /// @param memory where its tables, command buffer and event log lie
  /// @param apics where the interrupts go that it remaps or lets pass
  /// @param line where its own interrupt goes
  public AmdViModel(
      AmdViFeatures features, PhysicalMemory memory, ApicPort apics, InterruptLine line) {
    this(features, memory, apics, line, AtsMessages.NOBODY);
  }

  /// Makes an IOMMU after reset, whose devices may ask for pages: {@link #pageRequest}.
  ///
  /// @param features what it has
  /// @param memory where its tables, command buffer and logs lie
  /// @param apics where the interrupts go that it remaps or lets pass
  /// @param line where its own interrupt goes
  /// @param ats takes answers to page requests
  public AmdViModel(
      AmdViFeatures features,
      PhysicalMemory memory,
      ApicPort apics,
      InterruptLine line,
      AtsMessages ats) {
    this.features = features;
    this.line = line;
    registers = new RegisterFile(features);
    settings = Settings.of(registers);
    events = new EventLog(features, registers, memory, interrupt);
    DeviceEntries devices = new DeviceEntries(memory, features);
    requests = new PageRequests(registers, memory, devices, events, interrupt);
    PageCache pages = new PageCache(CACHED_PAGES);
    InterruptEntries entries = new InterruptEntries(memory);
    accesses = new DmaPath(features, memory, devices, pages, events);
    LogRing guests = new LogRing(Log.GUESTS, registers, memory, interrupt);
    interrupts =
        new InterruptPath(
            accesses, entries, events, apics, new GuestPosting(memory, guests, apics));
    commands =
        new CommandBuffer(
            features,
            registers,
            memory,
            new CommandBuffer.Targets(devices, pages, entries, gate, ats),
            new CommandBuffer.Told(events, interrupt));
    connect();
  }

  private void connect() {
    for (Register r : AmdViRegisters.MAP.registers()) {
      if (r.count() == 1) {
        ports.on(r, _ -> registers.get(r), (_, value) -> store(r, value));
      }
    }
    ports.on(CONTROL_REG, _ -> registers.get(CONTROL_REG), (_, value) -> control(value));
    ports.on(
        CMD_BUF_BASE_REG,
        _ -> registers.get(CMD_BUF_BASE_REG),
        (_, value) -> base(CMD_BUF_BASE_REG, value, CMD_LEN, List.of(CMD_HEAD_REG, CMD_TAIL_REG)));
    for (Log log : Log.values()) {
      ports.on(
          log.base(),
          _ -> registers.get(log.base()),
          (_, value) -> base(log.base(), value, EVENT_LEN, List.of(log.head(), log.tail())));
    }
    ports.on(
        STATUS_REG,
        _ -> registers.get(STATUS_REG),
        (_, value) -> registers.status(0, value & STATUS_REG.access().w1c()));
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!ports.answers(offset, bytes)) {
      return BusRead.error(bytes);
    }
    int held = gate.arrive();
    lock.lock();
    try {
      return BusRead.ok(ports.read(offset, bytes));
    } finally {
      lock.unlock();
      gate.depart(held);
    }
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    int held = gate.arrive();
    try {
      lock.lock();
      try {
        ports.write(offset, value, bytes);
        commands.run();
      } finally {
        lock.unlock();
      }
      deliver();
    } finally {
      gate.depart(held);
    }
    return BusOutcome.OK;
  }

  private void store(Register register, long value) {
    registers.set(register, register.legalize(registers.get(register), value));
    settings = Settings.of(registers);
  }

  /// A new base empties its ring, and a length below the least is the least.
  private void base(Register register, long value, Field length, List<Register> pointers) {
    long whole = register.legalize(registers.get(register), value);
    if (length.get(whole) < LEAST_LENGTH) {
      whole = length.with(whole, LEAST_LENGTH);
    }
    registers.set(register, whole);
    pointers.forEach(p -> registers.set(p, 0));
  }

  /// Command buffer and logs start when both their own bit and IommuEn come to be set, and not again before one was cleared.
  private void control(long value) {
    long before = registers.get(CONTROL_REG);
    long after = value & features.control();
    registers.set(CONTROL_REG, after);
    boolean stops = IOMMU_EN.isSet(before) && !IOMMU_EN.isSet(after);
    settings = Settings.of(registers);
    if (stops) {
      gate.drain();
    }
    follow(before, after, CMD_BUF_EN, CMD_BUF_RUN);
    for (Log log : Log.values()) {
      follow(before, after, log.enable(), log.running());
    }
  }

  private void follow(long before, long after, Field enable, Field running) {
    boolean was = IOMMU_EN.isSet(before) && enable.isSet(before);
    boolean is = IOMMU_EN.isSet(after) && enable.isSet(after);
    if (is && !was) {
      registers.status(running.mask(), 0);
    } else if (!is) {
      registers.status(0, running.mask());
    }
  }

  @Override
  public void begin() {
    gate.enter();
  }

  @Override
  public void end() {
    if (gate.leave()) {
      deliver();
    }
  }

  /// A read of the interrupt address range ends here, as does an access whose tables lead there, or to an address that memory does not have.
  @Override
  public long translate(int streamId, int substreamId, long iova, int access) {
    int slot = gate.enter();
    boolean outermost;
    long pa;
    try {
      Settings s = settings;
      if (isMessage(iova)) {
        pa = refused(streamId, iova, access, s);
      } else if (!s.enabled()) {
        pa = iova;
      } else {
        pa = accesses.translate(streamId, substreamId, iova, access, s);
        pa = isMessage(pa) ? FAULT : pa;
      }
      pa = pa >>> PHYSICAL_BITS == 0 ? pa : FAULT;
    } finally {
      outermost = gate.leave(slot);
    }
    if (pa == FAULT && outermost) {
      deliver();
    }
    return pa;
  }

  @Override
  public boolean isMessage(long address) {
    return address >>> X86MessageLayout.FEE.lsb() == X86MessageLayout.WINDOW;
  }

  @Override
  public BusOutcome message(int streamId, long address, long value, int bytes) {
    if (bytes > Integer.BYTES) {
      return BusOutcome.ERROR;
    }
    int slot = gate.enter();
    boolean outermost;
    boolean sent;
    try {
      sent = interrupts.message(streamId, address, (int) value, settings);
    } finally {
      outermost = gate.leave(slot);
    }
    if (outermost) {
      deliver();
    }
    return sent ? BusOutcome.OK : BusOutcome.ERROR;
  }

  /// Takes a page request of a device. Software answers it through {@link AtsMessages}.
  public void pageRequest(PageRequest request) {
    int slot = gate.enter();
    boolean outermost;
    try {
      requests.take(request, settings);
    } finally {
      outermost = gate.leave(slot);
    }
    if (outermost) {
      deliver();
    }
  }

  private long refused(int device, long iova, int access, Settings s) {
    if (s.enabled() && (access & READ) != 0) {
      events.record(
          EventLayout.REQUEST_CODE.place(EventLayout.INVALID_DEVICE_REQUEST)
              | EventLayout.REQUEST_DEVICE.place(device & EventLayout.REQUEST_DEVICE.max())
              | EventLayout.REQUEST_TYPE.place(EventLayout.READ_OF_INTERRUPT_RANGE),
          iova);
    }
    return FAULT;
  }

  private void deliver() {
    if (interrupt.take()) {
      line.pulse();
    }
  }
}
