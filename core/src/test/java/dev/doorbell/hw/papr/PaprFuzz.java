package dev.doorbell.hw.papr;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.FuzzInput;
import java.util.List;
import java.util.function.Supplier;

/// Any calls of a guest, and what its functions do between them: each call is answered, a function reaches nothing but the guest's memory, and raises
/// nothing but its own interrupts.
public final class PaprFuzz {
  private static final int MOST_STEPS = 256;
  private static final int WORDS = 8;
  private static final long RAM_BYTES = 0x10_0000;

  private static final List<Long> HCALLS =
      List.of(
          Calls.H_PUT_TCE,
          Calls.H_GET_TCE,
          Calls.H_STUFF_TCE,
          Calls.H_PUT_TCE_INDIRECT,
          Calls.H_XIRR,
          Calls.H_EOI,
          Calls.H_CPPR,
          Calls.H_IPI,
          Calls.H_IPOLL,
          0x1000L);

  private static final List<String> CALLS =
      List.of(
          Calls.CHANGE_MSI,
          Calls.SOURCE_NUMBER,
          Calls.SET_XIVE,
          Calls.GET_XIVE,
          Calls.INT_OFF,
          Calls.INT_ON,
          Calls.QUERY_WINDOW,
          Calls.CREATE_WINDOW,
          Calls.REMOVE_WINDOW,
          Calls.RESET_WINDOW,
          Calls.PE_ADDRESS,
          Calls.EEH_OPTION,
          Calls.SLOT_RESET,
          Calls.SLOT_STATE,
          Calls.READ_CONFIG,
          "ibm,none");

  private final PaprBench bench = new PaprBench();

  private PaprFuzz() {}

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    PaprFuzz fuzz = new PaprFuzz();
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      switch (in.next8() & 3) {
        case 0 -> fuzz.hcall(in);
        case 1 -> fuzz.rtas(in);
        case 2 -> fuzz.access(in);
        default -> fuzz.message(in);
      }
    }
  }

  private void hcall(FuzzInput in) {
    long[] r = new long[WORDS];
    r[0] = HCALLS.get(in.next8() % HCALLS.size());
    int shape = in.next8();
    r[1] = (shape & 1) == 0 ? PaprBench.LIOBN | in.next8() << 8 | shape >> 7 & 1 : in.next64();
    r[2] = (shape & 2) == 0 ? (long) in.next16() << 12 : in.next64();
    r[3] =
        (shape & 4) == 0 ? PaprBench.RAM + ((long) in.next8() << 12) | in.next8() & 3 : in.next64();
    r[4] = (shape & 8) == 0 ? in.next16() : in.next64();
    boolean known = r[0] != 0x1000L;
    bench.model.hcall(shape >> 6 & 1, r);
    boolean lacks = r[0] == Calls.H_FUNCTION;
    require(known != lacks, () -> "H_FUNCTION of a call that is there, or none of one that is not");
    require(r[0] == Calls.H_SUCCESS || r[0] == Calls.H_PARAMETER || lacks, () -> "status " + r[0]);
  }

  private void rtas(FuzzInput in) {
    String call = CALLS.get(in.next8() % CALLS.size());
    int shape = in.next8();
    int[] arguments = new int[in.next8() % WORDS];
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = (shape >> i & 1) == 0 ? in.next8() : (int) in.next32();
    }
    boolean plausible = (shape & 0x80) == 0 && arguments.length > 3;
    if (plausible && !call.startsWith("ibm,int") && !call.endsWith("xive")) {
      arguments[0] = (in.next8() & 1) == 0 ? PaprBench.RID << 8 : PaprBench.OTHER_RID << 8;
      arguments[1] = (int) (PaprBench.BUID >>> 32);
      arguments[2] = (int) PaprBench.BUID;
    } else if (plausible) {
      arguments[0] = 0x1300 + in.next8() % 16;
    }
    int[] results = new int[1 + in.next8() % 5];
    boolean known = bench.model.rtas(call, arguments, results);
    require(known != call.equals("ibm,none"), () -> call + " is known: " + known);
    require(
        results[0] == Calls.RTAS_OK
            || results[0] == Calls.RTAS_HARDWARE
            || results[0] == Calls.RTAS_PARAMETER,
        () -> call + " " + results[0]);
  }

  private void access(FuzzInput in) {
    int rid = (in.next8() & 1) == 0 ? PaprBench.RID : PaprBench.OTHER_RID;
    int shape = in.next8();
    long at =
        switch (shape & 3) {
          case 0 -> in.next64();
          case 1 -> PaprBridgeModel.SECOND + in.next32();
          default -> (long) in.next16() << 8;
        };
    long pa = bench.access(rid, at, (shape & 4) == 0 ? Translator.READ : Translator.WRITE);
    require(
        pa == Translator.FAULT || pa >= PaprBench.RAM && pa < PaprBench.RAM + RAM_BYTES,
        () -> "0x%x leads to 0x%x".formatted(at, pa));
  }

  /// What a function raises is an interrupt that the hypervisor gave to a function of its PE.
  private void message(FuzzInput in) {
    boolean first = (in.next8() & 1) == 0;
    int rid = first ? PaprBench.RID : PaprBench.OTHER_RID;
    int number = 0x1300 + in.next8() % 16 - 2;
    if (bench.send(rid, PaprMessagesModel.ADDRESS, number) == BusOutcome.OK) {
      require(owned(rid, number), () -> "0x%x raised by 0x%x".formatted(number, rid));
    }
  }

  /// Jazzer has no JUnit on its class path.
  private static void require(boolean holds, Supplier<String> otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise.get());
    }
  }

  private boolean owned(int rid, int number) {
    for (int f = 0; f < PaprBench.QUOTA * 4; f++) {
      int[] told = new int[2];
      bench.model.rtas(
          Calls.SOURCE_NUMBER,
          new int[] {rid << 8, (int) (PaprBench.BUID >>> 32), (int) PaprBench.BUID, f},
          told);
      if (told[0] == Calls.RTAS_OK && told[1] == number) {
        return true;
      }
    }
    return false;
  }
}
