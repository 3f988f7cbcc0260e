package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.FuzzInput;
import dev.doorbell.simple.PlainMemory;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/// An SMMUv2 whose registers, tables and accesses are any: it answers each, and translates to nothing wider than its output; and the walker says
/// of whatever is left what a model with empty caches does.
public final class SmmuV2Fuzz {
  private static final long BASE = 0x4000_0000L;
  private static final int SPAN = 0x1_0000;
  private static final long WINDOW = 0x8000;
  private static final int BANKS = 4;
  private static final int PAGES = 4;
  private static final int MOST_STEPS = 256;
  private static final int OUTPUT_BITS = 48;

  private final PlainMemory memory = new PlainMemory(BASE, SPAN);
  private final SmmuV2Features features;
  private final SmmuV2Model smmu;

  private SmmuV2Fuzz(SmmuV2Features features) {
    this.features = features;
    smmu = new SmmuV2Model(features.withCachedTranslations(16), memory);
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    SmmuV2Features features =
        switch (in.next8() & 3) {
          case 0 -> SmmuV2Features.mmu500(WINDOW).withIdr0(Gr0Registers.IDR0_EXIDS, 1);
          case 1 -> SmmuV2Features.mmu500(WINDOW).withIdr2(Gr0Registers.IDR2_PTFSV8_16KB, 1);
          case 2 -> SmmuV2Features.version1(true, true, WINDOW);
          default ->
              SmmuV2Features.mmu500(WINDOW)
                  .withIdr0(Gr0Registers.IDR0_SMS, 0)
                  .withIdr1(Gr0Registers.IDR1_NUMS2CB, 1);
        };
    SmmuV2Fuzz fuzz = new SmmuV2Fuzz(features);
    fuzz.smmu.write(Gr0Registers.CR0.offset(), 0, 4, SystemBus.CPU);
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      fuzz.step(in);
    }
    fuzz.walk(in);
  }

  private void step(FuzzInput in) {
    switch (in.next8() % 5) {
      case 0 -> smmu.write(in.next16() & (WINDOW - 4), in.next32(), 4, SystemBus.CPU);
      case 1 -> {
        long bank = (PAGES + (in.next8() & (BANKS - 1))) * 0x1000L;
        smmu.write(bank + in.next8() * 8L, in.nextWord(BASE, SPAN), 8, SystemBus.CPU);
      }
      case 2 -> memory.write64(BASE + (in.next16() & (SPAN - 8)), in.nextWord(BASE, SPAN));
      case 3 -> {
        // A stream of its own for a bank.
        int index = in.next8() & 7;
        smmu.write(Gr0Registers.SMR.offset(index), in.next32(), 4, SystemBus.CPU);
        smmu.write(Gr0Registers.S2CR.offset(index), in.next8() & 7, 4, SystemBus.CPU);
      }
      default -> {
        int access = (in.next8() & 1) == 0 ? Translator.READ : Translator.WRITE;
        long pa = smmu.translate(in.next16(), -1, in.nextWord(0, SPAN), access);
        if (pa != Translator.FAULT && pa >>> OUTPUT_BITS != 0) {
          throw new IllegalStateException("0x%x is wider than the output".formatted(pa));
        }
      }
    }
  }

  private void walk(FuzzInput in) {
    Map<String, Long> registers = new HashMap<>();
    for (Register r : Gr0Registers.MAP.registers()) {
      for (int i = 0; i < r.count(); i++) {
        long value = smmu.read(r.offset(i), r.bytes()).value();
        registers.put(SmmuV2Trail.name(r) + (r.count() > 1 ? "" + i : ""), value);
      }
    }
    for (Register r : Gr1Registers.MAP.registers()) {
      for (int i = 0; i < BANKS; i++) {
        registers.put(SmmuV2Trail.name(r) + i, smmu.read(0x1000 + r.offset(i), 4).value());
      }
    }
    for (int i = 0; i < BANKS; i++) {
      for (Register r : BankRegisters.MAP.registers()) {
        long at = (PAGES + i) * 0x1000L + r.offset();
        registers.put(SmmuV2Trail.bankName(i, r), smmu.read(at, r.bytes()).value());
      }
    }
    SmmuV2Walker walker =
        new SmmuV2Walker(
            "smmu",
            registers,
            pa -> {
              try {
                return OptionalLong.of(memory.read64(pa & -8L));
              } catch (BusErrorException e) {
                return OptionalLong.empty();
              }
            });
    SmmuV2Model fresh = fresh();
    for (int i = 0; i < 4; i++) {
      int stream = in.next16();
      long iova = in.nextWord(0, SPAN);
      SmmuV2Walk walk = walker.walk(stream, new Iova(iova), true);
      if (walk.output().isPresent() == walk.stoppedAt().isPresent()) {
        throw new IllegalStateException("the walk ends twice, or not: " + walk);
      }
      long pa = fresh.translate(stream, -1, iova, Translator.WRITE);
      // Of the upper half nothing is walked, and accesses are walked as unprivileged ones.
      if (iova >>> Integer.SIZE == 0
          && !privileged()
          && pa != walk.output().map(Pa::value).orElse(Translator.FAULT)) {
        throw new IllegalStateException(
            "stream 0x%x at 0x%x goes to 0x%x: %s".formatted(stream, iova, pa, walk));
      }
    }
  }

  private boolean privileged() {
    for (int i = 0; i < Gr0Registers.S2CR.count(); i++) {
      long way = smmu.read(Gr0Registers.S2CR.offset(i), 4).value();
      if (Gr0Registers.S2CR_PRIVCFG.getInt(way) > 2) {
        return true;
      }
    }
    return false;
  }

  /// {@return a model with the same registers, and nothing in its caches}
  private SmmuV2Model fresh() {
    SmmuV2Model out = new SmmuV2Model(features.withCachedTranslations(16), memory);
    copy(Gr0Registers.MAP, 0, out);
    copy(Gr1Registers.MAP, 0x1000, out);
    for (int i = 0; i < BANKS; i++) {
      copy(BankRegisters.MAP, (PAGES + i) * 0x1000L, out);
    }
    return out;
  }

  private void copy(RegisterMap page, long at, SmmuV2Model to) {
    for (Register r : page.registers()) {
      for (int i = 0; r.access().rw() != 0 && i < r.count(); i++) {
        long offset = at + r.offset(i);
        to.write(offset, smmu.read(offset, r.bytes()).value(), r.bytes(), SystemBus.CPU);
      }
    }
  }
}
