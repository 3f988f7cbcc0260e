package dev.doorbell.hw.smmuv2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.GuestRefused;
import dev.doorbell.iommu.Protection;
import dev.doorbell.testkit.RawSmmu;
import dev.doorbell.vmsa.Stage;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "IHI 0062 2.5, 10.2: a guest's stage 1 above the host's stage 2, as the driver puts it there")
class SmmuV2GuestTest {
  private static final int SID = 0x108;
  private static final long AT = 0x80_0000;
  private static final long BASE = V2Bench.RAM + (512L << 20);

  private final V2Bench bench = new V2Bench();
  private final SmmuV2Driver smmu = bench.open();
  private final AddressSpace below = smmu.createAddressSpace(Granule.K4, Stage.STAGE2);
  private final V2Guest guest = new V2Guest(bench.memory, BASE, true);

  @BeforeEach
  void attach() {
    guest.mapInto(below);
    below.map(new Iova(0x5000), new Pa(0xb5000), 0x1000, Protection.READ_WRITE);
    below.map(new Iova(0x6000), new Pa(0xb6000), 0x1000, Protection.READ_WRITE);
    smmu.attach(SID, below);
  }

  private long write(long iova) {
    return bench.write(SID, iova);
  }

  @Test
  @DisplayName("an access goes through the guest's tables and then through the host's")
  void both() {
    guest.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.on());
    assertEquals(0xb5008, write(AT + 8));
    assertEquals(Translator.FAULT, write(0x5000), "an IPA is no IOVA any more");
    below.unmap(new Iova(0x5000), 0x1000);
    assertEquals(Translator.FAULT, write(AT), "gone for both stages at once");
    smmu.nest(SID, guest.off());
    assertEquals(0xb6008, write(0x6008), "a guest that is off leaves stage 2");
    below.map(new Iova(0x5000), new Pa(0xc5000), 0x1000, Protection.READ_WRITE);
    smmu.nest(SID, guest.on());
    assertEquals(0xc5000, write(AT));
    smmu.block(SID);
    assertEquals(Translator.FAULT, write(AT));
    below.close();
    smmu.close();
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName(
      "attaching the stream to its stage 2 again takes the guest's stage 1 away, and nothing of it is left")
  void again() {
    guest.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.on());
    assertEquals(0xb5000, write(AT));
    smmu.attach(SID, below);
    assertEquals(0xb6000, write(0x6000));
    assertEquals(Translator.FAULT, write(AT));
    guest.tables.unmap(AT, 3);
    smmu.nest(SID, guest.on());
    assertEquals(Translator.FAULT, write(AT), "what was cached went with the bank");
  }

  @ParameterizedTest(name = "0x{0}")
  @CsvSource({"600", "608", "610", "618", "620", "628"})
  @DisplayName("IHI 0062 4.5: what a guest drops in its bank is dropped in the host's")
  void guestDrops(String offset) {
    drops(guest.tlbi(Integer.parseInt(offset, 16), AT));
  }

  @ParameterizedTest(name = "0x{0}")
  @CsvSource({"64", "68", "b8"})
  @DisplayName(
      "what a guest drops in its global space is all of its stage 1, whatever number it wrote")
  void guestDropsAll(String offset) {
    drops(global(Integer.parseInt(offset, 16), 0x7f));
  }

  private static SmmuV2GuestOperation global(long offset, long operand) {
    return new SmmuV2GuestOperation(V2Guest.register(Gr0Registers.MAP, offset), operand);
  }

  private static SmmuV2GuestOperation inBank(long offset, long operand) {
    return new SmmuV2GuestOperation(V2Guest.register(BankRegisters.MAP, offset), operand);
  }

  private void drops(SmmuV2GuestOperation operation) {
    guest.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.on());
    assertEquals(0xb5000, write(AT));
    guest.tables.unmap(AT, 3);
    assertEquals(0xb5000, write(AT), "cached, as nobody has dropped it");
    smmu.guestInvalidates(SID, List.of(operation));
    assertEquals(Translator.FAULT, write(AT));
  }

  @Test
  @DisplayName("guests with one number for their address spaces drop nothing of each other")
  void otherGuests() {
    AddressSpace others = smmu.createAddressSpace(Granule.K4, Stage.STAGE2);
    V2Guest second = new V2Guest(bench.memory, BASE + V2Guest.BYTES, true);
    second.mapInto(others);
    others.map(new Iova(0x5000), new Pa(0xc5000), 0x1000, Protection.READ_WRITE);
    smmu.attach(9, others);
    guest.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
    second.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.on());
    smmu.nest(9, second.on());
    assertEquals(0xb5000, write(AT));
    assertEquals(0xc5000, bench.write(9, AT));
    second.tables.unmap(AT, 3);
    for (int offset : List.of(0x600, 0x610, 0x618)) {
      smmu.guestInvalidates(SID, List.of(guest.tlbi(offset, AT)));
    }
    smmu.guestInvalidates(SID, List.of(global(0x68, 0)));
    smmu.block(SID);
    assertEquals(0xc5000, bench.write(9, AT), "still cached");
    smmu.guestInvalidates(9, List.of(second.tlbi(0x618, 0)));
    assertEquals(Translator.FAULT, bench.write(9, AT));
  }

  @Test
  @DisplayName("two streams of one guest have a bank each, and one that leaves leaves the other")
  void twoStreams() {
    smmu.attach(9, below);
    guest.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.on());
    smmu.nest(9, guest.on());
    assertEquals(0xb5000, write(AT));
    assertEquals(0xb5000, bench.write(9, AT));
    smmu.bypass(SID);
    assertEquals(0xb5000, bench.write(9, AT));
    assertEquals(AT, write(AT));
    guest.tables.unmap(AT, 3);
    smmu.guestInvalidates(9, List.of(guest.tlbi(0x600, AT)));
    assertEquals(Translator.FAULT, bench.write(9, AT));
  }

  @Test
  @DisplayName("tables of AArch32 with long descriptors, on version 1")
  void version1() {
    V2Bench old = new V2Bench(SmmuV2Features.version1(true, true, V2Bench.WINDOW));
    SmmuV2Driver first = old.open();
    AddressSpace space = first.createAddressSpace(Granule.K4, Stage.STAGE2);
    V2Guest own = new V2Guest(old.memory, BASE, false);
    own.mapInto(space);
    space.map(new Iova(0x5000), new Pa(0xb5000), 0x1000, Protection.READ_WRITE);
    first.attach(SID, space);
    for (int offset : List.of(0x600, 0x608, 0x610, 0x618, 0x620, 0x628)) {
      own.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
      first.nest(SID, own.on());
      assertEquals(0xb5000, old.write(SID, AT));
      own.tables.unmap(AT, 3);
      first.guestInvalidates(SID, List.of(own.tlbi(offset, AT)));
      assertEquals(Translator.FAULT, old.write(SID, AT));
    }
    own.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
    assertEquals(0xb5000, old.write(SID, AT));
    space.unmap(new Iova(0x5000), 0x1000);
    assertEquals(Translator.FAULT, old.write(SID, AT));
    SmmuV2GuestContext wide = guest.on();
    assertEquals(
        "smmuv2@0xe0800000 refuses a guest's context bank: SMMU_CBA2Rn (no such tables) is 0x1, of which 0x1",
        assertThrows(GuestRefused.class, () -> first.nest(SID, wide)).getMessage());
    SmmuV2GuestContext narrow = V2Guest.context(false, 1, 0x80_3500L, 0);
    assertEquals(
        "smmuv2@0xe0800000 refuses a guest's context bank: SMMU_CBn_TCR (EAE=0: short descriptors) is 0x803500, of which 0x80000000",
        assertThrows(GuestRefused.class, () -> first.nest(SID, narrow)).getMessage());
  }

  @ParameterizedTest(name = "{0} {1} {2} {3}: {4}")
  @CsvSource({
    "true, 11, 19, 15, 'SMMU_CBn_SCTLR is 0x11, of which 0x10'",
    "true, 800, 19, 15, 'SMMU_CBn_SCTLR is 0x800, of which 0x800'",
    "true, 30000001, 19, 15, 'SMMU_CBn_SCTLR is 0x30000001, of which 0x30000000'",
    "true, 1, 59, 15, 'SMMU_CBn_TCR is 0x59, of which 0x40'",
    "true, 1, 100000019, 15, 'SMMU_CBn_TCR is 0x100000019, of which 0x100000000'",
    "true, 1, 19, 4015, 'SMMU_CBn_TCR2 is 0x4015, of which 0x4000'",
    "true, 1, 19, 80000015, 'SMMU_CBn_TCR2 is 0x80000015, of which 0x80000000'",
    "false, 1, 80000000, 0, 'SMMU_CBA2Rn (no such tables) is 0x0, of which 0x1'",
  })
  @DisplayName(
      "a guest's bank that asks for what is not the guest's is refused, and the stream stays as it was")
  void refusedContexts(boolean is64, String sctlr, String tcr, String tcr2, String why) {
    SmmuV2GuestContext wrong =
        V2Guest.context(
            is64, Long.parseLong(sctlr, 16), Long.parseLong(tcr, 16), Long.parseLong(tcr2, 16));
    List<Long> before = bench.state();
    assertEquals(
        "smmuv2@0xe0800000 refuses a guest's context bank: " + why,
        assertThrows(GuestRefused.class, () -> smmu.nest(SID, wrong)).getMessage());
    assertEquals(before, bench.state());
    assertEquals(0xb5000, write(0x5000));
  }

  @Test
  @DisplayName(
      "how faults are told, stalls, broadcasts and the device's sign bit are the host's, whatever the guest wrote")
  void hostsFields() {
    guest.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, V2Guest.context(true, 0x181, 0x80_3519L, 0x15));
    assertEquals(0xb5000, write(AT));
    int bank = Gr0Registers.S2CR_CBNDX.getInt(bench.gr0(Gr0Registers.S2CR, 0));
    assertEquals(0x1061, bench.bank(bank, BankRegisters.SCTLR));
    assertEquals(0x3_8015, bench.bank(bank, BankRegisters.TCR2));
    assertEquals(0x44_0cffL, bench.bank(bank, BankRegisters.MAIR0));
  }

  @Test
  @DisplayName("registers that do not tell of a stage 1 bank are an error of the caller's")
  void otherRegisters() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new SmmuV2GuestContext(true, Map.of(BankRegisters.FSR, 0L)));
    assertTrue(e.getMessage().contains("not by [SMMU_CBn_FSR]"), e.getMessage());
  }

  @Test
  @DisplayName("writes that are no invalidation of stage 1 are refused before any is carried out")
  void refusedOperations() {
    guest.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.on());
    assertEquals(0xb5000, write(AT));
    guest.tables.unmap(AT, 3);
    for (int offset : List.of(0, 0x20, 0x30, 0x630, 0x638, 0x7f0, 0x7f4)) {
      List<SmmuV2GuestOperation> both = List.of(guest.tlbi(0x618, 0), inBank(offset, 0));
      assertThrows(GuestRefused.class, () -> smmu.guestInvalidates(SID, both));
    }
    for (int offset : List.of(0, 0x6c, 0x70, 0xc00)) {
      List<SmmuV2GuestOperation> both = List.of(guest.tlbi(0x618, 0), global(offset, 0));
      assertThrows(GuestRefused.class, () -> smmu.guestInvalidates(SID, both));
    }
    assertEquals(0xb5000, write(AT));
    assertEquals(
        "smmuv2@0xe0800000 refuses a guest's write of 0x7 to SMMU_CBn_TLBIIPAS2: it is no invalidation of stage 1",
        assertThrows(
                GuestRefused.class, () -> smmu.guestInvalidates(SID, List.of(inBank(0x630, 7))))
            .getMessage());
  }

  @Test
  @DisplayName("a stream without stage 2, or an SMMU without nested banks, takes no guest")
  void withoutStage2() {
    smmu.attach(SID, smmu.createAddressSpace(Granule.K4));
    SmmuV2GuestContext on = guest.on();
    assertEquals(
        "stream 0x108 of smmuv2@0xe0800000 has no stage 2 that a guest's stage 1 could lie above; attach it to an address space of stage 2 first",
        assertThrows(IllegalStateException.class, () -> smmu.nest(SID, on)).getMessage());
    assertThrows(IllegalStateException.class, () -> smmu.guestInvalidates(SID, List.of()));
    smmu.block(SID);
    assertThrows(IllegalStateException.class, () -> smmu.nest(SID, on));
    SmmuV2Features without =
        SmmuV2Features.mmu500(V2Bench.WINDOW).withIdr0(Gr0Registers.IDR0_NTS, 0);
    SmmuV2Driver second = new V2Bench(without).open(SmmuV2Settings.USUAL.with(Stage.STAGE2));
    second.attach(SID, second.createAddressSpace(Granule.K4));
    assertThrows(IllegalStateException.class, () -> second.nest(SID, on));
    SmmuV2Driver alone = new V2Bench(SmmuV2Features.version1(true, false, V2Bench.WINDOW)).open();
    assertThrows(
        IllegalArgumentException.class, () -> alone.createAddressSpace(Granule.K4, Stage.STAGE2));
  }

  @Test
  @DisplayName("what each stage does not let through is told of its own bank")
  void faults() {
    guest.tables.map(AT, 0x7000, 3, RawSmmu.S1_RW);
    smmu.nest(SID, guest.on());
    int first = Gr0Registers.S2CR_CBNDX.getInt(bench.gr0(Gr0Registers.S2CR, 0));
    assertEquals(Translator.FAULT, write(0x1234_5000));
    var guests = assertInstanceOf(SmmuV2Fault.Context.class, smmu.drainFaults().getFirst());
    assertEquals(first, guests.bank());
    assertEquals(Translator.FAULT, write(AT));
    var hosts = assertInstanceOf(SmmuV2Fault.Context.class, smmu.drainFaults().getFirst());
    assertTrue(hosts.bank() != first, "stage 2 has nothing at 0x7000");
    assertEquals(new Iova(AT), hosts.input());
  }

  @Test
  @DisplayName(
      "without a free bank for the guest nothing changes; its former one is enough to go back")
  void banksExhausted() {
    V2Bench few =
        new V2Bench(
            SmmuV2Features.mmu500(V2Bench.WINDOW)
                .withIdr1(Gr0Registers.IDR1_NUMCB, 3)
                .withIdr1(Gr0Registers.IDR1_NUMS2CB, 1));
    SmmuV2Driver own = few.open();
    AddressSpace space = own.createAddressSpace(Granule.K4, Stage.STAGE2);
    V2Guest small = new V2Guest(few.memory, BASE, true);
    small.mapInto(space);
    own.attach(1, space);
    own.attach(2, space);
    own.attach(3, space);
    own.nest(1, small.off());
    own.nest(2, small.off());
    List<Long> before = few.state();
    ContextBanksExhausted refused =
        assertThrows(ContextBanksExhausted.class, () -> own.nest(3, small.on()));
    assertEquals(
        "a guest's stage 1 for stream 0x3 needs a context bank of smmuv2@0xe0800000, and all 2 that could serve have other address spaces",
        refused.getMessage());
    assertThrows(ContextBanksExhausted.class, () -> own.nest(2, small.on()));
    assertThrows(
        ContextBanksExhausted.class, () -> own.attach(3, own.createAddressSpace(Granule.K4)));
    assertEquals(before, few.state());
    own.attach(1, space);
    own.nest(3, small.on());
    own.block(2);
    own.nest(3, small.off());
  }

  @Test
  @DisplayName(
      "whichever register write fails, nest, another guest's bank, leaving and moving leave registers and translations as they were")
  void undone() {
    for (int step = 0; step < 4; step++) {
      for (int failing = 0; undone(step, failing); failing++) {}
    }
  }

  /// {@return whether a write of that number was made}
  private static boolean undone(int step, int failing) {
    V2Bench bench = new V2Bench();
    SmmuV2Driver smmu = bench.open();
    AddressSpace a = smmu.createAddressSpace(Granule.K4, Stage.STAGE2);
    AddressSpace b = smmu.createAddressSpace(Granule.K4);
    V2Guest guest = new V2Guest(bench.memory, BASE, true);
    guest.mapInto(a);
    a.map(new Iova(AT), new Pa(0xa000), 0x1000, Protection.READ_WRITE);
    a.map(new Iova(0x5000), new Pa(0xb5000), 0x1000, Protection.READ_WRITE);
    b.map(new Iova(AT), new Pa(0xb000), 0x1000, Protection.READ_WRITE);
    guest.tables.map(AT, 0x5000, 3, RawSmmu.S1_RW);
    smmu.attach(SID, a);
    if (step > 0) {
      smmu.nest(SID, guest.on());
    }
    List<Long> before = bench.state();
    bench.failWrites(n -> n == failing);
    boolean failed = false;
    try {
      switch (step) {
        case 0 -> smmu.nest(SID, guest.on());
        case 1 -> smmu.nest(SID, guest.off());
        case 2 -> smmu.attach(SID, b);
        default -> smmu.block(SID);
      }
    } catch (BusErrorException expected) {
      failed = true;
    }
    int writes = bench.writes();
    bench.failWrites(n -> false);
    if (!failed) {
      assertTrue(writes <= failing, "the failure was not told");
      return false;
    }
    String where = "step %d, write %d".formatted(step, failing);
    assertEquals(before, bench.state(), where);
    assertEquals(step == 0 ? 0xa000 : 0xb5000, bench.write(SID, AT), where);
    smmu.attach(SID, a);
    smmu.nest(SID, guest.on());
    assertEquals(0xb5000, bench.write(SID, AT), where);
    smmu.block(SID);
    a.close();
    b.close();
    smmu.close();
    assertEquals(0, bench.frames.bytesInUse(), where);
    return true;
  }
}
