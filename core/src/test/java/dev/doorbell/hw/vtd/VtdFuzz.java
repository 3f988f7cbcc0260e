package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.address.Iova;
import dev.doorbell.bits.Register;
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

/// A remapping unit of VT-d whose registers, descriptors, tables, accesses and messages are any: it answers each, and translates to nothing wider
/// than memory. The walker says of each access and each message what a unit with empty caches does with it.
public final class VtdFuzz {
  private static final long BASE = 0x4000_0000L;
  private static final int SPAN = 0x1_0000;
  private static final long QUEUE = BASE + 0xf000;
  private static final int QUEUE_ENTRIES = 256;
  private static final int MOST_STEPS = 256;
  private static final int OUTPUT_BITS = 52;
  private static final long FEE = 0xfee0_0000L;
  private static final long IDLE = QIE.mask();

  private final PlainMemory memory = new PlainMemory(BASE, SPAN);
  private final VtdFeatures features;
  private final VtdModel unit;
  private final List<String> sent = new ArrayList<>();
  private int tail;

  private VtdFuzz(VtdFeatures features) {
    this.features = features;
    unit = new VtdModel(features, memory, this::send);
    set(unit, RTADDR_REG, BASE);
    set(unit, IRTADDR_REG, BASE + 0x8000 | 7);
    set(unit, IQA_REG, QUEUE);
    set(unit, GCMD_REG, SRTP.mask() | IDLE);
    set(unit, GCMD_REG, SIRTP.mask() | IDLE);
    set(unit, GCMD_REG, TE.mask() | IRE.mask() | IDLE);
  }

  private boolean send(long destination, int command, boolean wide) {
    sent.add(print(destination, command, wide));
    return true;
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    int kind = in.next8();
    VtdFuzz fuzz =
        new VtdFuzz(VtdFeatures.of((kind & 1) == 0 ? 48 : (kind & 2) == 0 ? 39 : 57, true));
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      fuzz.step(in);
    }
    fuzz.walk(in);
  }

  private static void set(VtdModel unit, Register r, long value) {
    unit.write(r.offset(), value, r.bytes(), SystemBus.CPU);
  }

  private void step(FuzzInput in) {
    switch (in.next8() % 8) {
      case 0 -> unit.write(in.next16() & 0xffc, in.next32(), Integer.BYTES, SystemBus.CPU);
      case 1 -> unit.write(in.next8() * 8L, in.nextWord(BASE, SPAN), Long.BYTES, SystemBus.CPU);
      case 2 -> set(unit, GCMD_REG, (long) in.next16() << Short.SIZE);
      case 3 -> memory.write64(BASE + (in.next16() & (SPAN - 8)), entry(in));
      case 4 -> {
        memory.write64(QUEUE + 16L * tail, in.next64());
        memory.write64(QUEUE + 16L * tail + 8, in.nextWord(0, SPAN));
        tail = (tail + 1) % QUEUE_ENTRIES;
        set(unit, IQT_REG, 16L * tail);
      }
      case 5 -> {
        // Two words at once, as root, context and interrupt entries have them.
        long at = page(in) + (in.next8() & 0xff) * 16L;
        memory.write64(at, entry(in));
        memory.write64(at + 8, (in.next8() & 1) == 0 ? 0 : entry(in));
      }
      case 6 -> unit.message(in.next16(), message(in), in.next16(), Integer.BYTES);
      default -> {
        long pa = unit.translate(in.next16(), -1, in.nextWord(0, SPAN), access(in));
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
    return FEE | (in.next32() & 0xf_fffcL);
  }

  private static long page(FuzzInput in) {
    return BASE + (in.next8() & 0xf) * 0x1000L;
  }

  private static long entry(FuzzInput in) {
    return switch (in.next8() % 5) {
      case 0 -> in.next64();
      case 1 -> page(in) | in.next16() & 0xfff;
      case 2 -> page(in) | 3;
      case 3 -> in.next16() | (long) in.next16() << Integer.SIZE;
      default -> in.next8();
    };
  }

  private long get(Register r) {
    return unit.read(r.offset(), r.bytes()).value();
  }

  private void walk(FuzzInput in) {
    // The unit holds what RTADDR_REG and IRTA_REG held when it was told; tell it again.
    long gsts = get(GSTS_REG);
    long root = get(RTADDR_REG);
    long table = get(IRTADDR_REG);
    VtdModel fresh = new VtdModel(features, memory, this::send);
    set(fresh, RTADDR_REG, root);
    set(fresh, IRTADDR_REG, table);
    set(fresh, GCMD_REG, SRTP.mask());
    set(fresh, GCMD_REG, SIRTP.mask());
    set(fresh, GCMD_REG, gsts & (TES.mask() | IRES.mask() | CFIS.mask()));
    VtdWalker walker =
        new VtdWalker(
            "vt-d",
            Map.of(
                "GSTS",
                gsts,
                "RTADDR",
                root,
                "IRTA",
                table,
                "CAP",
                features.cap(),
                "ECAP",
                features.ecap()),
            WalkCheck.view(memory));
    for (int i = 0; i < 4; i++) {
      int requester = in.next16();
      Iova iova = new Iova(in.nextWord(0, SPAN));
      int access = access(in);
      VtdWalk walk = walker.dma(requester, iova, access == Translator.WRITE);
      WalkCheck.agree(
          fresh.translate(requester, -1, iova.value(), access),
          walk.output(),
          walk.stoppedAt(),
          walk);
      messages(fresh, walker, requester, message(in), in.next16());
    }
  }

  private void messages(VtdModel fresh, VtdWalker walker, int requester, long address, int data) {
    sent.clear();
    BusOutcome outcome = fresh.message(requester, address, data, Integer.BYTES);
    VtdMessage said = walker.message(requester, address, data);
    boolean followed = said.posted().isEmpty() && !said.stoppedAt().orElse("").contains("cannot ");
    List<String> expected = said.interrupt().map(VtdFuzz::print).stream().toList();
    if (followed && !expected.equals(sent) || (outcome == BusOutcome.OK) == sent.isEmpty()) {
      throw new IllegalStateException(
          "the unit says %s and sends %s, the walker %s %s"
              .formatted(outcome, sent, expected, said));
    }
  }

  private static String print(X86Interrupt i) {
    return print(i.destination(), i.command(), i.wide());
  }

  private static String print(long destination, int command, boolean wide) {
    return "0x%x 0x%x %b".formatted(destination, command, wide);
  }
}
