package dev.doorbell.hw.papr;

import java.util.Optional;
import java.util.OptionalInt;

/// Errors of a PE (EEH): whether it was stopped, and how it is let go on. Where the hypervisor does not have that for a function, its PE is taken to run.
///
/// **Source**: LoPAPR 1.1, 7.3.11; Linux 6.12 `arch/powerpc/platforms/pseries/eeh_pseries.c` (`pseries_eeh_get_pe_config_addr`, `pseries_eeh_get_state`).
final class PaprRecovery {
  /// Asks whether a function has a PE, and for the address of the PE.
  private static final int HAS_PE = 1;

  private static final int ADDRESS = 0;

  /// Times that a state is asked for which is not there for the moment.
  private static final int MOST = 100;

  private final PaprCalls calls;

  /// Arguments that name the PE.
  private final Optional<PaprHardware.Endpoint> pe;

  private final int address;

  private PaprRecovery(PaprCalls calls, Optional<PaprHardware.Endpoint> pe, int address) {
    this.calls = calls;
    this.pe = pe;
    this.address = address;
  }

  /// Has the hypervisor stop a PE that does what it may not.
  static PaprRecovery open(Optional<PaprHardware.Endpoint> endpoint, PaprCalls calls) {
    Optional<PaprHardware.Endpoint> pe =
        endpoint.filter(e -> isDone(calls, Calls.EEH_OPTION, e.arguments(Calls.EEH_ENABLE)));
    return new PaprRecovery(calls, pe, pe.map(e -> address(calls, e)).orElse(0));
  }

  private static boolean isDone(PaprCalls calls, String call, int[] arguments) {
    OptionalInt status = calls.ifThere(call, arguments, new int[1]);
    return status.isPresent() && status.getAsInt() == Calls.RTAS_OK;
  }

  /// {@return by which a PE is named: what the hypervisor tells, or the address of its function}
  private static int address(PaprCalls calls, PaprHardware.Endpoint e) {
    int own = e.arguments()[0];
    int[] told = new int[2];
    OptionalInt has = calls.ifThere(Calls.PE_ADDRESS, e.arguments(HAS_PE), told);
    if (has.isEmpty() || has.getAsInt() != Calls.RTAS_OK || told[1] == 0) {
      return own;
    }
    OptionalInt named = calls.ifThere(Calls.PE_ADDRESS, e.arguments(ADDRESS), told);
    return named.isPresent() && named.getAsInt() == Calls.RTAS_OK && told[1] != 0 ? told[1] : own;
  }

  private int[] arguments(PaprHardware.Endpoint e, int... more) {
    int[] out = e.arguments(more);
    out[0] = address;
    return out;
  }

  /// {@return what the hypervisor tells of the PE: {@link Calls#STATE_NORMAL} when it runs}
  ///
  /// @throws PaprException when the state is not told, or not there for too long
  int state() {
    if (pe.isEmpty()) {
      return Calls.STATE_NORMAL;
    }
    for (int tries = 1; ; tries++) {
      int[] told = calls.rtas(Calls.SLOT_STATE, 4, arguments(pe.get()));
      if (told[2] == 0) {
        return Calls.STATE_NORMAL;
      }
      if (told[1] != Calls.STATE_UNAVAILABLE || told[3] <= 0) {
        return told[1];
      }
      if (tries == MOST) {
        throw calls.unavailable(tries, MOST);
      }
      calls.letPass(told[3]);
    }
  }

  /// Lets a PE go on that was stopped.
  void thaw() {
    int state = state();
    if (state == Calls.STATE_NORMAL) {
      return;
    }
    PaprHardware.Endpoint e = pe.orElseThrow();
    if (state == Calls.STATE_RESET) {
      calls.rtas(Calls.SLOT_RESET, 1, arguments(e, 0));
    } else {
      calls.rtas(Calls.EEH_OPTION, 1, arguments(e, Calls.EEH_THAW_MMIO));
      calls.rtas(Calls.EEH_OPTION, 1, arguments(e, Calls.EEH_THAW_DMA));
    }
  }
}
