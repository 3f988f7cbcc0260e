package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.AtsMessages;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PageRequest;
import dev.doorbell.bus.PageResponse;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Requester;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.TranslationCompletion;
import dev.doorbell.bus.TranslationRequest;
import dev.doorbell.bus.Translator;
import dev.doorbell.vmsa.TranslationCache;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// A RISC-V IOMMU: its registers, queues and translation, bit for bit.
///
/// It caches as eagerly as the architecture allows: device contexts until IODIR.INVAL_DDT, translations and pointers to last tables until
/// IOTINVAL, so that a forgotten invalidation shows. What is not valid is not cached. Commands run in the thread that writes `cqt`, and are done
/// when the write returns.
///
/// **Threads.** Any number may translate while others write registers. {@link #translate} takes no lock and allocates nothing unless a device
/// context must be fetched or a fault is recorded. IOFENCE.C completes when the accesses that were in flight have ended.
///
/// **Source**: RISC-V IOMMU Architecture 1.0.
public final class RiscvIommuModel implements MmioDevice, Translator {
  private final RiscvIommuFeatures features;
  private final AccessGate gate = new AccessGate();
  private final EventCounters events;
  private final DeviceDirectory directory;
  private final PageWalk.Caches caches;
  private final InboundPath[] paths = new InboundPath[AccessGate.SLOTS];
  private final InboundPath debugPath;
  private final CommandProcessor commands;
  private final FaultQueue faults;
  private final PageRequestQueue pages;
  private final PageRequests requests;
  private final IommuMessages messages;
  private final InboundPath.Shared shared;
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private final ReentrantLock lock = new ReentrantLock();
  private volatile long ddtp;
  private long debugIova;
  private long debugControl;
  private long debugResponse;

  /// Makes an IOMMU after reset: no device's access passes.
  ///
  /// @param memory where its tables and queues lie
  /// @param bus where its own messages and the data of fences go
  public RiscvIommuModel(RiscvIommuFeatures features, PhysicalMemory memory, SystemBus bus) {
    this(features, memory, bus, AtsMessages.NOBODY);
  }

  /// Makes one whose commands for devices' translation caches and page requests are heard.
  ///
  /// @param memory where its tables and queues lie
  /// @param bus where its own messages and the data of fences go
  /// @param devices who hears them
  public RiscvIommuModel(
      RiscvIommuFeatures features, PhysicalMemory memory, SystemBus bus, AtsMessages devices) {
    this.features = features;
    events = new EventCounters(HPM.isSet(features.capabilities()));
    directory = new DeviceDirectory(features, memory, events);
    caches =
        new PageWalk.Caches(
            new TranslationCache(features.cachedTranslations()),
            new TranslationCache(features.cachedTranslations()));
    commands =
        new CommandProcessor(
            features, memory, bus, new CommandProcessor.Targets(directory, caches, gate, devices));
    faults = new FaultQueue(memory);
    messages = new IommuMessages(bus);
    shared =
        new InboundPath.Shared(
            features,
            () -> ddtp,
            directory,
            faults,
            messages,
            new ResidentFiles(memory, bus, AMO_MRIF.isSet(features.capabilities())));
    pages = new PageRequestQueue(memory);
    requests = new PageRequests(shared, pages);
    for (int i = 0; i < paths.length; i++) {
      paths[i] = new InboundPath(shared, new PageWalk(features, memory, caches, events));
    }
    debugPath = new InboundPath(shared, new PageWalk(features, memory, caches, events));
    wire();
  }

  private void wire() {
    ports.on(CAPABILITIES, _ -> features.capabilities());
    ports.on(DDTP, _ -> ddtp, (_, v) -> writeDdtp(v));
    ports.on(CQB, _ -> commands.base(), (_, v) -> commands.setBase(v));
    ports.on(CQH, _ -> commands.head());
    ports.on(CQT, _ -> commands.tail(), (_, v) -> commands.setTail(v));
    ports.on(CQCSR, _ -> commands.csr(), (_, v) -> commands.setCsr(v));
    ports.on(FQB, _ -> faults.base(), (_, v) -> faults.setBase(v));
    ports.on(FQH, _ -> faults.head(), (_, v) -> faults.setHead(v));
    ports.on(FQT, _ -> faults.tail());
    ports.on(FQCSR, _ -> faults.csr(), (_, v) -> faults.setCsr(v));
    ports.on(PQB, _ -> pages.base(), (_, v) -> pages.setBase(v));
    ports.on(PQH, _ -> pages.head(), (_, v) -> pages.setHead(v));
    ports.on(PQT, _ -> pages.tail());
    ports.on(PQCSR, _ -> pages.csr(), (_, v) -> pages.setCsr(v));
    ports.on(IPSR, _ -> messages.pending(), (_, v) -> messages.clear(v));
    ports.on(ICVEC, _ -> messages.vectors(), (_, v) -> messages.setVectors(v));
    events.wire(ports);
    if (DBG.isSet(features.capabilities())) {
      ports.on(
          TR_REQ_IOVA, _ -> debugIova, (_, v) -> debugIova = TR_REQ_IOVA.legalize(debugIova, v));
      ports.on(TR_REQ_CTL, _ -> debugControl, (_, v) -> debug(v));
      ports.on(TR_RESPONSE, _ -> debugResponse);
    }
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (messages.owns(offset)) {
      return messages.answers(offset, bytes)
          ? BusRead.ok(messages.read(offset, bytes))
          : BusRead.error(bytes);
    }
    if (!answers(offset, bytes)) {
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
    boolean message = messages.owns(offset);
    if (message ? !messages.answers(offset, bytes) : !answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    int held = gate.arrive();
    try {
      if (message) {
        messages.write(offset, value, bytes);
      } else {
        store(offset, value, bytes);
      }
      deliver();
    } finally {
      gate.depart(held);
    }
    return BusOutcome.OK;
  }

  private boolean answers(long offset, int bytes) {
    return (bytes == Integer.BYTES || bytes == Long.BYTES) && ports.answers(offset, bytes);
  }

  private void store(long offset, long value, int bytes) {
    lock.lock();
    try {
      ports.write(offset, value, bytes);
      // A cause that stays makes its bit of ipsr pending again as soon as that is cleared.
      if (commands.run(levels(ddtp))) {
        messages.raise(CIP);
      }
      if (faults.insists()) {
        messages.raise(FIP);
      }
      if (pages.insists()) {
        messages.raise(PIP);
      }
    } finally {
      lock.unlock();
    }
  }

  private static int levels(long ddtp) {
    return Math.max(0, DDTP_MODE.getInt(ddtp) - MODE_BARE);
  }

  private void writeDdtp(long value) {
    int mode = DDTP_MODE.getInt(value);
    long next = DDTP.legalize(ddtp, value);
    ddtp = mode > MODE_3LVL ? DDTP_MODE.with(next, DDTP_MODE.get(ddtp)) : next;
    if (mode == MODE_OFF) {
      gate.drain();
    }
  }

  /// A translation asked for by software: the fault of one that fails is recorded as of any other.
  ///
  /// **Source**: RISC-V IOMMU Architecture 1.0, 5 (debug support).
  private void debug(long control) {
    debugControl = TR_GO.with(control, 0);
    if (!TR_GO.isSet(control)) {
      return;
    }
    boolean process = TR_PV.isSet(control);
    int access =
        PageWalk.FRESH
            | (TR_NW.isSet(control) ? READ : READ | WRITE)
            | (TR_EXE.isSet(control) ? PageWalk.EXECUTE : 0)
            | (process && TR_PRIV.isSet(control) ? PageWalk.PRIVILEGED : 0);
    long pa =
        debugPath.debug(
            TR_DID.getInt(control),
            process ? TR_PID.getInt(control) : -1,
            TR_VPN.get(debugIova),
            access);
    debugResponse =
        pa == FAULT
            ? TR_FAULT.mask()
            : TR_PPN.place(DirectoryLayout.ppn(pa)) | TR_PBMT.place(debugPath.memoryType());
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

  @Override
  public long translate(int deviceId, int processId, long iova, int access) {
    int slot = gate.enter();
    boolean outermost;
    long pa;
    try {
      events.count(EventCounters.UNTRANSLATED, deviceId, processId);
      pa = paths[slot].translate(deviceId, processId, iova, access);
    } finally {
      outermost = gate.leave(slot);
    }
    if (outermost && (pa == FAULT || events.overflowed())) {
      deliver();
    }
    return pa;
  }

  @Override
  public BusOutcome message(int deviceId, long address, long value, int bytes) {
    int slot = gate.enter();
    boolean outermost;
    BusOutcome outcome;
    try {
      outcome = paths[slot].message(deviceId, address, value, bytes);
    } finally {
      outermost = gate.leave(slot);
    }
    if (outermost) {
      deliver();
    }
    return outcome;
  }

  /// With one claim of the gate for the whole access.
  @Override
  public BusOutcome write(Requester from, long address, long value, int bytes, SystemBus to) {
    int slot = gate.enter();
    boolean outermost;
    BusOutcome outcome;
    try {
      events.count(EventCounters.UNTRANSLATED, from.streamId(), EventCounters.NONE);
      long pa = paths[slot].translate(from.streamId(), -1, address, WRITE);
      if (pa >= 0) {
        outcome = to.write(pa, value, bytes, from.deviceId());
      } else if (pa == MESSAGE) {
        outcome = paths[slot].message(from.streamId(), address, value, bytes);
      } else {
        outcome = BusOutcome.ERROR;
      }
    } finally {
      outermost = gate.leave(slot);
    }
    if (outermost) {
      deliver();
    }
    return outcome;
  }

  /// Takes a device's page request: into the page-request queue, where software finds it, if the device's context allows it and there is room.
  ///
  /// {@return the answer that the IOMMU itself gives to one that wants an answer and is not queued}
  public Optional<PageResponse> pageRequest(PageRequest request) {
    int slot = gate.enter();
    boolean outermost;
    Optional<PageResponse> answer;
    try {
      answer = requests.take(request);
    } finally {
      outermost = gate.leave(slot);
    }
    if (outermost) {
      deliver();
    }
    return answer;
  }

  /// Answers a device's translation request (`capabilities.ATS`): what is wrong with the request or the tables is recorded as a fault, a page that is not there or lacks
  /// rights is not. Where a guest's interrupt file is in memory the device may only write untranslated.
  public TranslationCompletion translationRequest(TranslationRequest request) {
    int slot = gate.enter();
    boolean outermost;
    TranslationCompletion answer;
    try {
      events.count(EventCounters.TRANSLATION_REQUEST, request.requester(), request.pasid());
      answer = new TranslationRequests(shared, paths[slot]).take(request);
    } finally {
      outermost = gate.leave(slot);
    }
    if (outermost) {
      deliver();
    }
    return answer;
  }

  /// {@return the physical address of an access whose address an earlier completion gave; {@link #FAULT}, which is recorded, from a device that may have none}
  ///
  /// @param access {@link #READ} or {@link #WRITE}
  public long translated(int deviceId, long address, int access) {
    int slot = gate.enter();
    boolean outermost;
    long pa;
    try {
      events.count(EventCounters.TRANSLATED, deviceId, EventCounters.NONE);
      pa = new TranslationRequests(shared, paths[slot]).translated(deviceId, address, access);
    } finally {
      outermost = gate.leave(slot);
    }
    if (outermost) {
      deliver();
    }
    return pa;
  }

  /// Sends the IOMMU's own messages. One that nobody takes is a fault of its own, which may want to interrupt in turn.
  private void deliver() {
    if (events.takeOverflow()) {
      messages.raise(PMIP);
    }
    for (long failed = messages.send(); failed >= 0; failed = messages.send()) {
      shared.failedMessage(failed);
    }
  }
}
