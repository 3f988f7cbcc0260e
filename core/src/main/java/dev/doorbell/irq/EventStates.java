package dev.doorbell.irq;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.IntConsumer;

/// The states of event sources (PQ), and what triggers, ends and loads make of them. Off at first. Allocates nothing. Safe for use from many threads.
///
/// **Source**: Linux 6.12 `arch/powerpc/include/asm/xive-regs.h` (the comment on ESB states); QEMU 10.0 `hw/intc/xive.c` (`xive_esb_trigger`, `xive_esb_eoi`).
public final class EventStates {
  /// What {@link #load} answers where a page has no register.
  public static final long NOTHING = -1;

  private final AtomicIntegerArray states;

  /// @param sources numbered from 0
  public EventStates(int sources) {
    states = new AtomicIntegerArray(sources);
    reset();
  }

  /// Turns all off.
  public void reset() {
    for (int i = 0; i < states.length(); i++) {
      states.set(i, EsbRegisters.OFF);
    }
  }

  /// {@return how many sources there are}
  public int count() {
    return states.length();
  }

  public int get(int source) {
    return states.get(source);
  }

  /// {@return the state before}
  public int set(int source, int pq) {
    return states.getAndSet(source, pq);
  }

  /// A source has something to tell.
  ///
  /// {@return whether an event is to be sent}
  public boolean trigger(int source) {
    return states.getAndUpdate(source, EventStates::triggered) == EsbRegisters.RESET;
  }

  private static int triggered(int pq) {
    return switch (pq) {
      case EsbRegisters.OFF -> pq;
      case EsbRegisters.RESET -> EsbRegisters.PENDING;
      default -> EsbRegisters.QUEUED;
    };
  }

  /// What was sent has been dealt with.
  ///
  /// {@return whether another event is to be sent: one had been queued}
  public boolean end(int source) {
    return states.getAndUpdate(source, EventStates::ended) == EsbRegisters.QUEUED;
  }

  private static int ended(int pq) {
    return switch (pq) {
      case EsbRegisters.OFF -> pq;
      case EsbRegisters.QUEUED -> EsbRegisters.PENDING;
      default -> EsbRegisters.RESET;
    };
  }

  /// {@return what a load from a source's page answers, once it has had its effect; {@link #NOTHING} where no register is}
  ///
  /// @param at bytes from the start of the page
  /// @param send sends an event of a source
  public long load(int source, long at, IntConsumer send) {
    if (at == EsbRegisters.EOI.offset()) {
      boolean again = end(source);
      if (again) {
        send.accept(source);
      }
      return again ? 1 : 0;
    }
    if (at == EsbRegisters.GET.offset()) {
      return get(source);
    }
    for (int pq = EsbRegisters.RESET; pq <= EsbRegisters.QUEUED; pq++) {
      if (at == EsbRegisters.setting(pq).offset()) {
        return set(source, pq);
      }
    }
    return NOTHING;
  }
}
