package dev.doorbell.hw.xive;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.fuzz.FuzzInput;
import dev.doorbell.fuzz.WalkCheck;
import dev.doorbell.irq.XiveEventLayout;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.Map;

/// Interrupt controllers of POWER9 and POWER10 whose registers and tables are any: each event ends, and reaches the thread that the walker names, and no
/// other.
public final class XiveFuzz {
  private static final long BASE = 0x1000_0000L;
  private static final int SPAN = 0x1_0000;
  private static final long ENDS = 0x1000;
  private static final long TARGETS = 0x4000;
  private static final long QUEUE = 0x8000;
  private static final long BYTES = 0x1000;
  private static final int THREADS = 4;
  private static final int MOST_STEPS = 256;

  private final PlainMemory memory = new PlainMemory(BASE, SPAN);
  private final XiveGeneration generation;
  private final XiveEventModel model;
  private final XivePort port;
  private final long notify;

  /// Whether anything but what is written here can stand in registers and memory.
  private boolean any;

  private XiveFuzz(XiveGeneration generation) {
    this.generation = generation;
    model = generation == XiveGeneration.FIRST ? new XiveModel(memory) : new Xive2Model(memory);
    ModelRegisters registers = new ModelRegisters(model);
    port =
        generation == XiveGeneration.FIRST
            ? new XivePort.First("xive", registers)
            : new XivePort.Second("xive", registers);
    notify = port.notifyOffset();
    port.table(generation.assignments(), 0, VsdLayout.direct(BASE, BYTES));
    port.table(VsdLayout.ENDT, 0, VsdLayout.direct(BASE + ENDS, BYTES));
    port.table(VsdLayout.NVTT, 0, VsdLayout.direct(BASE + TARGETS, 4 * BYTES));
    for (int thread = 0; thread < THREADS; thread++) {
      port.enable(thread);
      port.write(thread, TimaRegisters.W2, TimaRegisters.VT.mask());
    }
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    int mode = in.next8();
    XiveFuzz fuzz = new XiveFuzz((mode & 1) == 0 ? XiveGeneration.FIRST : XiveGeneration.SECOND);
    fuzz.any = (mode & 6) == 0;
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      fuzz.step(in);
    }
  }

  private void step(FuzzInput in) {
    switch (any ? in.next8() % 8 : 3 + in.next8() % 5) {
      case 0 -> model.write(in.next32() & 0x3f_fff8, in.next64(), Long.BYTES, SystemBus.CPU);
      case 1 -> {
        var unused = model.read(in.next32() & 0x3f_ffff, 1 << (in.next8() & 3));
      }
      case 2 -> memory.write32(BASE + (in.next16() & 0x7ffc), (int) in.next32());
      case 3 -> {
        // An assignment: valid or not, to one of eight descriptors, or beyond.
        long eas =
            EasLayout.VALID.place(in.next8() & 1)
                | EasLayout.MASKED.place(in.next8() >> 7 & 1)
                | EasLayout.END_INDEX.place(in.next8() & 0x87)
                | EasLayout.END_DATA.place(in.next16());
        int number = in.next8() & 7;
        memory.write64(BASE + number * (long) EasLayout.BYTES, EasLayout.swapped(eas));
        port.forget(number);
      }
      case 4 -> descriptor(in);
      case 5 ->
          memory.write32(
              BASE
                  + TARGETS
                  + (long) NvtLayout.index(in.next8() % THREADS) * generation.targetBytes(),
              (int) EndLayout.swapped(NvtLayout.VALID.place(in.next8() & 1)));
      default -> event(in.next8() & 7);
    }
  }

  private void descriptor(FuzzInput in) {
    int index = in.next8() & 7;
    long[] words =
        generation.descriptor(
            BASE + QUEUE + index * BYTES,
            BYTES,
            NvtLayout.index(in.next8() % THREADS) ^ in.next8() & 0x80,
            in.next8() % 10);
    long few = in.next32();
    few &= in.next32();
    few &= in.next32();
    words[0] &= ~few;
    long at = BASE + ENDS + (long) index * EndLayout.BYTES;
    for (int i = 0; i < words.length; i++) {
      memory.write32(at + (long) i * Integer.BYTES, (int) EndLayout.swapped(words[i]));
    }
  }

  private void event(int number) {
    for (int thread = 0; thread < THREADS && !any; thread++) {
      quieten(thread);
    }
    XiveWalk walk =
        new XiveWalker(
                "xive",
                generation,
                Map.of(
                    "EAT0",
                    VsdLayout.direct(BASE, BYTES),
                    "ENDT0",
                    VsdLayout.direct(BASE + ENDS, BYTES),
                    "NVTT0",
                    VsdLayout.direct(BASE + TARGETS, 4 * BYTES)),
                WalkCheck.view(memory))
            .walk(number);
    model.write(notify, XiveEventLayout.trigger(0, number), Long.BYTES, SystemBus.CPU);
    if (walk.thread().isPresent() == walk.stoppedAt().isPresent()) {
      throw new IllegalStateException("the walk ends twice, or not: " + walk);
    }
    for (int thread = 0; thread < THREADS && !any; thread++) {
      boolean told = read(thread, TimaRegisters.IPB) != 0;
      if (told != (walk.thread().orElse(-1) == thread)) {
        throw new IllegalStateException(
            "thread %d is told (%b), and the walker says %s".formatted(thread, told, walk));
      }
    }
  }

  /// Takes all that is pending for a thread.
  private void quieten(int thread) {
    for (int i = 0; i < EndLayout.PRIORITIES && read(thread, TimaRegisters.IPB) != 0; i++) {
      port.write(thread, TimaRegisters.CPPR, TimaRegisters.LEAST_FAVORED);
      long unused = port.read(thread, TimaRegisters.ACK);
    }
  }

  private long read(int thread, Register r) {
    return port.read(thread, r);
  }
}
