package dev.doorbell.hw.riscviommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.GuestRefused;
import dev.doorbell.iommu.Protection;
import dev.doorbell.vmsa.Stage;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName(
    "RISC-V IOMMU 1.0, 2.3: a guest's first stage above the host's second one, as the driver puts it there")
class RiscvGuestTest {
  private static final int DEVICE = 0x1_0428;
  private static final long AT = 0x10_0000;
  private static final long FAULT = Translator.FAULT;
  private static final long HOST = 0x9_0000_0000L;

  private final RiscvBench bench = new RiscvBench();
  private final RiscvIommuDriver iommu = bench.iommu;
  private final AddressSpace below = iommu.createAddressSpace(Granule.K4, Stage.STAGE2);
  private final GuestTables guest = new GuestTables(bench.memory, GuestTables.BASE);

  @BeforeEach
  void attach() {
    guest.mapInto(below);
    below.map(new Iova(0x5000), new Pa(HOST + 0x5000), 0x1000, Protection.READ_WRITE);
    below.map(new Iova(0x6000), new Pa(HOST + 0x6000), 0x1000, Protection.READ_WRITE);
    iommu.attach(DEVICE, below);
  }

  private long write(int process, long iova) {
    return bench.write(DEVICE, process, iova);
  }

  private static RiscvIommuGuestCommand command(long first, long second) {
    return new RiscvIommuGuestCommand(List.of(first, second));
  }

  @Test
  @DisplayName("an access goes through the guest's tables and then through the host's")
  void both() {
    guest.map(0, AT, 0x5000);
    iommu.nest(DEVICE, guest.one(0));
    assertEquals(HOST + 0x5000, write(-1, AT));
    assertEquals(FAULT, write(-1, 0x5000), "a guest physical address is no IOVA any more");
    assertEquals(FAULT, write(5, AT), "the guest has no process directory");
    guest.map(1, AT, 0x6000);
    iommu.nest(DEVICE, guest.processes());
    assertEquals(HOST + 0x5000, write(-1, AT), "process 0 by default");
    assertEquals(HOST + 0x6000, write(GuestTables.PROCESS, AT));
    below.unmap(new Iova(0x6000), 0x1000);
    assertEquals(FAULT, write(GuestTables.PROCESS, AT), "gone for both stages at once");
    iommu.nest(DEVICE, GuestTables.bare());
    assertEquals(HOST + 0x5008, write(-1, 0x5008), "the second stage alone");
    iommu.nest(DEVICE, guest.one(0));
    assertEquals(HOST + 0x5000, write(-1, AT));
    iommu.attach(DEVICE, below);
    assertEquals(FAULT, write(-1, AT), "attached again: the guest's first stage is gone");
    assertEquals(HOST + 0x5000, write(-1, 0x5000));
    iommu.nest(DEVICE, guest.processes());
    iommu.block(DEVICE);
    assertEquals(FAULT, write(-1, AT));
    below.close();
    iommu.close();
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("2.1.4: a guest's context that is not valid blocks, whatever else it holds")
  void notValid() {
    iommu.nest(DEVICE, new RiscvIommuGuestContext(List.of(-2L, -1L, -1L, -1L)));
    assertEquals(FAULT, write(-1, 0x5000));
    assertEquals(258, iommu.drainFaults().getFirst().cause());
  }

  @ParameterizedTest(name = "IOTINVAL.VMA with 0x{0} 0x{1}")
  @CsvSource({
    // All; of a PSCID; a page of it; a page of all; a range; with non-leaf entries.
    "1, 0",
    "100001001, 0",
    "100001401, 40000",
    "401, 40000",
    "401, 40200",
    "400000401, 0",
  })
  @DisplayName(
      "4.1.1: what the guest drops goes by the host's GSCID; a range or non-leaf entries are more than they could be")
  void guestDrops(String first, String second) {
    guest.map(0, AT, 0x5000);
    iommu.nest(DEVICE, guest.one(0));
    assertEquals(HOST + 0x5000, write(-1, AT));
    guest.unmap(0, AT);
    assertEquals(HOST + 0x5000, write(-1, AT), "cached, as nobody has dropped it");
    iommu.guestInvalidates(
        DEVICE, List.of(command(Long.parseLong(first, 16), Long.parseLong(second, 16))));
    assertEquals(FAULT, write(-1, AT));
  }

  @Test
  @DisplayName(
      "4.1.3: a process context that the guest changes counts once it has said so, by the host's number of the device")
  void processes() {
    guest.map(0, AT, 0x5000);
    guest.map(1, AT, 0x6000);
    iommu.nest(DEVICE, guest.processes());
    assertEquals(HOST + 0x6000, write(GuestTables.PROCESS, AT));
    guest.context(GuestTables.PROCESS, 0);
    assertEquals(HOST + 0x6000, write(GuestTables.PROCESS, AT));
    long others = 0x99L << 40;
    iommu.guestInvalidates(
        DEVICE,
        List.of(
            command(3L | 1 << 7 | GuestTables.PROCESS << 12 | 1L << 33 | others, 0),
            command(1, 0)));
    assertEquals(HOST + 0x5000, write(GuestTables.PROCESS, AT));
  }

  @Test
  @DisplayName("a guest drops nothing of another one")
  void otherGuests() {
    AddressSpace others = iommu.createAddressSpace(Granule.K4, Stage.STAGE2);
    GuestTables second = new GuestTables(bench.memory, GuestTables.BASE + GuestTables.BYTES);
    second.mapInto(others);
    others.map(new Iova(0x5000), new Pa(HOST + 0xc000), 0x1000, Protection.READ_WRITE);
    iommu.attach(9, others);
    iommu.nest(9, second.one(0));
    second.map(0, AT, 0x5000);
    assertEquals(HOST + 0xc000, bench.write(9, -1, AT));
    second.unmap(0, AT);
    iommu.nest(DEVICE, guest.one(0));
    iommu.guestInvalidates(DEVICE, List.of(command(1, 0)));
    assertEquals(HOST + 0xc000, bench.write(9, -1, AT), "still cached");
    iommu.guestInvalidates(9, List.of(command(1, 0)));
    assertEquals(FAULT, bench.write(9, -1, AT));
  }

  @Test
  @DisplayName(
      "7.3.1: a page of the guest's that its context names may be kept with the context; when the second stage moves it that is dropped, and first")
  void namedPages() {
    for (RiscvIommuGuestContext context : List.of(guest.one(0), guest.processes())) {
      guest.map(0, AT, 0x5000);
      iommu.nest(DEVICE, context);
      assertEquals(HOST + 0x5000, write(-1, AT));
      bench.commands.clear();
      below.unmap(new Iova(GuestTables.BASE), GuestTables.BYTES);
      assertEquals(
          "%x 0".formatted(3L | 1L << 33 | (long) DEVICE << 40), bench.commands.getFirst());
      guest.unmap(0, AT);
      // The guest's memory is elsewhere now, and nothing is in it yet.
      below.map(
          new Iova(GuestTables.BASE),
          new Pa(GuestTables.BASE + GuestTables.BYTES),
          GuestTables.BYTES,
          Protection.READ_WRITE);
      iommu.guestInvalidates(DEVICE, List.of(command(1, 0)));
      guest.map(0, AT, 0x5000);
      assertEquals(FAULT, write(-1, AT));
      below.unmap(new Iova(GuestTables.BASE), GuestTables.BYTES);
      guest.mapInto(below);
    }
  }

  @Test
  @DisplayName(
      "what was made of a guest's tables is gone with its second stage: the next guest of the same GSCID meets nothing of it")
  void nextGuest() {
    guest.map(0, AT, 0x5000);
    iommu.nest(DEVICE, guest.one(0));
    assertEquals(HOST + 0x5000, write(-1, AT));
    iommu.block(DEVICE);
    below.close();
    AddressSpace next = iommu.createAddressSpace(Granule.K4, Stage.STAGE2);
    long base = GuestTables.BASE + GuestTables.BYTES;
    GuestTables second = new GuestTables(bench.memory, base);
    second.mapInto(next);
    guest.mapInto(next);
    next.map(new Iova(0x5000), new Pa(HOST + 0xd000), 0x1000, Protection.READ_WRITE);
    iommu.attach(DEVICE, next);
    iommu.nest(DEVICE, second.one(0));
    assertEquals(FAULT, write(-1, AT), "its own tables have nothing there");
    second.map(0, AT, 0x5000);
    assertEquals(HOST + 0xd000, write(-1, AT));
  }

  @ParameterizedTest(name = "{0} {1} {2} {3}: {4}")
  @CsvSource({
    "3, 0, 0, 0, 'tc is 0x3, of which 0x2'",
    "81, 0, 0, 0, 'tc is 0x81, of which 0x80'",
    "1000001, 0, 0, 0, 'tc is 0x1000001, of which 0x1000000'",
    "1, 8000000000000000, 0, 0, 'iohgatp is 0x8000000000000000, of which 0x8000000000000000'",
    "1, 0, 10000001000, 0, 'ta is 0x10000001000, of which 0x10000000000'",
    "1, 0, 0, 8000100000000000, 'fsc is 0x8000100000000000, of which 0x100000000000'",
    "1, 0, 0, b000000000000000, 'fsc (a mode that the IOMMU has not) is 0xb000000000000000, of which 0xb000000000000000'",
    "21, 0, 0, 8000000000000000, 'fsc (a mode that the IOMMU has not) is 0x8000000000000000, of which 0x8000000000000000'",
    "201, 0, 0, 0, 'tc (DPE without PDTV) is 0x201, of which 0x200'",
  })
  @DisplayName(
      "a guest's context that asks for what is not the guest's is refused, and the device stays as it was")
  void refusedContexts(String tc, String iohgatp, String ta, String fsc, String why) {
    RiscvIommuGuestContext context =
        new RiscvIommuGuestContext(
            List.of(tc, iohgatp, ta, fsc).stream()
                .map(word -> Long.parseUnsignedLong(word, 16))
                .toList());
    assertEquals(
        "riscv-iommu@0 refuses a guest's device context: " + why,
        assertThrows(GuestRefused.class, () -> iommu.nest(DEVICE, context)).getMessage());
    assertEquals(HOST + 0x5000, write(-1, 0x5000));
  }

  @Test
  @DisplayName("a guest's context of the extended format has no MSI page table")
  void extended() {
    guest.map(0, AT, 0x5000);
    List<Long> base = guest.one(0).words();
    List<Long> none = List.of(0L, 0L, 0L, 0L);
    iommu.nest(
        DEVICE, new RiscvIommuGuestContext(Stream.of(base, none).flatMap(List::stream).toList()));
    assertEquals(HOST + 0x5000, write(-1, AT));
    List<Long> flat = List.of(1L << 60, 0L, 0L, 0L);
    RiscvIommuGuestContext refused =
        new RiscvIommuGuestContext(Stream.of(base, flat).flatMap(List::stream).toList());
    assertThrows(GuestRefused.class, () -> iommu.nest(DEVICE, refused));
    assertThrows(IllegalArgumentException.class, () -> new RiscvIommuGuestContext(List.of(1L, 0L)));
  }

  @ParameterizedTest(name = "0x{0}")
  @ValueSource(
      strings = {"200000001", "81", "200000081", "2", "3", "200000003", "83", "4", "84", "7f"})
  @DisplayName("commands that are not a guest's are refused before any is carried out")
  void refusedCommands(String first) {
    guest.map(0, AT, 0x5000);
    iommu.nest(DEVICE, guest.one(0));
    assertEquals(HOST + 0x5000, write(-1, AT));
    guest.unmap(0, AT);
    List<RiscvIommuGuestCommand> both =
        List.of(command(1, 0), command(Long.parseLong(first, 16), 0));
    assertThrows(GuestRefused.class, () -> iommu.guestInvalidates(DEVICE, both));
    assertEquals(HOST + 0x5000, write(-1, AT));
  }

  @Test
  @DisplayName("a device without a second stage, or an IOMMU without one, takes no guest")
  void withoutSecondStage() {
    iommu.attach(DEVICE, iommu.createAddressSpace(Granule.K4));
    assertEquals(
        "device 0x10428 of riscv-iommu@0 has no second stage that a guest's first one could lie above; attach it to an address space of the second stage first",
        assertThrows(IllegalStateException.class, () -> iommu.nest(DEVICE, guest.one(0)))
            .getMessage());
    assertThrows(
        IllegalStateException.class, () -> iommu.guestInvalidates(DEVICE, List.of(command(1, 0))));
    iommu.block(DEVICE);
    assertThrows(IllegalStateException.class, () -> iommu.nest(DEVICE, guest.one(0)));
    RiscvIommuDriver without = new RiscvBench(RiscvIommuFeatures.usual(48).without(7L << 17)).iommu;
    assertEquals(
        "riscv-iommu@0 has no second stage that the driver could use",
        assertThrows(
                IllegalArgumentException.class,
                () -> without.createAddressSpace(Granule.K4, Stage.STAGE2))
            .getMessage());
  }
}
