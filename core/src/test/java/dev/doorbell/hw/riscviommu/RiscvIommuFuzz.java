package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.address.Iova;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.TranslationCompletion;
import dev.doorbell.bus.TranslationRequest;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.FuzzInput;
import dev.doorbell.fuzz.WalkCheck;
import dev.doorbell.simple.PlainMemory;
import java.util.Map;
import java.util.OptionalInt;

/// A RISC-V IOMMU whose registers, commands, directories, page tables and accesses are any: it answers each, and translates to nothing wider than
/// its output. What is left in memory the walker explains as an IOMMU with empty caches translates it.
public final class RiscvIommuFuzz {
  private static final long BASE = 0x8000_0000L;
  private static final int SPAN = 0x1_0000;
  private static final long COMMANDS = BASE + 0xe000;
  private static final long FAULTS = BASE + 0xf000;
  private static final int MOST_STEPS = 256;
  private static final int OUTPUT_BITS = 48;
  private static final int GUEST_BITS = 59;
  private static final int CONTEXT_WORDS = 8;
  private static final int SLOTS = 16;
  private static final int PAGE_SHIFT = 12;
  private static final int ATP_MODE_SHIFT = 60;

  private final PlainMemory memory = new PlainMemory(BASE, SPAN);
  private final RiscvIommuFeatures features;
  private final RiscvIommuModel iommu;
  private int tail;

  private RiscvIommuFuzz(RiscvIommuFeatures features) {
    this.features = features;
    iommu = new RiscvIommuModel(features, memory, bus());
  }

  private SystemBus bus() {
    return new SystemBus() {
      @Override
      public BusOutcome write(long pa, long value, int bytes, int requester) {
        try {
          memory.write(pa, value, bytes);
          return BusOutcome.OK;
        } catch (BusErrorException e) {
          return BusOutcome.ERROR;
        }
      }

      @Override
      public BusRead read(long pa, int bytes) {
        return BusRead.error(bytes);
      }
    };
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    RiscvIommuFeatures all = RiscvIommuFeatures.usual(OUTPUT_BITS);
    RiscvIommuFeatures features =
        switch (in.next8() & 3) {
          case 1 -> all.without(MSI_FLAT.mask());
          case 2 -> all.without(SV57.mask() | SV57X4.mask() | SV48X4.mask());
          case 3 -> all.without(SV39X4.mask() | SV48X4.mask() | SV57X4.mask());
          default -> all.withT2gpa().withUpdates().withCounters();
        };
    RiscvIommuFuzz fuzz = new RiscvIommuFuzz(features);
    fuzz.start();
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      fuzz.step(in);
    }
    fuzz.walk(in);
  }

  private void start() {
    set(CQB, COMMANDS >>> 2 | 3);
    set(CQCSR, 1);
    set(FQB, FAULTS >>> 2 | 3);
    set(FQCSR, 1);
    set(DDTP, BASE >>> 2 | MODE_BARE + 1);
  }

  private void set(Register register, long value) {
    iommu.write(register.offset(), value, register.bytes(), SystemBus.CPU);
  }

  private void step(FuzzInput in) {
    switch (in.next8() % 8) {
      case 0 -> iommu.write(in.next16() & 0xffc, in.next32(), Integer.BYTES, SystemBus.CPU);
      case 1 -> set(DDTP, page(in) >>> 2 | in.next8() & 7);
      case 2 -> memory.write64(BASE + (in.next16() & (SPAN - 8)), entry(in));
      case 3 -> {
        memory.write64(COMMANDS + 16L * tail, in.next64());
        memory.write64(COMMANDS + 16L * tail + 8, in.nextWord(BASE, SPAN));
        tail = (tail + 1) % SLOTS;
        set(CQT, tail);
      }
      case 4 -> {
        long at = page(in) + (in.next8() & 0x3f) * 64L;
        memory.write64(at, in.next16() & 0xfff);
        for (int i = 1; i < CONTEXT_WORDS; i++) {
          memory.write64(at + 8L * i, entry(in));
        }
      }
      case 5 -> {
        long at = page(in) + (in.next8() & 0xff) * 16L;
        memory.write64(at, in.next32() | 1);
        memory.write64(at + 8, entry(in));
      }
      case 6 -> iommu.write(in.next16() & 0xff8, in.nextWord(BASE, SPAN), 8, SystemBus.CPU);
      default -> {
        int device = in.next8();
        int process = in.next8() - 1;
        long pa = iommu.translate(device, process, in.nextWord(0, SPAN), access(in));
        if (pa >= 0 && pa >>> OUTPUT_BITS != 0) {
          throw new IllegalStateException("0x%x is wider than the output".formatted(pa));
        }
        var unused = iommu.message(device, in.nextWord(0, SPAN), in.next32(), 4);
        ask(in, device, process);
      }
    }
  }

  /// A translation that is granted is aligned to its range, lies within the output.
  private void ask(FuzzInput in, int device, int process) {
    int kind = in.next8();
    boolean named = process >= 0;
    TranslationRequest request =
        new TranslationRequest(
            device,
            process,
            in.nextWord(0, SPAN) & -1L << PAGE_SHIFT,
            (kind & 1) != 0,
            named && (kind & 2) != 0,
            named && (kind & 4) != 0);
    if (iommu.translationRequest(request) instanceof TranslationCompletion.Success s
        && s.rights() != 0) {
      int most = T2GPA.isSet(features.capabilities()) ? GUEST_BITS : OUTPUT_BITS;
      boolean plain = s.address() % s.bytes() == 0 && s.address() >>> most == 0;
      if (!plain || Long.bitCount(s.bytes()) != 1 || s.untranslatedOnly() && s.address() != 0) {
        throw new IllegalStateException("%s is answered %s".formatted(request, s));
      }
    }
  }

  private static int access(FuzzInput in) {
    return (in.next8() & 1) == 0 ? Translator.WRITE : Translator.READ;
  }

  private static long page(FuzzInput in) {
    return BASE + ((long) (in.next8() & 0xf) << PAGE_SHIFT);
  }

  /// {@return a word as pointers, page table entries, `fsc` and `iohgatp` have it, or any}
  private static long entry(FuzzInput in) {
    return switch (in.next8() % 6) {
      case 0 -> in.next64();
      case 1 -> page(in) >>> 2 | in.next16() & 0x3ff;
      case 2 -> page(in) >>> PAGE_SHIFT | (long) in.next8() << ATP_MODE_SHIFT;
      case 3 -> page(in) >>> 2 | in.next16() & 0x3ff | (long) in.next16() << Short.SIZE * 3;
      case 4 -> 0;
      default -> in.next16();
    };
  }

  private void walk(FuzzInput in) {
    long ddtp = iommu.read(DDTP.offset(), DDTP.bytes()).value();
    RiscvIommuWalker walker =
        new RiscvIommuWalker(
            "iommu",
            Map.of(DDTP.name(), ddtp, CAPABILITIES.name(), features.capabilities()),
            WalkCheck.view(memory));
    for (int i = 0; i < 4; i++) {
      int device = in.next8();
      Iova iova = new Iova(in.nextWord(0, SPAN));
      int access = access(in);
      int process = in.next16() - 1;
      OptionalInt named = process < 0 ? OptionalInt.empty() : OptionalInt.of(process);
      RiscvIommuWalk walk = walker.walk(device, named, iova, access == Translator.WRITE);
      RiscvIommuModel fresh = new RiscvIommuModel(features, memory, bus());
      fresh.write(DDTP.offset(), ddtp, DDTP.bytes(), SystemBus.CPU);
      long modelled = fresh.translate(device, process, iova.value(), access);
      try {
        agree(modelled, walk);
      } catch (IllegalStateException e) {
        // An A or D that was set may stand in what else the access met.
        agree(modelled, walker.walk(device, named, iova, access == Translator.WRITE));
      }
    }
  }

  private static void agree(long modelled, RiscvIommuWalk walk) {
    if ((modelled == Translator.MESSAGE) != walk.file().isPresent()) {
      throw new IllegalStateException("the model says %d, the walker %s".formatted(modelled, walk));
    }
    if (modelled != Translator.MESSAGE) {
      WalkCheck.agree(modelled, walk.output(), walk.stoppedAt(), walk);
    }
  }
}
