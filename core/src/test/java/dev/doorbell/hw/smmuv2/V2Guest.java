package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.RawSmmu;
import java.util.Map;

/// The memory of a guest, at other physical addresses than intermediate ones, with stage 1 tables of its own in it, in raw bits.
final class V2Guest {
  /// Where a guest sees its memory.
  static final long IPA = 0x1000_0000L;

  static final long BYTES = 1 << 20;

  /// The number that each guest has for its address space.
  static final int ASID = 3;

  private static final long MAIR = 0x44_0cffL;

  final RawSmmu.Tables tables;
  private final long base;
  private final boolean is64;

  /// @param base where the memory lies
  V2Guest(PlainMemory plain, long base, boolean is64) {
    this.base = base;
    this.is64 = is64;
    RawSmmu.Quadwords memory =
        new RawSmmu.Quadwords() {
          @Override
          public long get(long ipa) {
            return plain.read64(ipa - IPA + base);
          }

          @Override
          public void put(long ipa, long value) {
            plain.write64(ipa - IPA + base, value);
          }
        };
    tables = new RawSmmu.Tables(memory, is64 ? 39 : 32, 12, 1, IPA, IPA + 0x1_0000);
  }

  /// Lets stage 2 lead to this memory.
  void mapInto(AddressSpace below) {
    below.map(new Iova(IPA), new Pa(base), BYTES, Protection.READ_WRITE);
  }

  /// {@return the registers, as Linux's driver writes those of a bank of its own}
  SmmuV2GuestContext on() {
    return is64
        ? context(true, 0x1067, 0x80_3519L, 0x3_8015L)
        : context(false, 0x1067, 0x8080_3500L, 0);
  }

  /// {@return those of a bank that does not translate}
  SmmuV2GuestContext off() {
    return context(is64, 0x1066, 0, 0);
  }

  static SmmuV2GuestContext context(boolean is64, long sctlr, long tcr, long tcr2) {
    return new SmmuV2GuestContext(
        is64,
        Map.of(
            BankRegisters.SCTLR,
            sctlr,
            BankRegisters.TCR,
            tcr,
            BankRegisters.TCR2,
            tcr2,
            BankRegisters.TTBR0,
            IPA | (long) ASID << 48,
            BankRegisters.MAIR0,
            MAIR));
  }

  /// {@return an invalidation in the guest's bank}
  ///
  /// @param offset 0x600 for TLBIVA, and so on
  SmmuV2GuestOperation tlbi(int offset, long iova) {
    long operand =
        switch (offset) {
          case 0x600, 0x608, 0x620, 0x628 ->
              is64 ? (long) ASID << 48 | iova >>> 12 : iova & 0xffff_f000L | ASID;
          case 0x610 -> ASID;
          default -> 0;
        };
    return new SmmuV2GuestOperation(register(BankRegisters.MAP, offset), operand);
  }

  /// {@return what a guest writes to at an offset of a page}
  static Register register(RegisterMap page, long offset) {
    return page.find(offset).orElseThrow().register();
  }
}
