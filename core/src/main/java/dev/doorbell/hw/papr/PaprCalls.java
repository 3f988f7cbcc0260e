package dev.doorbell.hw.papr;

import dev.doorbell.bus.Hypervisor;
import java.util.OptionalInt;
import java.util.function.LongConsumer;

/// Makes calls until the hypervisor has done them. What it puts off is asked for again, after the time that it names; after {@link #MOST} times that is an
/// error. Safe for use from many threads.
///
/// **Source**: LoPAPR 1.1, 7.2.8.1 (busy and extended delay); Linux 6.12 `rtas_busy_delay_time`.
public final class PaprCalls {
  /// Calls that are made before giving up.
  public static final int MOST = 1000;

  /// The longest time between two, in milliseconds: a longer delay is a hint, and may be cut.
  private static final long LONGEST = 100;

  private static final int TEN = 10;

  private final String id;
  private final Hypervisor hypervisor;
  private final LongConsumer pause;

  /// @param id who calls, for messages
  /// @param pause lets so many milliseconds pass
  public PaprCalls(String id, Hypervisor hypervisor, LongConsumer pause) {
    this.id = id;
    this.hypervisor = hypervisor;
    this.pause = pause;
  }

  /// {@return the same calls, made by another}
  public PaprCalls by(String other) {
    return new PaprCalls(other, hypervisor, pause);
  }

  /// Makes a call of RTAS.
  ///
  /// @param results how many are wanted, the status included
  /// {@return the results}
  ///
  /// @throws PaprException when it fails
  int[] rtas(String call, int results, int... arguments) {
    int[] out = new int[results];
    int status = tryRtas(call, arguments, out);
    if (status != Calls.RTAS_OK) {
      throw PaprException.refused(id, call, "status " + status);
    }
    return out;
  }

  private int tryRtas(String call, int[] arguments, int[] results) {
    return ifThere(call, arguments, results).orElseThrow(() -> PaprException.absent(id, call));
  }

  /// {@return the status, which asks no more to come again; empty where there is no such call}
  OptionalInt ifThere(String call, int[] arguments, int[] results) {
    for (int tries = 1; ; tries++) {
      if (!hypervisor.rtas(call, arguments, results)) {
        return OptionalInt.empty();
      }
      int status = results[0];
      if (status != Calls.RTAS_BUSY && !Calls.isLongBusy(status)) {
        return OptionalInt.of(status);
      }
      again(call, tries, status);
    }
  }

  /// Lets so many milliseconds pass, or as many as are waited at a time.
  void letPass(long millis) {
    pause.accept(Math.min(millis, LONGEST));
  }

  /// {@return what to throw when the state of a PE was not there so often}
  PaprException unavailable(int tries, int most) {
    return PaprException.busy(id, Calls.SLOT_STATE, tries, most, Calls.STATE_UNAVAILABLE);
  }

  /// ibm,change-msi, which is told by its sequence number that it comes again.
  ///
  /// @param arguments config_addr, BUID (2), function, number; the sequence number follows
  /// {@return the status; results: number granted, next sequence number, type}
  int changeMsi(int[] arguments, int[] results) {
    int last = arguments.length - 1;
    arguments[last] = 1;
    for (int tries = 1; ; tries++) {
      results[2] = arguments[last];
      if (!hypervisor.rtas(Calls.CHANGE_MSI, arguments, results)) {
        throw PaprException.absent(id, Calls.CHANGE_MSI);
      }
      int status = results[0];
      if (status != Calls.RTAS_BUSY && !Calls.isLongBusy(status)) {
        return status;
      }
      arguments[last] = results[2];
      again(Calls.CHANGE_MSI, tries, status);
    }
  }

  /// Makes a hypervisor call.
  ///
  /// @param registers its number and arguments; on return what it tells
  /// {@return the status, which asks no more to come again}
  long hcall(int cpu, long... registers) {
    long call = registers[0];
    long first = registers[1];
    for (int tries = 1; ; tries++) {
      hypervisor.hcall(cpu, registers);
      long status = registers[0];
      if (status != Calls.H_BUSY && !Calls.isLongBusy(status)) {
        return status;
      }
      again(Calls.name(call), tries, status);
      registers[0] = call;
      registers[1] = first;
    }
  }

  /// {@return what to throw when a hypervisor call was refused}
  PaprException refused(long call, long status) {
    return PaprException.refused(id, Calls.name(call), Calls.status(status));
  }

  private void again(String call, int tries, long status) {
    if (tries == MOST) {
      throw PaprException.busy(id, call, tries, MOST, status);
    }
    long millis = 1;
    for (long s = Calls.H_LONG_BUSY; s < status; s++) {
      millis *= TEN;
    }
    if (Calls.isLongBusy(status)) {
      letPass(millis);
    }
  }
}
