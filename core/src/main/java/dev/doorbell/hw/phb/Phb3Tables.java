package dev.doorbell.hw.phb;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The tables of a PHB3: interrupts have an entry each in memory (IVT), with owner, server, priority and state. The bridge changes P and Q in their bytes;
/// what is changed here is written to memory first, and to its cache by registers.
///
/// **Source**: skiboot 7.1 `hw/phb3.c` (`phb3_init_ioda2`, `phb3_set_ive_pe`, `phb3_msi_set_xive`, `phb3_pci_msi_eoi`, `phb3_pci_msi_check_q`).
final class Phb3Tables extends PeTables {
  private static final List<Register> DETAILS =
      Stream.of(Phb3Registers.ERR1_STATUS, Phb3Registers.ERR_LOG_0, Phb3Registers.ERR_LOG_1)
          .flatMap(List::stream)
          .toList();

  /// PEs of a PHB3.
  static final int PES = 256;

  /// Entries of the table.
  static final int ENTRIES = 2048;

  private final int entryBytes;
  private final Pa ivt;
  private final Map<Integer, Integer> owners = new HashMap<>();

  Phb3Tables(Phb3Hardware hw) {
    super(hw.id(), hw.registers(), hw.memory(), hw.frames(), PES);
    try {
      entryBytes = IveLayout.bytes(get(Phb3Registers.CONTROL));
      ivt = take(tableBytes());
    } catch (RuntimeException failed) {
      super.release();
      throw failed;
    }
  }

  @Override
  void release() {
    super.release();
    frames.free(ivt, tableBytes());
  }

  private long tableBytes() {
    return (long) ENTRIES * entryBytes;
  }

  @Override
  void forgetTables() {
    super.forgetTables();
    put(Phb3Registers.IVT_BAR, 0);
  }

  private long ive(int number) {
    return ivt.value() + (long) number * entryBytes;
  }

  @Override
  void startInterrupts() {
    for (int n = 0; n < ENTRIES; n++) {
      int pe = owners.getOrDefault(n, nobody());
      long off = IveLayout.PRIORITY.place(IveLayout.MASKED) | IveLayout.PE.place(pe);
      memory.write64(ive(n), IveLayout.swapped(off));
    }
    memory.publish();
    put(Phb3Registers.IVT_BAR, Phb3Registers.IVT_ENABLE.mask() | ivt.value() | ENTRIES);
    put(Phb3Registers.RBA_BAR, 0);
    put(Phb3Registers.IVC_INVALIDATE, Phb3Registers.INVALIDATE_ALL.mask());
  }

  @Override
  List<Register> errors() {
    return Phb3Registers.ERR_STATUS;
  }

  @Override
  List<Register> details() {
    return DETAILS;
  }

  @Override
  void enableMessages() {
    put(
        Phb3Registers.CONFIG,
        get(Phb3Registers.CONFIG) | Phb3Registers.MSI32_EN.mask() | Phb3Registers.MSI64_EN.mask());
  }

  /// Killing a PE's TCEs has no document here.
  @Override
  void killOf(int pe) {
    killEvery();
  }

  @Override
  void killEvery() {
    put(Phb3Registers.TCE_KILL, Phb3Registers.KILL_ALL.mask());
    sync();
  }

  @Override
  long untranslated() {
    return TveLayout.REAL_MODE.with(TveLayout.untranslated(), 0);
  }

  @Override
  void own(int number, int pe) {
    lock.lock();
    try {
      long off = IveLayout.PRIORITY.place(IveLayout.MASKED) | IveLayout.PE.place(pe);
      memory.write64(ive(number), IveLayout.swapped(off));
      memory.publish();
      owners.put(number, pe);
      put(Phb3Registers.IVC_INVALIDATE, Phb3Registers.INVALIDATE_SID.place(number));
    } finally {
      lock.unlock();
    }
  }

  /// Says which server an interrupt goes to, and how urgently. Messages that had been held back are sent when they now get through.
  void route(int number, int server, int priority) {
    lock.lock();
    try {
      memory.write32(ive(number), IveLayout.route(server, priority));
      memory.publish();
      put(
          Phb3Registers.IVC_UPDATE,
          Phb3Registers.UPDATE_SERVER.mask()
              | Phb3Registers.UPDATE_PRI.mask()
              | Phb3Registers.SERVER.place((long) server << IveLayout.SERVER_SHIFT)
              | Phb3Registers.PRI.place(priority)
              | Phb3Registers.SID.place(number));
      if (priority != IveLayout.MASKED) {
        resend(number);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Holds an interrupt back, and forgets what has come.
  void off(int number) {
    lock.lock();
    try {
      route(number, 0, IveLayout.MASKED);
      flush();
      memory.write(ive(number) + IveLayout.P_BYTE, 0, Short.BYTES);
      memory.publish();
      put(
          Phb3Registers.IVC_UPDATE,
          Phb3Registers.UPDATE_P.mask()
              | Phb3Registers.UPDATE_Q.mask()
              | Phb3Registers.UPDATE_GEN.mask()
              | Phb3Registers.SID.place(number));
    } finally {
      lock.unlock();
    }
  }

  /// Ends an event; the next one that had come meanwhile is sent. The generation tells an end of this event from one of a later.
  void end(int number) {
    lock.lock();
    try {
      long at = ive(number) + IveLayout.P_BYTE;
      long gen = IveLayout.BYTE_GEN.get(memory.read(at, Byte.BYTES));
      long next = gen + 1 & IveLayout.BYTE_GEN.max();
      memory.write(at, IveLayout.BYTE_GEN.place(next), Byte.BYTES);
      memory.publish();
      put(
          Phb3Registers.IVC_UPDATE,
          Phb3Registers.UPDATE_P.mask()
              | Phb3Registers.UPDATE_GEN.mask()
              | Phb3Registers.UPDATE_CON.mask()
              | Phb3Registers.GEN_MATCH.place(gen)
              | Phb3Registers.GEN.place(next)
              | Phb3Registers.SID.place(number));
      resend(number);
    } finally {
      lock.unlock();
    }
  }

  /// A read of the bridge comes back behind what it had written.
  private void flush() {
    long unused = get(Phb3Registers.IVC_UPDATE);
  }

  private boolean isQueued(int number) {
    return IveLayout.BYTE_Q.isSet(memory.read(ive(number) + IveLayout.Q_BYTE, Byte.BYTES));
  }

  private void resend(int number) {
    if (!isQueued(number)) {
      flush();
      if (!isQueued(number)) {
        return;
      }
    }
    await(Phb3Registers.FFI_LOCK, Phb3Registers.LOCK_STATE.mask(), 0);
    memory.write(ive(number) + IveLayout.Q_BYTE, 0, Byte.BYTES);
    memory.publish();
    put(Phb3Registers.IVC_UPDATE, Phb3Registers.UPDATE_Q.mask() | Phb3Registers.SID.place(number));
    put(
        Phb3Registers.FFI_REQUEST,
        Phb3Registers.FFI_LOCK_CLEAR.mask() | Phb3Registers.FFI_ISN.place(number));
  }

  /// Entries lie in memory: where, PHB_IVT_BAR tells.
  @Override
  void addInterrupts(Map<String, Long> out) {}
}
