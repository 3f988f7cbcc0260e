package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Iova;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.FuzzInput;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// An SMMUv3 whose registers, commands, tables and accesses are any: it answers each, and translates to nothing wider than its output; and the
/// walker says something of whatever is left.
public final class SmmuFuzz {
  private static final long BASE = 0x4000_0000L;
  private static final int SPAN = 0x1_0000;
  private static final long COMMANDS = BASE + 0x4000;
  private static final long EVENTS = BASE + 0x5000;
  private static final int MOST_STEPS = 256;
  private static final SystemBus NOWHERE =
      new SystemBus() {
        @Override
        public BusOutcome write(long pa, long value, int bytes, int requester) {
          return BusOutcome.ERROR;
        }

        @Override
        public BusRead read(long pa, int bytes) {
          return BusRead.error(bytes);
        }
      };

  private final ArrayMemory memory = new ArrayMemory(BASE, SPAN);
  private final SmmuModel smmu;
  private final int outputBits;
  private int producer;

  private SmmuFuzz(SmmuFeatures features) {
    outputBits = features.outputBits();
    smmu = new SmmuModel(features, memory, NOWHERE, SmmuWires.NONE);
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    int kind = in.next8();
    SmmuFeatures features =
        ((kind & 1) == 0 ? SmmuFeatures.qemu10() : SmmuFeatures.qemu72())
            .withCachedTranslations(16)
            .withIdr0(SmmuRegisters.IDR0_MSI, kind >> 1 & 1)
            .withIdr1(SmmuRegisters.IDR1_SSIDSIZE, kind >> 2 & 7)
            .withIdr0(SmmuRegisters.IDR0_HTTU, Math.min(kind >> 5 & 3, 2))
            .withOutputBits((kind & 0x80) == 0 ? 44 : 52);
    SmmuFuzz fuzz = new SmmuFuzz(features);
    fuzz.start();
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      fuzz.step(in);
    }
    fuzz.walk(in);
  }

  private void start() {
    register(SmmuRegisters.STRTAB_BASE, BASE);
    register(SmmuRegisters.STRTAB_BASE_CFG, 8);
    register(SmmuRegisters.CMDQ_BASE, COMMANDS | 4);
    register(SmmuRegisters.EVENTQ_BASE, EVENTS | 4);
    register(SmmuRegisters.CR2, 2);
    register(SmmuRegisters.CR0, 0xd);
  }

  private void register(Register register, long value) {
    smmu.write(register.offset(), value, register.bytes(), SystemBus.CPU);
  }

  private void step(FuzzInput in) {
    switch (in.next8() % 6) {
      case 0 -> smmu.write(in.next16() * 4L & 0x1_ffff, in.next32(), 4, SystemBus.CPU);
      case 1 -> smmu.write(in.next8() * 8L, in.nextWord(BASE, SPAN), 8, SystemBus.CPU);
      case 2 -> memory.write64(BASE + (in.next16() & (SPAN - 8)), in.nextWord(BASE, SPAN));
      case 3 -> {
        memory.write64(COMMANDS + 16L * (producer & 15), in.next64());
        memory.write64(COMMANDS + 16L * (producer & 15) + 8, in.nextWord(BASE, SPAN));
        producer = (producer + 1) & 31;
        register(SmmuRegisters.CMDQ_PROD, producer);
      }
      case 4 -> {
        // A whole entry at once, as tables need it.
        long at = BASE + (in.next8() & 0x3f) * 64L;
        for (int i = 0; i < 8; i++) {
          memory.write64(at + 8L * i, in.nextWord(BASE, SPAN));
        }
      }
      default -> translate(in);
    }
  }

  private void translate(FuzzInput in) {
    int stream = in.next8();
    int substream = in.next8() - 1;
    long iova = in.nextWord(0, SPAN);
    int access = (in.next8() & 1) == 0 ? Translator.READ : Translator.WRITE;
    long pa = smmu.translate(stream, substream, iova, access);
    if (pa != Translator.FAULT && pa >>> outputBits != 0) {
      throw new IllegalStateException("0x%x is wider than the output".formatted(pa));
    }
  }

  private void walk(FuzzInput in) {
    Map<String, Long> registers = new HashMap<>();
    for (Register r : SmmuRegisters.MAP.registers()) {
      registers.put(r.name().substring("SMMU_".length()), smmu.read(r.offset(), r.bytes()).value());
    }
    SmmuWalker walker =
        new SmmuWalker(
            "smmu",
            registers,
            pa -> {
              try {
                return OptionalLong.of(memory.read64(pa & -8L));
              } catch (BusErrorException e) {
                return OptionalLong.empty();
              }
            });
    for (int stream = 0; stream < 4; stream++) {
      SmmuWalk walk =
          walker.walk(
              stream,
              (stream & 1) == 0 ? OptionalInt.empty() : OptionalInt.of(in.next8()),
              new Iova(in.nextWord(0, SPAN)),
              true);
      if (walk.output().isPresent() == walk.stoppedAt().isPresent()) {
        throw new IllegalStateException("the walk ends twice, or not: " + walk);
      }
    }
  }
}
