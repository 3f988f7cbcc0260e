package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;

/// A unit's registers, as the driver writes them.
final class VtdPort {
  /// Reads before something counts as not coming about.
  static final int READS = 1_000_000;

  final String id;
  private final RegisterBus bus;

  VtdPort(String id, RegisterBus bus) {
    this.id = id;
    this.bus = bus;
  }

  long get(Register r) {
    return bus.read(r.offset(), r.bytes());
  }

  void set(Register r, long value) {
    bus.write(r.offset(), value, r.bytes());
  }

  /// Reads a register that lies where a capability tells.
  long getAt(long offset) {
    return bus.read64(offset);
  }

  void setAt(long offset, long value) {
    bus.write64(offset, value);
  }

  /// Gives a command, and waits until the status tells of it.
  ///
  /// @throws VtdException when it does not
  void command(Field command, boolean on, Field status) {
    set(GCMD_REG, command.with(get(GSTS_REG) & COMMANDS, on ? 1 : 0));
    long gsts = 0;
    for (int i = 0; i < READS; i++) {
      gsts = get(GSTS_REG);
      if (status.isSet(gsts) == on) {
        return;
      }
      Thread.onSpinWait();
    }
    throw VtdException.timeout(
        id, "%s %s".formatted(status.name(), on ? "set" : "clear"), "GSTS_REG", gsts);
  }
}
