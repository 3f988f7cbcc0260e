package dev.doorbell.hw.phb;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.XicsPort;

/// A PHB3, whose interrupts are entries in memory (IVT). An entry is read anew for each message, so that invalidations and updates of the bridge's cache
/// change nothing; a read of PHB_IVC_UPDATE comes back when messages that were in flight have ended. PHB_IVT_BAR's table has entries of 16 bytes.
public final class Phb3Model extends PhbModel {
  /// PEs of a PHB3.
  public static final int PES = 256;

  private final PhysicalMemory memory;
  private final XicsPort servers;
  private final int first;
  private final int interrupts;

  /// @param servers where interrupts go
  /// @param first the number of interrupt 0 in the machine
  /// @param messages interrupts of messages
  public Phb3Model(PhysicalMemory memory, XicsPort servers, int first, int messages) {
    super(memory, Phb3Registers.MAP, new IodaTablesModel(memory, new EsbModel(0), PES, 0));
    this.memory = memory;
    this.servers = servers;
    this.first = first;
    this.interrupts = messages;
    ports.on(Phb3Registers.IVC_INVALIDATE, _ -> 0, (_, _) -> {});
    ports.on(Phb3Registers.IVC_UPDATE, _ -> flushed(), (_, _) -> {});
    ports.on(Phb3Registers.FFI_LOCK, _ -> 0);
    ports.on(Phb3Registers.FFI_REQUEST, _ -> 0, (_, v) -> raise(Phb3Registers.FFI_ISN.getInt(v)));
  }

  private long flushed() {
    drain();
    return 0;
  }

  /// {@return where an interrupt's entry is; 0 when it has none}
  private long at(int number) {
    long bar = get(Phb3Registers.IVT_BAR);
    return Phb3Registers.IVT_ENABLE.isSet(bar)
            && number < interrupts
            && number < Phb3Registers.IVT_LENGTH.get(bar)
        ? Phb3Registers.IVT_BASE.get(bar) + (long) number * IveLayout.BYTES
        : 0;
  }

  @Override
  boolean isOpen(long tve) {
    return true;
  }

  @Override
  boolean owns(int pe, int number) {
    long at = at(number);
    try {
      return at != 0 && IveLayout.PE.get(IveLayout.swapped(memory.read64(at))) == pe;
    } catch (BusErrorException nowhere) {
      return false;
    }
  }

  @Override
  void raise(int number) {
    long at = at(number);
    try {
      if (at != 0) {
        send(number, at, IveLayout.swapped(memory.read64(at)));
      }
    } catch (BusErrorException nowhere) {
      // The table is not in memory: there is nobody to be told.
      return;
    }
  }

  private void send(int number, long at, long ive) {
    if (IveLayout.Q.isSet(ive)) {
      return;
    }
    int priority = IveLayout.PRIORITY.getInt(ive);
    if (IveLayout.P.isSet(ive) || priority == IveLayout.MASKED) {
      memory.write(at + IveLayout.Q_BYTE, IveLayout.BYTE_Q.mask(), Byte.BYTES);
      return;
    }
    long p = IveLayout.BYTE_GEN.place(IveLayout.GEN.get(ive)) | IveLayout.BYTE_P.mask();
    memory.write(at + IveLayout.P_BYTE, p, Byte.BYTES);
    servers.present(IveLayout.server(ive), first + number, priority);
  }

  /// Entries are memory's, and stay.
  @Override
  void resetInterrupts() {}
}
