package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.GuestRefused;
import dev.doorbell.iommu.Protection;
import dev.doorbell.testkit.RawSmmu;
import dev.doorbell.vmsa.Stage;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "IHI 0070 3.3.3, 4.3.7: a guest's stage 1 above the host's stage 2, as the driver puts it there")
class SmmuGuestTest {
  private static final int SID = 0x108;
  private static final long AT = 0x10_0000;

  private final DriverBench bench = new DriverBench();
  private final SmmuModel model =
      bench.model(
          SmmuFeatures.qemu10()
              .withIdr1(SmmuRegisters.IDR1_SSIDSIZE, 8)
              .withIdr0(SmmuRegisters.IDR0_CD2L, 1));
  private final SmmuDriver smmu = bench.open(model);
  private final AddressSpace below = smmu.createAddressSpace(Granule.K4, Stage.STAGE2);
  private final GuestMemory guest = new GuestMemory(bench.memory, GuestMemory.BASE);

  @BeforeEach
  void attach() {
    guest.mapInto(below);
    below.map(new Iova(0x5000), new Pa(0xb5000), 0x1000, Protection.READ_WRITE);
    below.map(new Iova(0x6000), new Pa(0xb6000), 0x1000, Protection.READ_WRITE);
    smmu.attach(SID, below);
  }

  private long write(int substream, long iova) {
    return model.translate(SID, substream, iova, Translator.WRITE);
  }

  private SmmuGuestCommand tlbi(int opcode, int asid, long at) {
    // The guest's VMID is none of the host's; the range fields are tried in another test.
    long[] words = RawSmmu.tlbi(opcode, 0x7f, asid, at, true);
    return new SmmuGuestCommand(List.of(words[0], words[1]));
  }

  @Test
  @DisplayName("an access goes through the guest's tables and then through the host's")
  void both() {
    guest.table(0).map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.entry());
    assertEquals(0xb5000, write(-1, AT));
    assertEquals(Translator.FAULT, write(-1, 0x5000), "an IPA is no IOVA any more");
    guest.table(1).map(AT, 0x6000, 3, RawSmmu.S1_RW);
    assertEquals(0xb6000, write(GuestMemory.SUBSTREAM, AT));
    below.unmap(new Iova(0x5000), 0x1000);
    assertEquals(Translator.FAULT, write(-1, AT), "gone for both stages at once");
    smmu.nest(SID, new SmmuGuestEntry(List.of(RawSmmu.ste(4)[0], 0L)));
    assertEquals(0xb6008, write(-1, 0x6008), "the guest's bypass leaves stage 2");
    smmu.nest(SID, guest.entry());
    assertEquals(0xb6000, write(GuestMemory.SUBSTREAM, AT));
    smmu.block(SID);
    assertEquals(Translator.FAULT, write(GuestMemory.SUBSTREAM, AT));
    below.close();
    smmu.close();
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("attaching the stream to its stage 2 again takes the guest's stage 1 away")
  void again() {
    guest.table(0).map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.entry());
    assertEquals(0xb5000, write(-1, AT));
    smmu.attach(SID, below);
    assertEquals(0xb6000, write(-1, 0x6000));
    assertEquals(Translator.FAULT, write(-1, AT));
  }

  @ParameterizedTest
  @CsvSource({"0", "1"})
  @DisplayName("a guest's entry that is not valid, or aborts, aborts")
  void aborts(long valid) {
    smmu.nest(SID, new SmmuGuestEntry(List.of(valid, 0L)));
    assertEquals(Translator.FAULT, write(-1, 0x5000));
  }

  @ParameterizedTest(name = "command 0x{0}")
  @CsvSource({"10", "11", "12", "13", "30"})
  @DisplayName(
      "IHI 0070 4.4: what the guest drops goes by the host's VMID, whatever VMID the guest wrote")
  void guestDrops(String opcode) {
    guest.table(0).map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.entry());
    assertEquals(0xb5000, write(-1, AT));
    guest.table(0).unmap(AT, 3);
    assertEquals(0xb5000, write(-1, AT), "cached, as nobody has dropped it");
    smmu.guestInvalidates(SID, List.of(tlbi(Integer.parseInt(opcode, 16), 1, AT)));
    assertEquals(Translator.FAULT, write(-1, AT));
  }

  @Test
  @DisplayName("a guest's range drops at least that range")
  void range() {
    for (int opcode : List.of(0x12, 0x13)) {
      guest.table(0).map(AT, 0x5000, 3, RawSmmu.S1_RW);
      smmu.nest(SID, guest.entry());
      assertEquals(0xb5000, write(-1, AT));
      guest.table(0).unmap(AT, 3);
      long[] words = RawSmmu.tlbiRange(RawSmmu.tlbi(opcode, 0, 1, AT - 0x3000, true), 1, 0, 3, 3);
      smmu.guestInvalidates(SID, List.of(new SmmuGuestCommand(List.of(words[0], words[1]))));
      assertEquals(Translator.FAULT, write(-1, AT));
    }
  }

  @Test
  @DisplayName(
      "a descriptor that the guest changes counts once it has said so, by its own number of the stream")
  void descriptors() {
    guest.table(0).map(AT, 0x5000, 3, RawSmmu.S1_RW);
    guest.table(1).map(AT, 0x6000, 3, RawSmmu.S1_RW);
    for (boolean all : List.of(false, true)) {
      guest.context(0, 0);
      smmu.nest(SID, guest.entry());
      smmu.guestInvalidates(SID, List.of(tlbi(0x11, 1, 0)));
      assertEquals(0xb5000, write(-1, AT));
      guest.context(0, 1);
      assertEquals(0xb5000, write(-1, AT));
      long[] cd = all ? new long[] {6L | 0x99L << 32, 0} : RawSmmu.cfgiCd(0x99, 0, true);
      smmu.guestInvalidates(
          SID, List.of(new SmmuGuestCommand(List.of(cd[0], cd[1])), tlbi(0x11, 1, 0)));
      assertEquals(0xb6000, write(-1, AT));
    }
  }

  @Test
  @DisplayName("a guest drops nothing of another one")
  void otherGuests() {
    SmmuGuestCommand all = tlbi(0x30, 0, 0);
    AddressSpace others = smmu.createAddressSpace(Granule.K4, Stage.STAGE2);
    GuestMemory second = new GuestMemory(bench.memory, GuestMemory.BASE + GuestMemory.BYTES);
    second.mapInto(others);
    others.map(new Iova(0x5000), new Pa(0xc5000), 0x1000, Protection.READ_WRITE);
    smmu.attach(9, others);
    smmu.nest(9, second.entry());
    second.table(0).map(AT, 0x5000, 3, RawSmmu.S1_RW);
    assertEquals(0xc5000, model.translate(9, -1, AT, Translator.WRITE));
    second.table(0).unmap(AT, 3);
    smmu.nest(SID, guest.entry());
    smmu.guestInvalidates(SID, List.of(all));
    assertEquals(0xc5000, model.translate(9, -1, AT, Translator.WRITE), "still cached");
    smmu.guestInvalidates(9, List.of(all));
    assertEquals(Translator.FAULT, model.translate(9, -1, AT, Translator.WRITE));
  }

  @ParameterizedTest(name = "{0} {1}: {2}")
  @CsvSource({
    "d, 0, 'Config is 0xd, of which 0xc'",
    "f, 0, 'Config is 0xf, of which 0xe'",
    "f00000000000000b, 0, 'S1CDMax (30 bits of SubstreamID, the SMMU has 8) is 0xf00000000000000b, of which 0xf000000000000000'",
    "b, 10000000, 'word 1 is 0x10000000, of which 0x10000000'",
    "b, 100, 'word 1 is 0x100, of which 0x100'",
    "b, 100000000000, 'word 1 is 0x100000000000, of which 0x100000000000'",
    "10000000000000b, 0, 'word 0 is 0x10000000000000b, of which 0x100000000000000'",
  })
  @DisplayName(
      "a guest's entry that asks for what is not the guest's is refused, and the stream stays as it was")
  void refusedEntries(String w0, String w1, String why) {
    SmmuGuestEntry entry =
        new SmmuGuestEntry(List.of(Long.parseUnsignedLong(w0, 16), Long.parseUnsignedLong(w1, 16)));
    GuestRefused refused = assertThrows(GuestRefused.class, () -> smmu.nest(SID, entry));
    assertEquals(
        "smmuv3@0x9050000 refuses a guest's stream table entry: " + why, refused.getMessage());
    assertEquals(0xb5000, write(-1, 0x5000));
  }

  @Test
  @DisplayName("commands that are not a guest's are refused before any is carried out")
  void refusedCommands() {
    guest.table(0).map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.entry());
    assertEquals(0xb5000, write(-1, AT));
    guest.table(0).unmap(AT, 3);
    for (int opcode : List.of(0x01, 0x03, 0x04, 0x20, 0x28, 0x2a, 0x40, 0x44, 0x46, 0xff)) {
      List<SmmuGuestCommand> both =
          List.of(tlbi(0x30, 0, 0), new SmmuGuestCommand(List.of((long) opcode, 0L)));
      assertThrows(GuestRefused.class, () -> smmu.guestInvalidates(SID, both));
    }
    assertEquals(0xb5000, write(-1, AT));
    assertEquals(
        "smmuv3@0x9050000 refuses a guest's CMD_TLBI_S12_VMALL (0x28 0x0)",
        assertThrows(
                GuestRefused.class,
                () -> smmu.guestInvalidates(SID, List.of(new SmmuGuestCommand(List.of(0x28L, 0L)))))
            .getMessage());
  }

  @Test
  @DisplayName("a stream without stage 2, or an SMMU without stage 1, takes no guest")
  void withoutStage2() {
    smmu.attach(SID, smmu.createAddressSpace(Granule.K4));
    assertEquals(
        "stream 0x108 of smmuv3@0x9050000 has no stage 2 that a guest's stage 1 could lie above; attach it to an address space of stage 2 first",
        assertThrows(IllegalStateException.class, () -> smmu.nest(SID, guest.entry()))
            .getMessage());
    assertThrows(IllegalStateException.class, () -> smmu.guestInvalidates(SID, List.of()));
    smmu.block(SID);
    assertThrows(IllegalStateException.class, () -> smmu.nest(SID, guest.entry()));
    SmmuDriver second =
        bench.open(bench.model(SmmuFeatures.qemu10().withIdr0(SmmuRegisters.IDR0_S1P, 0)));
    second.attach(SID, second.createAddressSpace(Granule.K4));
    assertThrows(IllegalStateException.class, () -> second.nest(SID, guest.entry()));
    assertThrows(
        IllegalArgumentException.class, () -> second.createAddressSpace(Granule.K4, Stage.STAGE1));
  }
}
