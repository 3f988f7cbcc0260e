package dev.doorbell.hw.smmuv2;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// An SMMUv1 or SMMUv2: its Non-secure registers, stream mapping, context banks and translation, bit for bit.
///
/// It caches as eagerly as the architecture allows: leaves and table pointers stay until they are invalidated, tagged by ASID and VMID, whatever
/// becomes of the bank that they came through. Faults are not cached. A TLBI operation is done when its write returns; the accesses that
/// may use what it removed have ended when a write of SMMU_sTLBGSYNC or SMMU_CBn_TLBSYNC returns.
///
/// Accesses are 4 bytes to a register or to half of a 64-bit one, or 8 bytes to a 64-bit register; others are bus errors. Gaps of the window
/// read as zero and ignore writes. An operation with a 64-bit operand is started by the write of its low half.
///
/// **Threads** Any number may translate while others write registers. {@link #translate} takes no lock and allocates nothing unless it records
/// a fault. Code that runs between {@link #begin} and {@link #end} must not wait for a thread that may be writing to this device.
///
/// **Source** IHI 0062 D.c.
public final class SmmuV2Model implements MmioDevice, Translator {
  private final SmmuV2Features features;
  private final RegisterPage gr0 = new RegisterPage(Gr0Registers.MAP);
  private final RegisterPage gr1 = new RegisterPage(Gr1Registers.MAP);
  private final RegisterPage[] pages;
  private final BankContext[] contexts;
  private final BankDecoder decoder;
  private final FaultRecords faults;
  private final TlbOperations operations;
  private final AccessGate gate = new AccessGate();
  private final SmmuV2Path path;
  private final ReentrantLock lock = new ReentrantLock();

  /// Makes an SMMU after reset.
  ///
  /// @param features what it has
  /// @param memory where its tables lie
  public SmmuV2Model(SmmuV2Features features, PhysicalMemory memory) {
    this.features = features;
    gr0.set(Gr0Registers.IDR0, Integer.toUnsignedLong(features.idr0()));
    gr0.set(Gr0Registers.IDR1, Integer.toUnsignedLong(features.idr1()));
    gr0.set(Gr0Registers.IDR2, Integer.toUnsignedLong(features.idr2()));
    gr0.set(Gr0Registers.IDR7, Gr0Registers.IDR7_MAJOR.place(features.major()));
    pages = new RegisterPage[features.banks()];
    contexts = new BankContext[features.banks()];
    decoder = new BankDecoder(features);
    for (int i = 0; i < pages.length; i++) {
      pages[i] = new RegisterPage(BankRegisters.MAP);
      contexts[i] = decoder.decode(i, gr1, pages[i]);
    }
    faults = new FaultRecords(gr0, gr1, pages);
    Tlb tlb = new Tlb(features.cachedTranslations());
    operations = new TlbOperations(tlb, gate);
    path = new SmmuV2Path(features, faults, tlb, memory, routes());
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!answers(offset, bytes)) {
      return BusRead.error(bytes);
    }
    RegisterPage page = page(offset);
    Optional<RegisterMap.Hit> hit = hit(page, offset);
    if (page == null || hit.isEmpty()) {
      return BusRead.ok(0);
    }
    Register register = hit.get().register();
    if (bytes > register.bytes() || isAbsent(page, hit.get())) {
      return bytes > register.bytes() ? BusRead.error(bytes) : BusRead.ok(0);
    }
    long content = page.get(register, hit.get().index());
    return BusRead.ok(hit.get().part(register.access().visible(content), bytes));
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    RegisterPage page = page(offset);
    Optional<RegisterMap.Hit> hit = hit(page, offset);
    if (page == null || hit.isEmpty() || isAbsent(page, hit.get())) {
      return BusOutcome.OK;
    }
    if (bytes > hit.get().register().bytes()) {
      return BusOutcome.ERROR;
    }
    int held = gate.arrive();
    lock.lock();
    try {
      store(page, bank(offset), hit.get(), value, bytes);
    } finally {
      lock.unlock();
      gate.depart(held);
    }
    return BusOutcome.OK;
  }

  private void store(RegisterPage page, int bank, RegisterMap.Hit hit, long value, int bytes) {
    Register register = hit.register();
    int index = hit.index();
    long whole = hit.with(page.get(register, index), bytes, value);
    if (isFaultStatus(register)) {
      // Bits that are not written stay: only written ones clear or set.
      faults.write(page, register, hit.with(0, bytes, value));
      return;
    }
    if (register.access().wo() != 0) {
      page.set(register, index, whole);
      if (hit.byteOffset() == 0) {
        BankContext of = bank < 0 ? null : contexts[bank];
        operations.run(register, whole, of, of == null ? 0 : vmid(of));
      }
      return;
    }
    page.set(register, index, legal(register, page.get(register, index), whole));
    if (bank >= 0) {
      contexts[bank] = decoder.decode(bank, gr1, page);
    } else if (page == gr1) {
      contexts[index] = decoder.decode(index, gr1, pages[index]);
    }
    path.routes(routes());
  }

  /// A nested bank has the number of its stage 2's.
  private int vmid(BankContext bank) {
    boolean nested = bank.type() == Gr1Registers.TYPE_S1_S2 && bank.stage2Bank() < contexts.length;
    return nested ? contexts[bank.stage2Bank()].vmid() : bank.vmid();
  }

  /// Bits of what is not there stay zero.
  private long legal(Register register, long old, long written) {
    long next = register.legalize(old, written);
    if (register == Gr0Registers.CR0) {
      boolean extended = Gr0Registers.IDR0_EXIDS.isSet(features.idr0());
      next = extended ? next : Gr0Registers.CR0_EXIDENABLE.with(next, 0);
      next = Gr0Registers.CR0_VMID16EN.with(next, 0);
    }
    return next;
  }

  private StreamRoutes routes() {
    return new StreamRoutes(features, gr0, i -> contexts[i]);
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
      return path.translate(slot, streamId, iova, access);
    } finally {
      gate.leave(slot);
    }
  }

  private static boolean isFaultStatus(Register register) {
    return register == Gr0Registers.GFSR
        || register == Gr0Registers.GFSRRESTORE
        || register == BankRegisters.FSR
        || register == BankRegisters.FSRRESTORE;
  }

  /// {@return whether an array has fewer elements here than the architecture has room for}
  private boolean isAbsent(RegisterPage page, RegisterMap.Hit hit) {
    if (page == gr1) {
      return hit.index() >= pages.length;
    }
    if (hit.register() == Gr0Registers.SMR) {
      boolean matching = Gr0Registers.IDR0_SMS.isSet(features.idr0());
      return !matching || hit.index() >= features.entries();
    }
    return hit.register() == Gr0Registers.S2CR && hit.index() >= features.entries();
  }

  private @Nullable RegisterPage page(long offset) {
    int bank = bank(offset);
    if (bank >= 0) {
      return bank < pages.length ? pages[bank] : null;
    }
    long number = offset / features.pageBytes();
    if (number > 1) {
      return null;
    }
    return number == 0 ? gr0 : gr1;
  }

  private Optional<RegisterMap.Hit> hit(@Nullable RegisterPage page, long offset) {
    return page == null ? Optional.empty() : page.map().find(offset % features.pageBytes());
  }

  /// {@return the bank whose page an offset is in, or -1 in the lower half}
  private int bank(long offset) {
    return (int) Math.max(-1, offset / features.pageBytes() - features.pages());
  }

  private boolean answers(long offset, int bytes) {
    return (bytes == Integer.BYTES || bytes == Long.BYTES)
        && offset >= 0
        && offset + bytes <= features.windowBytes()
        && offset % bytes == 0;
  }
}
