package dev.doorbell.hw.papr;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.fuzz.FuzzInput;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/// Any calls of a guest that manages its interrupts itself, accesses to the pages of sources and processors, and messages between them: each is answered, queues
/// are written in the guest's memory alone (the bench has no other), and a source that nobody has does nothing.
public final class PaprXiveFuzz {
  private static final int MOST_STEPS = 256;
  private static final int WORDS = 6;
  private static final long NONE = 0x3d4;

  private static final List<Long> CALLS =
      List.of(
          XiveCalls.H_INT_GET_SOURCE_INFO,
          XiveCalls.H_INT_SET_SOURCE_CONFIG,
          XiveCalls.H_INT_GET_SOURCE_CONFIG,
          XiveCalls.H_INT_GET_QUEUE_INFO,
          XiveCalls.H_INT_SET_QUEUE_CONFIG,
          XiveCalls.H_INT_GET_QUEUE_CONFIG,
          XiveCalls.H_INT_SET_OS_REPORTING_LINE,
          XiveCalls.H_INT_GET_OS_REPORTING_LINE,
          XiveCalls.H_INT_ESB,
          XiveCalls.H_INT_SYNC,
          XiveCalls.H_INT_RESET,
          NONE);

  private static final Set<Long> STATUSES =
      Set.of(
          Calls.H_SUCCESS,
          Calls.H_PARAMETER,
          XiveCalls.H_P2,
          XiveCalls.H_P3,
          XiveCalls.H_P4,
          XiveCalls.H_P5);

  private final PaprBench bench = new PaprBench(true);
  private final MmioDevice pages = bench.model.sourcePages().orElseThrow();

  private PaprXiveFuzz() {}

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    PaprXiveFuzz fuzz = new PaprXiveFuzz();
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      switch (in.next8() % 6) {
        case 0, 1 -> fuzz.call(in);
        case 2 -> fuzz.page(in);
        case 3 -> fuzz.context(in);
        case 4 -> fuzz.give(in);
        default -> fuzz.message(in);
      }
    }
  }

  private static int aSource(FuzzInput in) {
    return PaprInterruptsModel.FIRST + in.next8() % 16 - 2;
  }

  private void call(FuzzInput in) {
    long[] r = new long[1 + in.next8() % WORDS];
    r[0] = CALLS.get(in.next8() % CALLS.size());
    boolean queue =
        r[0] == XiveCalls.H_INT_SET_QUEUE_CONFIG || r[0] == XiveCalls.H_INT_GET_QUEUE_CONFIG;
    int shape = in.next8();
    for (int i = 1; i < r.length; i++) {
      r[i] = (shape >> i & 1) == 0 ? plausible(in, i, queue) : in.next64();
    }
    long asked = r[0];
    bench.model.hcall(shape & 1, r);
    boolean there =
        asked != NONE
            && asked != XiveCalls.H_INT_SET_OS_REPORTING_LINE
            && asked != XiveCalls.H_INT_GET_OS_REPORTING_LINE;
    require(
        there ? STATUSES.contains(r[0]) : r[0] == Calls.H_FUNCTION,
        () -> Calls.name(asked) + " answered " + r[0]);
  }

  /// Flags, then a source or a processor, and what may come behind it.
  private static long plausible(FuzzInput in, int index, boolean queue) {
    int any = in.next8();
    return switch (index) {
      case 1 -> any & 3;
      case 2 -> queue ? (any & 1) == 0 ? 8 : 3 : PaprInterruptsModel.FIRST + any % 16;
      case 3 -> queue ? any % 8 : (any & 1) == 0 ? 8 : (long) (any & 0xf) << 8;
      case 4 -> queue ? PaprBench.RAM + ((long) any << 12) : any % 9;
      default -> queue ? List.of(0L, 12L, 16L, 13L).get(any & 3) : any;
    };
  }

  private void page(FuzzInput in) {
    int source = aSource(in);
    long offset =
        (2L * (source - PaprInterruptsModel.FIRST) + (in.next8() & 1)) * 0x1_0000
            + ((in.next8() & 1) == 0 ? (in.next8() & 0xf) << 8 : in.next16());
    int bytes = 1 << (in.next8() & 3);
    if (offset < 0) {
      return;
    }
    boolean write = (in.next8() & 1) == 0;
    boolean done =
        write
            ? pages.write(offset, 0, bytes, SystemBus.CPU) == BusOutcome.OK
            : pages.read(offset, bytes).outcome() == BusOutcome.OK;
    require(!done || isGiven(source), () -> "the page of 0x%x, which nobody has".formatted(source));
  }

  private boolean isGiven(int source) {
    long[] r = {XiveCalls.H_INT_GET_SOURCE_CONFIG, 0, source, 0};
    bench.model.hcall(0, r);
    return r[0] == Calls.H_SUCCESS;
  }

  private void context(FuzzInput in) {
    RegisterBus context = bench.model.context(in.next8() & 1).orElseThrow();
    int offset = (in.next8() & 1) == 0 ? 0x10 + (in.next8() & 7) : in.next16();
    int bytes = 1 << (in.next8() & 3);
    try {
      if ((in.next8() & 1) == 0) {
        context.write(offset, in.next8(), bytes);
      } else {
        long unused = context.read(offset, bytes);
      }
    } catch (BusErrorException e) {
      require(e.getMessage() != null, () -> "an error without words");
    }
  }

  private void give(FuzzInput in) {
    int rid = (in.next8() & 1) == 0 ? PaprBench.RID : PaprBench.OTHER_RID;
    int[] results = new int[4];
    bench.model.rtas(
        Calls.CHANGE_MSI,
        new int[] {
          rid << 8,
          (int) (PaprBench.BUID >>> 32),
          (int) PaprBench.BUID,
          Calls.CHANGE_MSI_FN + (in.next8() & 1),
          in.next8() % 10,
          1
        },
        results);
    require(results[0] <= 0, () -> "ibm,change-msi " + results[0]);
  }

  private void message(FuzzInput in) {
    int rid = (in.next8() & 1) == 0 ? PaprBench.RID : PaprBench.OTHER_RID;
    int source = aSource(in);
    boolean sent = bench.send(rid, PaprMessagesModel.ADDRESS, source) == BusOutcome.OK;
    require(!sent || isGiven(source), () -> "0x%x raised, which nobody has".formatted(source));
  }

  /// Jazzer has no JUnit on its class path.
  private static void require(boolean holds, Supplier<String> otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise.get());
    }
  }
}
