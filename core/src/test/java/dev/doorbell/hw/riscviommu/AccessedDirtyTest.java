package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RawTables.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.TranslationCompletion.Success;
import dev.doorbell.bus.TranslationRequest;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.WalkCheck;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.GuestRefused;
import dev.doorbell.iommu.Protection;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import dev.doorbell.vmsa.Stage;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "RISC-V IOMMU 1.0, 2.1.3 (GADE, SADE), 2.4: A and D that the hardware sets, by tables of raw numbers")
class AccessedDirtyTest {
  private static final long IOVA = 0x4000_1000L;
  private static final long GPA = MEMORY + 0x9_0000;
  private static final long TARGET = 0x9000_1000L;
  private static final long GADE = 0x80;
  private static final long SADE = 0x100;
  private static final long V_R_W_U = 0x17;
  private static final long V_R_U = 0x13;
  private static final long A = 0x40;
  private static final long D = 0x80;
  private static final long S1_LEAF = S1 + 0x5000 + (IOVA >>> 12 & 0x1ff) * 8;

  private final RawTables t = new RawTables(RiscvIommuFeatures.usual(48).withUpdates().withAts());

  AccessedDirtyTest() {
    t.mode(2);
  }

  private void first(long tc, long bits) {
    t.context(ROOT, 1 | tc, 0, 0, atp(8, S1));
    t.sv39(S1, IOVA, pte(TARGET, bits));
    t.command(1, 0);
    t.command(3, 0);
  }

  private long bits(long at) {
    return t.memory.read64(at) & (A | D);
  }

  @Test
  @DisplayName("without SADE a clear A, or D of a write, is a page fault, and nothing is written")
  void firstStageOff() {
    first(0, V_R_W_U);
    assertEquals(Translator.FAULT, t.read(0, IOVA));
    assertEquals(13, t.cause());
    first(0, V_R_W_U | A);
    assertEquals(TARGET, t.read(0, IOVA));
    assertEquals(Translator.FAULT, t.write(0, IOVA));
    assertEquals(15, t.cause());
    assertEquals(A, bits(S1_LEAF));
  }

  @Test
  @DisplayName(
      "with SADE a read sets A, and a write D, also after the page was read and is cached; without the right nothing is set")
  void firstStage() {
    first(SADE, V_R_W_U);
    assertEquals(TARGET, t.read(0, IOVA));
    assertEquals(A, bits(S1_LEAF));
    assertEquals(TARGET, t.read(0, IOVA));
    assertEquals(A, bits(S1_LEAF));
    assertEquals(TARGET + 8, t.write(0, IOVA + 8));
    assertEquals(A | D, bits(S1_LEAF));
    first(SADE, V_R_U);
    assertEquals(Translator.FAULT, t.write(0, IOVA));
    assertEquals(15, t.cause());
    assertEquals(0, bits(S1_LEAF));
    first(GADE, V_R_W_U);
    assertEquals(Translator.FAULT, t.read(0, IOVA), "GADE is the second stage's");
  }

  @Test
  @DisplayName("an IOMMU without AMO_HWAD takes both for misconfigured (259)")
  void unsupported() {
    RawTables plain = new RawTables(RiscvIommuFeatures.usual(48));
    plain.mode(2);
    for (long bit : List.of(GADE, SADE)) {
      plain.context(ROOT, 1 | bit, 0, 0, 0);
      assertEquals(Translator.FAULT, plain.read(0, IOVA));
      assertEquals(259, plain.cause());
    }
  }

  /// Both stages: tables of the first lie in the page `S1` and behind it, which the second stage maps one to one with some bits.
  private void both(long tc, long tables, long page, long leaf) {
    t.context(ROOT, 1 | tc, atp(8, G), 0, atp(8, S1));
    t.sv39(S1, IOVA, pte(GPA, leaf));
    for (long at : List.of(S1, S1 + 0x4000, S1 + 0x5000)) {
      t.sv39(G, at, pte(at, tables));
    }
    t.sv39(G, GPA, pte(TARGET, page));
    t.command(1, 0);
    t.command(1 | 1 << 7, 0);
    t.command(3, 0);
  }

  private static long second(long gpa) {
    return G + 0x5000 + (gpa >>> 12 & 0x1ff) * 8;
  }

  @Test
  @DisplayName(
      "both stages: reads of first-stage tables set A of the second; an update of a first-stage leaf is a write there")
  void bothStages() {
    both(GADE | SADE, V_R_W_U, V_R_W_U, V_R_W_U);
    assertEquals(TARGET, t.write(0, IOVA));
    assertEquals(A | D, bits(S1_LEAF));
    assertEquals(A, bits(second(S1)), "read, and not written");
    assertEquals(A | D, bits(second(S1 + 0x5000)), "the table whose leaf was updated");
    assertEquals(A | D, bits(second(GPA)));
  }

  @Test
  @DisplayName(
      "both stages: where the second does not let the table be written, the update is a guest-page fault, told as an implicit write")
  void forbiddenUpdate() {
    both(GADE | SADE, V_R_U, V_R_W_U, V_R_W_U);
    assertEquals(Translator.FAULT, t.read(0, IOVA));
    assertEquals(21, t.cause());
    assertEquals(S1_LEAF | 3, t.record(3), "iotval2: implicit, and a write");
    assertEquals(0, bits(S1_LEAF));
    both(SADE, V_R_W_U | A, V_R_W_U | A | D, V_R_W_U);
    assertEquals(Translator.FAULT, t.read(0, IOVA), "D of the table's page, and no GADE");
    assertEquals(21, t.cause());
    assertEquals(S1_LEAF | 3, t.record(3));
    both(GADE, V_R_W_U, V_R_W_U, V_R_W_U | A | D);
    assertEquals(TARGET, t.write(0, IOVA));
    assertEquals(A, bits(second(S1 + 0x5000)), "nothing to update above");
  }

  @Test
  @DisplayName("2.6: a translation request that wants to write sets D where it may, else A alone")
  void translationRequests() {
    first(SADE | 2, V_R_W_U);
    TranslationRequest reads = new TranslationRequest(0, -1, IOVA, false, false, false);
    TranslationRequest writes = new TranslationRequest(0, -1, IOVA, true, false, false);
    assertEquals(new Success(TARGET, 0x1000, 1, false, false), t.model.translationRequest(reads));
    assertEquals(A, bits(S1_LEAF));
    assertEquals(new Success(TARGET, 0x1000, 3, false, false), t.model.translationRequest(writes));
    assertEquals(A | D, bits(S1_LEAF));
    first(SADE | 2, V_R_U);
    assertEquals(new Success(TARGET, 0x1000, 1, false, false), t.model.translationRequest(writes));
    assertEquals(A, bits(S1_LEAF));
  }

  @Test
  @DisplayName("a leaf that another one changes at that moment is looked at once more")
  void raced() {
    first(SADE, V_R_W_U);
    t.memory.afterRead(S1_LEAF, () -> t.memory.write64(S1_LEAF, pte(TARGET + 0x1000, V_R_W_U)));
    assertEquals(TARGET + 0x1000, t.write(0, IOVA));
    assertEquals(pte(TARGET + 0x1000, V_R_W_U | A | D), t.memory.read64(S1_LEAF));
  }

  @Test
  @DisplayName("whatever bits leaves have: the walker says beforehand what the model then does")
  void walker() {
    Property.check("A and D of both stages", 200, this::one);
  }

  private void one(SeededRandom dice) {
    long tc = (dice.nextBoolean() ? GADE : 0) | (dice.nextBoolean() ? SADE : 0);
    if (dice.nextBoolean()) {
      both(tc, any(dice), any(dice), any(dice));
    } else {
      first(tc, any(dice));
    }
    boolean write = dice.nextBoolean();
    RiscvIommuWalk walk =
        new RiscvIommuWalker(
                "iommu",
                Map.of("capabilities", t.get(0, 8), "ddtp", t.get(0x10, 8)),
                WalkCheck.view(t.memory))
            .walk(0, new Iova(IOVA), write);
    long modelled = write ? t.write(0, IOVA) : t.read(0, IOVA);
    WalkCheck.agree(modelled, walk.output(), walk.stoppedAt(), walk);
    int cause = t.cause();
    assertEquals(modelled == Translator.FAULT, cause != 0);
    assertTrue(
        cause == 0 || walk.stoppedAt().orElse("").contains("(cause " + cause + ")"),
        () -> cause + ": " + walk);
  }

  private static long any(SeededRandom dice) {
    return 0x11 | 2 | (dice.oneIn(4) ? 0 : 4) | (dice.oneIn(3) ? 0 : A) | (dice.oneIn(3) ? 0 : D);
  }

  @Test
  @DisplayName(
      "a guest has SADE where the IOMMU has it: its tables are changed by way of the host's second stage")
  void guests() {
    RiscvBench bench = new RiscvBench(RiscvIommuFeatures.usual(48).withUpdates());
    AddressSpace host = bench.iommu.createAddressSpace(Granule.K4, Stage.STAGE2);
    GuestTables guest = new GuestTables(bench.memory, GuestTables.BASE);
    guest.mapInto(host);
    host.map(new Iova(0x10_0000), new Pa(TARGET & -0x1000), 0x1000, Protection.READ_WRITE);
    bench.iommu.attach(1, host);
    List<Long> words = guest.one(0).words();
    RiscvIommuGuestContext updating =
        new RiscvIommuGuestContext(
            List.of(words.get(0) | SADE, words.get(1), words.get(2), words.get(3)));
    bench.iommu.nest(1, updating);
    guest.map(0, IOVA & 0x1f_ffff, 0x10_0000);
    long slot = guest.slot(0, IOVA & 0x1f_ffff);
    bench.memory.write64(slot, bench.memory.read64(slot) & ~(A | D));
    assertEquals(TARGET & -0x1000, bench.write(1, -1, IOVA & 0x1f_f000));
    assertEquals(A | D, bench.memory.read64(slot) & (A | D));
    RiscvBench plain = new RiscvBench();
    AddressSpace other = plain.iommu.createAddressSpace(Granule.K4, Stage.STAGE2);
    plain.iommu.attach(1, other);
    assertThrows(GuestRefused.class, () -> plain.iommu.nest(1, updating));
  }
}
