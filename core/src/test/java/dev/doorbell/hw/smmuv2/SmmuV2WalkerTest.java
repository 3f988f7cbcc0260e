package dev.doorbell.hw.smmuv2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.RawSmmu;
import dev.doorbell.testkit.SeededRandom;
import dev.doorbell.vmsa.Stage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IHI 0062 2.3 to 2.5: the walker says what the model does")
class SmmuV2WalkerTest {
  private static Map<String, Long> registers(V2Bench bench) {
    Map<String, Long> out = new HashMap<>();
    for (Register r : Gr0Registers.MAP.registers()) {
      out.put(SmmuV2Trail.name(r), bench.gr0(r, 0));
    }
    for (int i = 0; i < bench.features.entries(); i++) {
      out.put("SMR" + i, bench.gr0(Gr0Registers.SMR, i));
      out.put("S2CR" + i, bench.gr0(Gr0Registers.S2CR, i));
    }
    for (int i = 0; i < bench.features.banks(); i++) {
      out.put("CBAR" + i, bench.gr1(Gr1Registers.CBAR, i));
      out.put("CBA2R" + i, bench.gr1(Gr1Registers.CBA2R, i));
      for (Register r : BankRegisters.MAP.registers()) {
        out.put(SmmuV2Trail.bankName(i, r), bench.bank(i, r));
      }
    }
    return out;
  }

  private static MemoryView view(V2Bench bench) {
    return pa -> {
      try {
        return OptionalLong.of(bench.memory.read64(pa));
      } catch (BusErrorException e) {
        return OptionalLong.empty();
      }
    };
  }

  static SmmuV2Walk walk(V2Bench bench, int stream, long iova) {
    return new SmmuV2Walker("smmuv2@0", registers(bench), view(bench))
        .walk(stream, new Iova(iova), true);
  }

  @Test
  @DisplayName("whatever is mapped, in every format: walker and model agree on each address")
  void agrees() {
    Property.check(
        "walker and model",
        40,
        random -> {
          SmmuV2Features features =
              switch (random.below(4)) {
                case 0 -> SmmuV2Features.version1(true, false, V2Bench.WINDOW);
                case 1 -> SmmuV2Features.version1(false, true, V2Bench.WINDOW);
                case 2 ->
                    SmmuV2Features.mmu500(V2Bench.WINDOW).withIdr0(Gr0Registers.IDR0_EXIDS, 1);
                default -> SmmuV2Features.mmu500(V2Bench.WINDOW);
              };
          V2Bench bench = new V2Bench(features);
          boolean both = Gr0Registers.IDR0_NTS.isSet(features.idr0());
          SmmuV2Settings settings = SmmuV2Settings.USUAL;
          if (both && random.below(2) == 0) {
            settings = settings.with(Stage.STAGE2);
          }
          SmmuV2Driver smmu = bench.open(settings);
          List<Granule> granules = smmu.capabilities().granules();
          Granule granule = granules.get(random.below(granules.size()));
          AddressSpace space = smmu.createAddressSpace(granule);
          long bytes = granule.bytes();
          for (int i = 0; i < 12; i++) {
            long iova = random.below(64) * bytes;
            if (space.translate(new Iova(iova)).isEmpty()) {
              Protection protection =
                  random.below(2) == 0 ? Protection.READ_WRITE : Protection.DOORBELL;
              space.map(new Iova(iova), new Pa(random.below(64) * bytes), bytes, protection);
            }
          }
          smmu.attach(5, space);
          smmu.bypass(6);
          for (int stream = 4; stream < 7; stream++) {
            for (int i = 0; i < 66; i++) {
              long iova = i * bytes + 8;
              long pa = bench.write(stream, iova);
              Optional<Pa> seen = walk(bench, stream, iova).output();
              assertEquals(
                  pa == Translator.FAULT ? Optional.empty() : Optional.of(new Pa(pa)), seen);
            }
          }
        });
  }

  @Test
  @DisplayName(
      "registers of a bank, of stage 2 behind it and of its tables with flipped bits: walker and model agree on each address")
  void flipped() {
    Property.check("walker and model on flipped bits", 200, SmmuV2WalkerTest::flip);
  }

  private static void flip(SeededRandom random) {
    boolean old = random.oneIn(3);
    V2Bench bench =
        new V2Bench(
            old
                ? SmmuV2Features.version1(true, true, V2Bench.WINDOW)
                : SmmuV2Features.mmu500(V2Bench.WINDOW).withIdr1(Gr0Registers.IDR1_NUMS2CB, 1));
    SmmuV2Driver smmu = bench.open();
    Stage stage = random.oneIn(3) ? Stage.STAGE1 : Stage.STAGE2;
    AddressSpace space = smmu.createAddressSpace(Granule.K4, stage);
    V2Guest guest = new V2Guest(bench.memory, V2Bench.RAM + (512L << 20), !old);
    for (long page = 0; page < 8; page++) {
      space.map(
          new Iova(page << 12), new Pa(0x9000_0000L + (page << 13)), 0x1000, Protection.READ_WRITE);
      guest.tables.map(page << 12, (7 - page) << 12, 3, RawSmmu.S1_RW);
    }
    smmu.attach(5, space);
    if (stage == Stage.STAGE2 && random.nextBoolean()) {
      guest.mapInto(space);
      smmu.nest(5, guest.on());
    }
    for (int i = random.between(1, 2); i > 0; i--) {
      flipOne(bench, random);
    }
    bench.gr0(Gr0Registers.TLBIALLNSNH, 0, 0);
    for (long page = 0; page < 9; page++) {
      long iova = page << 12 | 8;
      long pa = bench.write(5, iova);
      SmmuV2Walk walk = walk(bench, 5, iova);
      assertEquals(
          pa == Translator.FAULT ? Optional.empty() : Optional.of(new Pa(pa)),
          walk.output(),
          () -> "0x%x: %s".formatted(iova, walk));
    }
  }

  private static void flipOne(V2Bench bench, SeededRandom random) {
    int bank = random.below(3);
    long bit = 1L << random.below(Integer.SIZE);
    switch (random.below(7)) {
      case 0 -> bench.gr1(Gr1Registers.CBAR, bank, bench.gr1(Gr1Registers.CBAR, bank) ^ bit);
      case 1 -> bench.gr1(Gr1Registers.CBA2R, bank, bench.gr1(Gr1Registers.CBA2R, bank) ^ bit & 1);
      case 2 -> bench.gr0(Gr0Registers.S2CR, 0, bench.gr0(Gr0Registers.S2CR, 0) ^ bit & 0x3_00ff);
      default -> {
        Register register =
            random.pick(
                List.of(
                    BankRegisters.SCTLR,
                    BankRegisters.TCR,
                    BankRegisters.TCR2,
                    BankRegisters.TTBR0));
        bench.bank(bank, register, bench.bank(bank, register) ^ bit);
      }
    }
  }

  @Test
  @DisplayName("every register on the way is a hop, and a stream that nothing knows says so")
  void hops() {
    V2Bench bench = new V2Bench();
    SmmuV2Driver smmu = bench.open(SmmuV2Settings.USUAL.withStreamMask(0x7c00));
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    space.map(new Iova(0x800_0000), new Pa(0x809_0000), 0x1000, Protection.DOORBELL);
    smmu.attach(0x17, space);
    SmmuV2Walk walk = walk(bench, 0x417, 0x800_0040);
    assertEquals(Optional.of(new Pa(0x809_0040)), walk.output());
    assertEquals(
        List.of("smmuv2@0", "SMR0", "S2CR0", "CBAR0", "CB0"),
        walk.hops().stream().limit(5).map(Hop::at).toList());
    assertEquals("ID=0x17 MASK=0x7c00", walk.hops().get(1).why());
    assertEquals("TYPE=stage 1, stage 2 bypassed, AArch64 tables", walk.hops().get(3).why());
    assertEquals("stage 1 level 3", walk.hops().getLast().at());
    assertTrue(
        walk(bench, 0x18, 0x800_0040)
            .stoppedAt()
            .orElseThrow()
            .contains("unidentified stream fault"));
    assertTrue(
        walk(bench, 0x17, 0x900_0000)
            .stoppedAt()
            .orElseThrow()
            .startsWith("context fault in bank"));
    bench.gr0(Gr0Registers.SMR, 9, bench.gr0(Gr0Registers.SMR, 0));
    assertTrue(walk(bench, 0x17, 0).stoppedAt().orElseThrow().contains("stream match conflict"));
    bench.gr0(Gr0Registers.CR0, 0, 1);
    assertEquals(Optional.of(new Pa(0x18)), walk(bench, 0x17, 0x18).output());
  }

  @Test
  @DisplayName(
      "what is not among the registers cannot be seen; registers that hold anything end the walk with words")
  void hostile() {
    V2Bench bench = new V2Bench();
    SmmuV2Driver smmu = bench.open();
    smmu.attach(1, smmu.createAddressSpace(Granule.K4));
    Map<String, Long> all = registers(bench);
    for (String gone :
        List.of("sCR0", "IDR0", "S2CR0", "CBAR0", "CBA2R0", "CB0_SCTLR", "CB0_TCR")) {
      Map<String, Long> some = new HashMap<>(all);
      some.remove(gone);
      SmmuV2Walk walk = new SmmuV2Walker("smmu", some, view(bench)).walk(1, new Iova(0x1000), true);
      assertTrue(walk.output().isEmpty(), gone);
      if (!gone.equals("S2CR0")) {
        assertTrue(walk.stoppedAt().orElseThrow().contains("cannot see"), gone);
      }
    }
    Property.check(
        "any registers",
        300,
        random -> {
          Map<String, Long> wrong = new HashMap<>(all);
          for (String name : List.of("SMR0", "S2CR0", "CBAR0", "CBA2R0", "CB0_TCR", "CB0_TCR2")) {
            if (random.below(2) == 0) {
              wrong.put(name, random.nextLong() & 0xffff_ffffL);
            }
          }
          wrong.put("CB0_TTBR0", random.nextLong());
          SmmuV2Walk walk =
              new SmmuV2Walker("smmu", wrong, view(bench))
                  .walk(1, new Iova(random.nextLong()), true);
          assertTrue(walk.output().isPresent() != walk.stoppedAt().isPresent());
          assertTrue(walk.hops().size() < 20);
        });
  }
}
