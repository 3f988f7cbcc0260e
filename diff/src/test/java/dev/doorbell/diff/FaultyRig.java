package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.gicits.GitsRegisters;
import dev.doorbell.hw.gicits.ItsCommandLayout;
import dev.doorbell.hw.gicv2.GicdRegisters;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.EventLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import java.util.List;
import java.util.Set;

/// The model with one thing wrong, to see that a comparison finds it.
final class FaultyRig implements Rig {
  /// What is wrong.
  enum Fault {
    /// CMD_TLBI_* of an address, an ASID or all do nothing.
    FORGETS_TLBI(Hardware.SMMUV3),
    /// CMD_CFGI_STE, its range and CMD_CFGI_ALL do nothing.
    FORGETS_CFGI_STE(Hardware.SMMUV3),
    /// CMD_CFGI_CD and CMD_CFGI_CD_ALL do nothing.
    FORGETS_CFGI_CD(Hardware.SMMUV3),
    /// InputAddr of an event record has a wrong bit.
    BENDS_RECORD(Hardware.SMMUV3),
    /// A message is written four bytes too high.
    MISPLACES_MESSAGE(Hardware.SMMUV3),
    /// Commands with a reserved opcode are taken.
    TAKES_ILLEGAL(Hardware.SMMUV3),
    /// CMD_TLBI_S12_VMALL does nothing; both stages, in one stream and alone.
    FORGETS_S12(Hardware.SMMUV3, SmmuDialect.QEMU_10),
    /// A device reads four bytes further on.
    MISPLACES_READ(Hardware.SMMUV3_FULL),
    /// The event queue's interrupt does not come.
    FORGETS_INTERRUPT(Hardware.SMMUV3_FULL),
    /// CLEAR leaves the interrupt pending.
    FORGETS_CLEAR(Hardware.ITS),
    /// DISCARD leaves the mapping.
    FORGETS_DISCARD(Hardware.ITS),
    /// A message goes to the event with the next number.
    MISTAKES_EVENT(Hardware.ITS),
    /// GICD_ICPENDR does nothing.
    FORGETS_ICPENDR(Hardware.GICV2M),
    /// A message raises the SPI with the next number.
    MISTAKES_SPI(Hardware.GICV2M);

    final Hardware hardware;
    final SmmuDialect dialect;

    Fault(Hardware hardware) {
      this(hardware, SmmuDialect.QEMU_7_2);
    }

    Fault(Hardware hardware, SmmuDialect dialect) {
      this.hardware = hardware;
      this.dialect = dialect;
    }
  }

  private static final Set<Integer> TLBI =
      Set.of(
          CommandLayout.CMD_TLBI_NH_VA,
          CommandLayout.CMD_TLBI_NH_VAA,
          CommandLayout.CMD_TLBI_NH_ASID,
          CommandLayout.CMD_TLBI_NH_ALL,
          CommandLayout.CMD_TLBI_NSNH_ALL);

  private final ModelRig model;
  private final Fault fault;
  private long queue = Board.COMMANDS;
  private long eventsSeen;

  FaultyRig(Fault fault) {
    this.fault = fault;
    model = new ModelRig(fault.hardware, fault.dialect.features());
  }

  @Override
  public String name() {
    return "model that " + fault;
  }

  @Override
  public void reset() {
    model.reset();
  }

  @Override
  public PhysicalMemory memory() {
    return model.memory();
  }

  @Override
  public void write(long address, long value, int bytes) {
    if (address == Board.SMMU + SmmuRegisters.CMDQ_PROD.offset()) {
      bendCommands(Board.COMMANDS, CommandLayout.BYTES);
    }
    if (address == Board.ITS + GitsRegisters.CWRITER.offset()) {
      bendCommands(queue, ItsCommandLayout.BYTES);
    }
    boolean clearsPending =
        address >= Board.GICD + GicdRegisters.ICPENDR.offset()
            && address < Board.GICD + GicdRegisters.ISACTIVER.offset();
    if (fault == Fault.FORGETS_ICPENDR && clearsPending && (int) value != -1) {
      return;
    }
    model.write(address, value, bytes);
  }

  /// Replaces commands that this machine forgets: by CMD_SYNC, or by SYNC of the first Redistributor.
  private void bendCommands(long start, int bytes) {
    for (long at = start; at < start + (1 << 16); at += bytes) {
      long word0 = model.memory().read64(at);
      int code = CommandLayout.OPCODE.getInt(word0);
      if (forgets(code)) {
        boolean smmu = fault.hardware == Hardware.SMMUV3;
        model.memory().write64(at, smmu ? CommandLayout.CMD_SYNC : ItsCommandLayout.SYNC);
        for (int i = 1; i < bytes / Long.BYTES; i++) {
          model.memory().write64(at + (long) i * Long.BYTES, 0);
        }
      }
    }
  }

  private boolean forgets(int code) {
    return switch (fault) {
      case FORGETS_TLBI -> TLBI.contains(code);
      case FORGETS_S12 -> code == CommandLayout.CMD_TLBI_S12_VMALL;
      case FORGETS_CFGI_STE ->
          code == CommandLayout.CMD_CFGI_STE || code == CommandLayout.CMD_CFGI_STE_RANGE;
      case FORGETS_CFGI_CD ->
          code == CommandLayout.CMD_CFGI_CD || code == CommandLayout.CMD_CFGI_CD_ALL;
      case TAKES_ILLEGAL -> code > CommandLayout.CMD_SYNC;
      case FORGETS_CLEAR -> code == ItsCommandLayout.CLEAR;
      case FORGETS_DISCARD -> code == ItsCommandLayout.DISCARD;
      default -> false;
    };
  }

  @Override
  public void store(long address, List<Long> words) {
    model.store(address, words);
  }

  @Override
  public long[] ask(List<Place> places) {
    long[] answers = model.ask(places);
    for (int i = 0; i < answers.length && fault == Fault.FORGETS_INTERRUPT; i++) {
      if (places.get(i).equals(SmmuLines.PENDING)) {
        answers[i] &= ~SmmuLines.EVENT_QUEUE;
      }
    }
    return answers;
  }

  @Override
  public void settle() {
    model.settle();
  }

  @Override
  public long fetch(int requester, long address) {
    return model.fetch(
        requester, fault == Fault.MISPLACES_READ ? address + Integer.BYTES : address);
  }

  @Override
  public void message(int requester, long address, int data) {
    switch (fault) {
      case MISPLACES_MESSAGE -> model.message(requester, address + Integer.BYTES, data);
      case MISTAKES_EVENT, MISTAKES_SPI -> model.message(requester, address, data + 1);
      default -> model.message(requester, address, data);
    }
    if (fault == Fault.BENDS_RECORD) {
      bendRecord();
    }
  }

  private void bendRecord() {
    List<Place> places =
        List.of(
            new Place("", Board.SMMU + SmmuRegisters.EVENTQ_PROD.offset(), 4),
            new Place("", Board.SMMU + SmmuRegisters.EVENTQ_BASE.offset(), 8));
    long[] now = model.read(places);
    long size = 1L << SmmuRegisters.OUTQ_BASE_LOG2SIZE.getInt(now[1]);
    if (now[0] != eventsSeen) {
      eventsSeen = now[0];
      long last = Board.EVENTS + (now[0] - 1 & size - 1) * EventLayout.BYTES;
      long at = last + 2L * Long.BYTES;
      model.memory().write64(at, model.memory().read64(at) ^ 1L << 13);
    }
  }

  @Override
  public void close() {
    model.close();
  }
}
