package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Requester;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.irq.X86MessageLayout;
import java.util.concurrent.locks.ReentrantLock;

/// A remapping unit of VT-d, in legacy and where it has that in scalable mode: its registers, invalidation queue, translation and interrupt remapping, bit for bit.
///
/// It keeps contexts, pages and interrupt entries until they are invalidated, so that a forgotten invalidation shows; what is not present is not
/// kept (CAP_REG.CM is 0). Descriptors run in the thread that writes IQT_REG and are done when the write returns.
///
/// **Threads.** Any number may translate and send messages while others write registers. An invalidation ends when the accesses that were in
/// flight have ended; code that runs between {@link #begin} and {@link #end} must therefore not wait for a thread that may be writing to this
/// unit.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1.
public final class VtdModel implements MmioDevice, Translator {

  private final UnitContents registers;
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private final AccessGate gate = new AccessGate();
  private final Faults faults;
  private final InvalidationQueue queue;
  private final DmaPath dma;
  private final ScalablePath scalable;
  private final boolean hasScalable;
  private final MessagePath messages;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile UnitRegime regime = UnitRegime.RESET;

  /// Makes a unit after reset.
  ///
  /// @param memory where its tables lie
  /// @param apics where interrupts go
  public VtdModel(VtdFeatures features, PhysicalMemory memory, ApicPort apics) {
    registers = new UnitContents(features);
    UnitCaches caches = new UnitCaches();
    faults = new Faults(registers, apics);
    queue = new InvalidationQueue(registers, caches, faults, memory, gate);
    dma = new DmaPath(features, caches, faults, memory);
    scalable = new ScalablePath(features, caches, faults, memory);
    hasScalable = SMTS.isSet(features.ecap());
    messages = new MessagePath(features, caches, faults, memory, apics);
    for (Register r : MAP.registers()) {
      ports.on(
          r,
          i -> r.access().visible(registers.get(r, i)),
          (_, v) -> registers.set(r, r.legalize(registers.get(r), v)));
    }
    ports.on(GCMD_REG, _ -> 0, (_, v) -> command(v));
    ports.on(CCMD_REG, _ -> registers.get(CCMD_REG), (_, v) -> contextCommand(v));
    ports.on(IOTLB_REG, _ -> registers.get(IOTLB_REG), (_, v) -> pageCommand(v));
    ports.on(IVA_REG, _ -> 0, (_, v) -> registers.set(IVA_REG, IVA_REG.legalize(0, v)));
    ports.on(FRCD_REG, i -> registers.get(FRCD_REG, i), faults::clear);
    ports.on(
        FSTS_REG,
        _ -> registers.get(FSTS_REG),
        (_, v) -> {
          faults.status(v);
          queue.run();
        });
    ports.on(ICS_REG, _ -> registers.get(ICS_REG), (_, v) -> faults.completion(v));
    ports.on(FECTL_REG, _ -> registers.get(FECTL_REG), (_, v) -> faults.control(FECTL_REG, v));
    ports.on(IECTL_REG, _ -> registers.get(IECTL_REG), (_, v) -> faults.control(IECTL_REG, v));
    ports.on(
        IQT_REG,
        _ -> registers.get(IQT_REG),
        (_, v) -> {
          registers.set(IQT_REG, IQT_REG.legalize(registers.get(IQT_REG), v));
          queue.run();
        });
    ports.on(
        IQA_REG,
        _ -> registers.get(IQA_REG),
        (_, v) -> {
          if (!registers.isSet(GSTS_REG, QIES)) {
            long next = IQA_REG.legalize(registers.get(IQA_REG), v);
            registers.set(IQA_REG, hasScalable ? next : DW.with(next, 0));
            registers.set(IQT_REG, 0);
          }
        });
  }

  @Override
  public BusRead read(long offset, int bytes) {
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
    if (!answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    int held = gate.arrive();
    lock.lock();
    try {
      ports.write(offset, value, bytes);
    } finally {
      lock.unlock();
      gate.depart(held);
    }
    return BusOutcome.OK;
  }

  /// 11.3: accesses of 4 or 8 bytes.
  private boolean answers(long offset, int bytes) {
    return bytes >= Integer.BYTES && ports.answers(offset, bytes);
  }

  /// 11.4.4.1: each command is done when the write returns.
  private void command(long value) {
    long gsts = registers.get(GSTS_REG);
    boolean queued = QIES.isSet(gsts);
    long root = regime.root();
    long table = regime.table();
    gsts = TES.with(gsts, TE.get(value));
    gsts = QIES.with(gsts, QIE.get(value));
    gsts = CFIS.with(gsts, CFI.get(value));
    boolean remaps = IR.isSet(registers.get(ECAP_REG));
    gsts = IRES.with(gsts, remaps ? IRE.get(value) : 0);
    if (SRTP.isSet(value)) {
      root = registers.get(RTADDR_REG);
      gsts |= RTPS.mask();
    }
    if (SIRTP.isSet(value) && remaps) {
      table = registers.get(IRTADDR_REG);
      gsts |= IRTPS.mask();
    }
    registers.set(GSTS_REG, gsts);
    boolean off = regime.translates() && !TES.isSet(gsts) || regime.remaps() && !IRES.isSet(gsts);
    regime = regime.after(gsts, root, table);
    if (off) {
      gate.drain();
    }
    if (queued != QIES.isSet(gsts)) {
      registers.set(IQH_REG, 0);
      queue.run();
    }
  }

  /// 11.4.6.1: register-based invalidation, where the queue is off.
  private void contextCommand(long value) {
    long next = CCMD_REG.legalize(registers.get(CCMD_REG), value);
    if (ICC.isSet(value) && !registers.isSet(GSTS_REG, QIES)) {
      boolean done =
          queue.contexts(
              CIRG.getInt(next), CC_DID.getInt(next), CC_SID.getInt(next), CC_FM.getInt(next));
      next = CAIG.with(next, done ? CIRG.get(next) : 0);
    }
    registers.set(CCMD_REG, ICC.with(next, 0));
  }

  private void pageCommand(long value) {
    long next = IOTLB_REG.legalize(registers.get(IOTLB_REG), value);
    if (IVT.isSet(value) && !registers.isSet(GSTS_REG, QIES)) {
      long iva = registers.get(IVA_REG);
      boolean done =
          queue.pages(
              IIRG.getInt(next), TLB_DID.getInt(next), IVA_ADDR.get(iva), IVA_AM.getInt(iva));
      next = IAIG.with(next, done ? IIRG.get(next) : 0);
    }
    registers.set(IOTLB_REG, IVT.with(next, 0));
  }

  @Override
  public void begin() {
    gate.enter();
  }

  @Override
  public void end() {
    gate.leave();
  }

  @Override
  public long translate(int streamId, int substreamId, long iova, int access) {
    int slot = gate.enter();
    try {
      return translated(streamId, substreamId, iova, access);
    } finally {
      gate.leave(slot);
    }
  }

  private long translated(int streamId, int substreamId, long iova, int access) {
    UnitRegime now = regime;
    // What lies in the interrupt address range, or leads into it, is no memory.
    if (isMessage(iova)) {
      return FAULT;
    }
    if (!now.translates()) {
      return iova >>> PagingLayout.MEMORY_BITS == 0 ? iova : FAULT;
    }
    int sourceId = streamId & 0xffff;
    if (hasScalable && TTM.get(now.root()) == TTM_SCALABLE) {
      return scalable.translate(now, sourceId, substreamId, iova, access);
    }
    if (TTM.get(now.root()) != TTM_LEGACY) {
      return FAULT;
    }
    if (substreamId >= 0) {
      faults.dma(sourceId, substreamId, VtdFault.LEGACY_WITH_PASID, iova, (access & WRITE) != 0);
      return FAULT;
    }
    long pa = dma.translate(now, sourceId, iova, access);
    return isMessage(pa) ? FAULT : pa;
  }

  @Override
  public boolean isMessage(long address) {
    return address >>> X86MessageLayout.FEE.lsb() == X86MessageLayout.WINDOW;
  }

  /// 3.14: only a write of 4 bytes is a message.
  @Override
  public BusOutcome message(int streamId, long address, long value, int bytes) {
    int slot = gate.enter();
    try {
      return taken(streamId, address, value, bytes);
    } finally {
      gate.leave(slot);
    }
  }

  private BusOutcome taken(int streamId, long address, long value, int bytes) {
    return bytes != Integer.BYTES || (address & bytes - 1) != 0
        ? BusOutcome.ERROR
        : messages.take(regime, streamId & 0xffff, address, value);
  }

  /// With one claim of the gate for the whole access.
  @Override
  public BusOutcome write(Requester from, long address, long value, int bytes, SystemBus to) {
    int slot = gate.enter();
    try {
      if (isMessage(address)) {
        return taken(from.streamId(), address, value, bytes);
      }
      long pa = translated(from.streamId(), -1, address, WRITE);
      return pa == FAULT ? BusOutcome.ERROR : to.write(pa, value, bytes, from.deviceId());
    } finally {
      gate.leave(slot);
    }
  }
}
