package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Register;

/// The rings in memory that an IOMMU fills and software empties, and what its registers have for each.
///
/// **Source** 48882 revision 3.09, 2.5 (events), 2.6 (page requests), 2.7 (guests' interrupts), 3.4.1 (Control), 3.4.16 to 3.4.22.
enum Log {
  EVENTS(
      EventLayout.BYTES,
      new Ring(EVENT_BASE_REG, EVENT_HEAD_REG, EVENT_TAIL_REG, POINTER),
      new Switches(EVENT_LOG_EN, EVENT_INT_EN),
      new States(EVENT_LOG_RUN, EVENT_OVERFLOW, EVENT_LOG_INT)),
  PAGE_REQUESTS(
      PageRequestLayout.BYTES,
      new Ring(PPR_BASE_REG, PPR_HEAD_REG, PPR_TAIL_REG, POINTER),
      new Switches(PPR_LOG_EN, PPR_INT_EN),
      new States(PPR_LOG_RUN, PPR_OVERFLOW, PPR_INT)),
  GUESTS(
      GuestLogLayout.BYTES,
      new Ring(GA_BASE_REG, GA_HEAD_REG, GA_TAIL_REG, GA_POINTER),
      new Switches(GA_LOG_EN, GA_INT_EN),
      new States(GA_LOG_RUN, GA_LOG_OVERFLOW, GA_INT));

  /// Bytes of a ring whose length field is 0; twice as many for each step.
  private static final int UNIT = 16;

  /// Where a ring lies. The bases' fields are the same bits in all three.
  ///
  /// @param pointer of head and tail
  record Ring(Register base, Register head, Register tail, Field pointer) {}

  /// Bits of Control.
  record Switches(Field enable, Field interrupts) {}

  /// Bits of Status.
  record States(Field running, Field overflow, Field interrupt) {}

  private final int bytes;
  private final Ring ring;
  private final Switches switches;
  private final States states;

  Log(int bytes, Ring ring, Switches switches, States states) {
    this.bytes = bytes;
    this.ring = ring;
    this.switches = switches;
    this.states = states;
  }

  /// {@return bytes of a record}
  int bytes() {
    return bytes;
  }

  Register base() {
    return ring.base;
  }

  Register head() {
    return ring.head;
  }

  Register tail() {
    return ring.tail;
  }

  Field pointer() {
    return ring.pointer;
  }

  Field enable() {
    return switches.enable;
  }

  /// {@return the bit of Control that lets it interrupt}
  Field interrupts() {
    return switches.interrupts;
  }

  Field running() {
    return states.running;
  }

  Field overflow() {
    return states.overflow;
  }

  /// {@return the bit of Status that tells of a new record}
  Field interrupt() {
    return states.interrupt;
  }

  /// {@return the content of a base register}
  static long base(long address, int length) {
    return EVENT_BASE.place(address) | EVENT_LEN.place(length);
  }

  /// {@return where a ring begins by its base register}
  static long address(long base) {
    return EVENT_BASE.get(base);
  }

  /// {@return the bytes of a ring by its base register}
  static long bytes(long base) {
    return (long) UNIT << EVENT_LEN.getInt(base);
  }
}
