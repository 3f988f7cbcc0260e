package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.address.Iova;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.FuzzInput;
import dev.doorbell.fuzz.WalkCheck;
import dev.doorbell.irq.X86Interrupt;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// An AMD IOMMU whose registers, commands, tables, accesses and messages are any: it answers each, and translates to nothing wider than memory.
/// What is left the walker explains as an IOMMU with empty caches takes it.
public final class AmdViFuzz {
  private static final long BASE = 0x4000_0000L;
  private static final int SPAN = 0x1_0000;
  private static final long COMMANDS = BASE + 0xe000;
  private static final long EVENTS = BASE + 0xf000;
  private static final int RING_ENTRIES = 256;
  private static final int MOST_STEPS = 256;
  private static final int OUTPUT_BITS = 52;
  private static final int DEVICES_MASK = 0x1ff;
  private static final long RUNNING =
      IOMMU_EN.mask() | EVENT_LOG_EN.mask() | CMD_BUF_EN.mask() | GA_EN.mask();

  private static final long MISSING_0 =
      DteLayout.HAD.mask()
          | DteLayout.PPR.mask()
          | DteLayout.GPRP.mask()
          | DteLayout.GIOV.mask()
          | DteLayout.GV.mask()
          | DteLayout.GLX.mask()
          | DteLayout.GCR3_A.mask();
  private static final long MISSING_1 =
      DteLayout.GCR3_B.mask() | DteLayout.GCR3_C.mask() | DteLayout.SATS.mask();
  private static final long MISSING_2 =
      DteLayout.GUEST_PAGING_MODE.mask() | DteLayout.HPT_MODE.mask();

  private final PlainMemory memory = new PlainMemory(BASE, SPAN);
  private final AmdViFeatures features;
  private final AmdViModel iommu;
  private final List<String> sent = new ArrayList<>();
  private int tail;

  private AmdViFuzz(AmdViFeatures features) {
    this.features = features;
    iommu = model();
    set(DEV_TAB_BASE_REG, BASE | 3);
    set(CMD_BUF_BASE_REG, COMMANDS | CMD_LEN.place(LEAST_LENGTH));
    set(EVENT_BASE_REG, EVENTS | EVENT_LEN.place(LEAST_LENGTH));
    set(CONTROL_REG, RUNNING);
  }

  private AmdViModel model() {
    return new AmdViModel(features, memory, this::send, _ -> {});
  }

  private boolean send(long destination, int command, boolean wide) {
    sent.add("0x%x 0x%x %b".formatted(destination, command, wide));
    return true;
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    int kind = in.next8();
    AmdViFuzz fuzz =
        new AmdViFuzz(AmdViFeatures.all().with(HATS, kind & 3).with(GA_SUP, kind >> 2 & 1 ^ 1));
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      fuzz.step(in);
    }
    fuzz.walk(in);
  }

  private void set(Register r, long value) {
    iommu.write(r.offset(), value, r.bytes(), SystemBus.CPU);
  }

  private void step(FuzzInput in) {
    switch (in.next8() % 8) {
      case 0 -> iommu.write(in.next16() & 0x3ffc, in.next32(), Integer.BYTES, SystemBus.CPU);
      case 1 -> iommu.write(in.next8() * 8L, in.nextWord(BASE, SPAN), Long.BYTES, SystemBus.CPU);
      case 2 -> set(CONTROL_REG, in.next64());
      case 3 -> memory.write64(BASE + (in.next16() & (SPAN - 8)), entry(in));
      case 4 -> {
        memory.write64(COMMANDS + 16L * tail, in.next64());
        memory.write64(COMMANDS + 16L * tail + 8, in.nextWord(BASE, SPAN));
        tail = (tail + 1) % RING_ENTRIES;
        set(CMD_TAIL_REG, 16L * tail);
      }
      case 5 -> {
        // A whole device table entry.
        long at = BASE + (in.next16() & DEVICES_MASK) * 32L;
        memory.write64(at, entry(in));
        memory.write64(at + 8, in.next16());
        memory.write64(at + 16, entry(in));
      }
      case 6 -> iommu.message(in.next16() & DEVICES_MASK, message(in), in.next16(), Integer.BYTES);
      default -> {
        int device = in.next16() & DEVICES_MASK;
        long pa = iommu.translate(device, -1, in.nextWord(0, SPAN), access(in));
        if (pa != Translator.FAULT && pa >>> OUTPUT_BITS != 0) {
          throw new IllegalStateException("0x%x is wider than memory".formatted(pa));
        }
      }
    }
  }

  private static int access(FuzzInput in) {
    return (in.next8() & 1) == 0 ? Translator.WRITE : Translator.READ;
  }

  private static long message(FuzzInput in) {
    return AmdViBench.FEE | (in.next32() & 0xf_fffcL);
  }

  private static long page(FuzzInput in) {
    return BASE + (in.next8() & 0xf) * 0x1000L;
  }

  private static long entry(FuzzInput in) {
    return switch (in.next8() % 5) {
      case 0 -> in.next64();
      case 1 -> page(in) | in.next16() & 0xfff | 3L << 61;
      case 2 -> page(in) | in.next16() & 0xfff | (long) in.next16() << Short.SIZE * 3;
      case 3 -> in.next16() | (long) in.next16() << Integer.SIZE;
      default -> in.next8();
    };
  }

  private void walk(FuzzInput in) {
    long table = iommu.read(DEV_TAB_BASE_REG.offset(), Long.BYTES).value();
    long control = iommu.read(CONTROL_REG.offset(), Long.BYTES).value();
    AmdViModel fresh = model();
    fresh.write(DEV_TAB_BASE_REG.offset(), table, Long.BYTES, SystemBus.CPU);
    long silent = control & ~(EVENT_LOG_EN.mask() | CMD_BUF_EN.mask());
    fresh.write(CONTROL_REG.offset(), silent, Long.BYTES, SystemBus.CPU);
    AmdViWalker walker =
        new AmdViWalker(
            "amd-vi", Map.of("DEVTAB_BASE", table, "CONTROL", control), WalkCheck.view(memory));
    for (int i = 0; i < 4; i++) {
      int device = in.next16() & DEVICES_MASK;
      Iova iova = new Iova(in.nextWord(0, SPAN));
      int access = access(in);
      long address = message(in);
      int data = in.next16();
      if (usesMissingFeature(DEV_TAB_BASE.get(table) + 32L * device)) {
        continue;
      }
      AmdViWalk walk = walker.dma(device, iova, access == Translator.WRITE);
      WalkCheck.agree(
          fresh.translate(device, -1, iova.value(), access), walk.output(), walk.stoppedAt(), walk);
      messages(fresh, walker, device, address, data);
    }
  }

  /// {@return whether an entry asks for what this hardware does not have, which the walker does not know}
  private boolean usesMissingFeature(long dte) {
    try {
      return (memory.read64(dte) & MISSING_0) != 0
          || (memory.read64(dte + 8) & MISSING_1) != 0
          || (memory.read64(dte + 16) & MISSING_2) != 0;
    } catch (BusErrorException e) {
      return false;
    }
  }

  private void messages(AmdViModel fresh, AmdViWalker walker, int device, long address, int data) {
    sent.clear();
    BusOutcome outcome = fresh.message(device, address, data, Integer.BYTES);
    AmdViMessage said = walker.message(device, address, data);
    boolean followed = said.guest().isEmpty() && !said.stoppedAt().orElse("").contains("cannot ");
    List<String> expected = said.interrupt().map(AmdViFuzz::print).stream().toList();
    if (followed && !expected.equals(sent) || (outcome == BusOutcome.OK) == sent.isEmpty()) {
      throw new IllegalStateException(
          "the IOMMU says %s and sends %s, the walker %s %s"
              .formatted(outcome, sent, expected, said));
    }
  }

  private static String print(X86Interrupt i) {
    return "0x%x 0x%x %b".formatted(i.destination(), i.command(), i.wide());
  }
}
