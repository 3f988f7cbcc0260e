package dev.doorbell.hw.phb;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.EsbRegisters;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The tables of a PHB4 or PHB5: owners of interrupts in the bridge itself (MIST), states of interrupts in their pages.
///
/// **Source**: skiboot 7.1 `hw/phb4.c` (`phb4_init_ioda3`, `phb4_set_ive_pe`, `phb4_tce_kill`).
final class Phb4Tables extends PeTables {
  private static final List<Register> DETAILS =
      Stream.of(Phb4Registers.ERR1_STATUS, Phb4Registers.ERR_LOG_0, Phb4Registers.ERR_LOG_1)
          .flatMap(List::stream)
          .toList();

  private final RegisterBus esb;
  private final long port;
  private final long base;
  private final int interrupts;
  private final Map<Integer, Integer> owners = new HashMap<>();

  /// @param port where it stores its events to
  /// @param base what it adds to a number there
  Phb4Tables(Phb4Hardware hw, long port, long base) {
    super(hw.id(), hw.registers(), hw.memory(), hw.frames(), pes(hw));
    this.esb = hw.esb();
    this.port = port;
    this.base = base;
    this.interrupts = Phb4Registers.IRQS.getInt(get(Phb4Registers.IRQ_CAP));
  }

  private static int pes(Phb4Hardware hw) {
    Register r = Phb4Registers.EEH_CAP;
    long value = hw.registers().read64(r.offset());
    if (value == Phb4Registers.FENCED) {
      throw PhbException.fenced(hw.id(), r.name());
    }
    return Phb4Registers.PES.getInt(value);
  }

  @Override
  void startInterrupts() {
    put(Phb4Registers.NOTIFY_ADDR, port);
    put(Phb4Registers.NOTIFY_INDEX, base);
    long before = get(Phb4Registers.CTRLR);
    long twoWindows = Phb4Registers.TVT_ADDR_SEL.with(before, 0);
    put(Phb4Registers.CTRLR, Phb4Registers.IRQ_PGSZ_64K.with(twoWindows, 1));
    for (int n = 0; n < interrupts; n++) {
      own(n, owners.getOrDefault(n, nobody()));
    }
  }

  @Override
  List<Register> errors() {
    return Phb4Registers.ERR_STATUS;
  }

  @Override
  List<Register> details() {
    return DETAILS;
  }

  @Override
  void enableMessages() {
    put(Phb4Registers.CONFIG, Phb4Registers.MSI32_EN.mask() | Phb4Registers.MSI64_EN.mask());
  }

  @Override
  void killOf(int pe) {
    kill(Phb4Registers.KILL_PE.mask() | Phb4Registers.KILL_PENUM.place(pe));
  }

  @Override
  void killEvery() {
    kill(Phb4Registers.KILL_ALL.mask());
  }

  private void kill(long what) {
    put(Phb4Registers.TCE_KILL, what);
    await(Phb4Registers.Q_DMA_R, Phb4Registers.TCE_KILL_STATUS.mask(), 0);
    sync();
  }

  @Override
  long untranslated() {
    return TveLayout.untranslated();
  }

  /// Its state is written along with its owner.
  @Override
  void own(int number, int pe) {
    lock.lock();
    try {
      long at =
          Phb4Registers.IODA_TSEL.place(Phb4Registers.MIST)
              | Phb4Registers.IODA_MIST_PWV.place(MistLayout.part(number))
              | Phb4Registers.IODA_TADR.place(number / MistLayout.PER_WORD);
      put(Phb4Registers.IODA_ADDR, at);
      put(
          Phb4Registers.IODA_DATA0,
          MistLayout.owner(number).place(pe) | MistLayout.queued(number).mask());
      owners.put(number, pe);
      pq(number, EsbRegisters.OFF);
    } finally {
      lock.unlock();
    }
  }

  /// {@return the state of an interrupt before it was set}
  int pq(int number, int pq) {
    return (int) esb.read64(EsbRegisters.at(number, EsbRegisters.setting(pq)));
  }

  /// Ends an event; the next one that had come meanwhile is sent.
  void end(int number) {
    esb.read64(EsbRegisters.at(number, EsbRegisters.EOI));
  }

  @Override
  void addInterrupts(Map<String, Long> out) {
    for (Map.Entry<Integer, Integer> owner : owners.entrySet()) {
      int number = owner.getKey();
      int word = number / MistLayout.PER_WORD;
      out.put("MIST" + word, read(Phb4Registers.MIST, word));
      if (owner.getValue() != nobody()) {
        out.put("PQ" + number, esb.read64(EsbRegisters.at(number, EsbRegisters.GET)));
      }
    }
  }
}
