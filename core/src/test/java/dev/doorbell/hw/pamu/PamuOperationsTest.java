package dev.doorbell.hw.pamu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.Basis;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PAMU: what operations become")
class PamuOperationsTest {
  private static final int LIODN = 5;
  private static final long DOORBELL = 0xf_fe04_4000L;

  /// Typed from Linux 6.12 `fsl_pamu.h`: what answers a read, and what writes.
  private static final Set<Integer> READING = Set.of(0x00, 0x16, 0x17, 0x18, 0x19);

  private static final Set<Integer> WRITING = Set.of(0x01, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e);

  private final PamuRig rig = new PamuRig();
  private final PamuDriver driver = rig.driver();

  private void attached() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    s.map(new Iova(0), new Pa(0x4000_0000L), 0x10_0000, Protection.READ_WRITE);
    s.map(new Iova(0x10_0000), new Pa(DOORBELL), PamuRig.PAGE, Protection.DOORBELL);
    driver.attach(LIODN, s);
  }

  private void arrives(boolean reads, boolean writes) {
    assertEquals(reads ? 0x4000_0008L : Translator.FAULT, rig.read(LIODN, 8));
    assertEquals(writes ? 0x4000_0008L : Translator.FAULT, rig.write(LIODN, 8));
    assertEquals(writes ? DOORBELL + 0x140 : Translator.FAULT, rig.write(LIODN, 0x10_0140));
    assertEquals(writes ? DOORBELL + 0x140 : Translator.FAULT, rig.walked(LIODN, 0x10_0140));
    assertEquals(writes ? 0x4000_0008L : Translator.FAULT, rig.walked(LIODN, 8));
  }

  private long violation() {
    long status = rig.get(PamuRegisters.AVS1);
    rig.set(PamuRegisters.AVS1, status & PamuRegisters.AV_MASK);
    return status & PamuRegisters.AV_MASK;
  }

  @Test
  @DisplayName("the driver's table maps reads and writes of each of Linux's four kinds of devices")
  void indexed() {
    attached();
    arrives(true, true);
    for (int omi = 0; omi < OmtLayout.ENTRIES; omi++) {
      driver.operations(LIODN, OperationMapping.indexed(omi));
      arrives(omi <= OperationMapping.CAAM, omi <= OperationMapping.CAAM);
    }
    driver.operations(LIODN, OperationMapping.NONE);
    arrives(true, true);
    assertThrows(IllegalArgumentException.class, () -> OperationMapping.indexed(16));
    assertThrows(IllegalArgumentException.class, () -> OperationMapping.indexed(-1));
    assertThrows(IllegalArgumentException.class, () -> OperationMapping.NONE.stashing(256));
    assertThrows(IllegalArgumentException.class, () -> new OperationMapping(3, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new OperationMapping(2, 1L << 32, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> driver.operations(PamuRig.LIODNS, OperationMapping.NONE));
  }

  @Test
  @DisplayName(
      "what is mapped to nothing, or to another direction, is an operation translation violation")
  void violations() {
    attached();
    driver.operations(LIODN, OperationMapping.indexed(7));
    assertEquals(Translator.FAULT, rig.write(LIODN, 8));
    assertEquals(PamuRegisters.AVS1_OTV.place(1) | PamuRegisters.AVS1_AV.place(1), violation());
    driver.operations(LIODN, OperationMapping.immediate(OmtLayout.EOE_WRITE, OmtLayout.EOE_READI));
    arrives(false, false);
    violation();
    // A page that may not be read stays so, whatever a read becomes.
    driver.operations(LIODN, OperationMapping.immediate(OmtLayout.EOE_READ, OmtLayout.EOE_WCI));
    arrives(true, true);
    assertEquals(Translator.FAULT, rig.read(LIODN, 0x10_0140));
    assertEquals(PamuRegisters.AVS1_APV.place(1) | PamuRegisters.AVS1_AV.place(1), violation());
  }

  @Test
  @DisplayName("an index beyond OLA is refused, and told by the walker")
  void beyond() {
    attached();
    driver.operations(LIODN, OperationMapping.indexed(OperationMapping.CAAM));
    rig.set(PamuRegisters.OLAL, rig.get(PamuRegisters.OBAL) + 3L * OmtLayout.BYTES);
    // The unit kept the entry of nobody yet.
    arrives(false, false);
    assertTrue(rig.walk(LIODN, 0x10_0140).stoppedAt().orElseThrow().contains("OMI 0x3 is beyond"));
  }

  @Test
  @DisplayName("a LIODN in bypass is mapped, and stays in bypass")
  void bypass() {
    driver.bypass(9);
    driver.operations(9, OperationMapping.indexed(OperationMapping.QMAN).stashing(0x42));
    assertEquals(0x1234_5678, rig.write(9, 0x1234_5678));
    assertEquals(0x1234_5678, rig.walked(9, 0x1234_5678));
    assertEquals(0x42, PaaceLayout.CID.get(rig.entry(PamuRegisters.PPBAL, 9, PaaceLayout.IA)));
    driver.operations(9, OperationMapping.indexed(9));
    assertEquals(Translator.FAULT, rig.write(9, 0x1234_5678));
    driver.operations(10, OperationMapping.indexed(OperationMapping.QMAN));
    assertEquals(Translator.FAULT, rig.write(10, 0), "a LIODN that is blocked stays so");
  }

  @Test
  @DisplayName("the walker tells what a message's write becomes, and from where")
  void told() {
    attached();
    driver.operations(LIODN, OperationMapping.indexed(OperationMapping.FMAN));
    PamuWalk walk = rig.walk(LIODN, 0x10_0140);
    assertEquals(
        List.of("pamu PPAACE", "pamu operation mapping", "pamu SPAACE"),
        walk.hops().stream().map(h -> h.at()).toList());
    assertEquals("V=1 EOE=0x1 (WRITE)", walk.hops().get(1).out());
    assertTrue(walk.hops().get(1).why().startsWith("OMI=0x1"));
  }

  @Test
  @DisplayName(
      "a walk that ends where nothing was recorded says that it cannot see, not that the unit refuses")
  void notRecorded() {
    PamuWalk walk =
        new PamuWalker("pamu", Map.of(), at -> OptionalLong.empty(), Basis.OBSERVED)
            .walk(LIODN, new Iova(0x10_0140));
    assertEquals("cannot see: PC was not recorded", walk.stoppedAt().orElseThrow());
  }

  @Test
  @DisplayName("no memory for the table of operations: nothing is kept")
  void noMemory() {
    PlainMemory memory = new PlainMemory(0x1000_0000L, 0x2_2000);
    // Room for entries of both kinds, and for nothing more.
    CountedFrames frames = new CountedFrames(memory, 0x1000_0000L, 0x2_1000);
    assertThrows(
        OutOfFramesException.class,
        () -> PamuDriver.open("pamu", List.of(rig.registers), memory, frames, PamuRig.LIODNS));
    assertEquals(0, frames.bytesInUse());
  }

  @Test
  @DisplayName(
      "any table and any entry: model and walker say what Linux's header says of each operation")
  void property() {
    Property.check("pamu operations", 2000, this::scenario);
  }

  private void scenario(SeededRandom random) {
    rig.set(PamuRegisters.PC, PamuRegisters.PE.mask());
    driver.bypass(LIODN);
    int omi = random.below(OmtLayout.ENTRIES + 4);
    int mode = random.below(4);
    int[] moes = {random.below(256), random.below(256)};
    int[] ioes = {
      random.oneIn(3) ? random.below(256) : 0x00, random.oneIn(3) ? random.below(256) : 0x81
    };
    if (random.nextBoolean()) {
      ioes = new int[] {ioes[1], ioes[0]};
      moes = new int[] {moes[1], moes[0]};
    }
    long word =
        mode == 2
            ? random.bits(16) << 16 | omi
            : (long) ioes[0] << 24 | (long) moes[0] << 16 | (long) ioes[1] << 8 | moes[1];
    int[] table = {random.below(256), random.below(256)};
    if (omi < OmtLayout.ENTRIES) {
      rig.moe(omi, 0, table[0]);
      rig.moe(omi, 1, table[1]);
    }
    rig.entry(PamuRegisters.PPBAL, LIODN, 3, mode);
    rig.entry(PamuRegisters.PPBAL, LIODN, 7, word);
    int[] becomes = new int[2];
    for (int operation = 0; operation < 2; operation++) {
      int ioe = operation == 0 ? 0x00 : 0x81;
      becomes[operation] =
          switch (mode) {
            case 0 -> 0x80 | operation;
            case 1 -> ioes[0] == ioe ? moes[0] : ioes[1] == ioe ? moes[1] : 0;
            case 2 -> omi < OmtLayout.ENTRIES ? table[operation] : 0;
            default -> 0;
          };
    }
    boolean reads = becomes[0] >= 0x80 && READING.contains(becomes[0] & 0x7f);
    boolean writes = becomes[1] >= 0x80 && WRITING.contains(becomes[1] & 0x7f);
    assertEquals(reads ? 0x77L : Translator.FAULT, rig.read(LIODN, 0x77));
    assertEquals(writes ? 0x77L : Translator.FAULT, rig.write(LIODN, 0x77));
    assertEquals(writes ? 0x77L : Translator.FAULT, rig.walked(LIODN, 0x77));
    assertEquals(
        reads && writes ? 0x77L : Translator.FAULT,
        rig.model.translate(LIODN, -1, 0x77, Translator.READ | Translator.WRITE));
  }
}
