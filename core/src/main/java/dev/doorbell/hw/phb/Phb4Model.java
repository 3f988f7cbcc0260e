package dev.doorbell.hw.phb;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.irq.XiveEventLayout;
import java.util.List;

/// A PHB4 or PHB5, which has owners of interrupts itself (MIST), and pages with their states.
public final class Phb4Model extends PhbModel {
  /// Interrupts behind those of messages: the four of conventional PCI, and the bridge's own.
  private static final int OTHERS = 8;

  private final SystemBus bus;
  private final int interrupts;
  private final EsbModel esb;
  private final IodaTablesModel tables;

  /// @param bus where events of interrupts are stored to
  /// @param power10 whether it is a PHB5
  /// @param pes PEs, a multiple of 64
  /// @param messages interrupts of messages
  public Phb4Model(PhysicalMemory memory, SystemBus bus, boolean power10, int pes, int messages) {
    EsbModel esb = new EsbModel(messages + OTHERS);
    IodaTablesModel tables = new IodaTablesModel(memory, esb, pes, messages + OTHERS);
    super(memory, Phb4Registers.MAP, tables);
    this.bus = bus;
    this.interrupts = messages;
    this.esb = esb;
    this.tables = tables;
    esb.notify(this::tell);
    set(
        Phb4Registers.VERSION,
        power10 ? Phb4Registers.VERSION_PHB5 : Phb4Registers.VERSION.reset());
    set(Phb4Registers.IRQ_CAP, Phb4Registers.IRQS.place(messages + (long) OTHERS));
    set(Phb4Registers.EEH_CAP, Phb4Registers.PES.place(pes));
  }

  /// {@return the pages that manage its interrupts}
  public MmioDevice pages() {
    return esb;
  }

  @Override
  List<Register> errors() {
    return Phb4Registers.ERR_STATUS;
  }

  @Override
  boolean isOpen(long tve) {
    return TveLayout.NON_TRANSLATE_50.isSet(tve);
  }

  @Override
  boolean owns(int pe, int number) {
    return number < interrupts && tables.owner(number) == pe;
  }

  @Override
  void raise(int number) {
    esb.trigger(number);
  }

  @Override
  void resetInterrupts() {
    esb.reset();
  }

  private void tell(int number) {
    bus.write(
        get(Phb4Registers.NOTIFY_ADDR),
        XiveEventLayout.trigger(get(Phb4Registers.NOTIFY_INDEX), number),
        Long.BYTES,
        SystemBus.CPU);
  }
}
