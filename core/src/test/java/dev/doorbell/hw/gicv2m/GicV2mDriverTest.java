package dev.doorbell.hw.gicv2m;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.hw.gicv2.GicV2Config;
import dev.doorbell.hw.gicv2.GicV2Driver;
import dev.doorbell.hw.gicv2.GicV2Hardware;
import dev.doorbell.hw.gicv2.GicV2Model;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.PostingUnsupported;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.simple.ModelRegisters;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("GICv2m driver: frames on a GICv2")
class GicV2mDriverTest {
  private static final MsiSource NVME = new MsiSource("0000:01:00.0", 0x100);
  private static final MsiSource NIC = new MsiSource("0000:02:00.0", 0x200);

  private final GicV2Model gicModel = new GicV2Model(new GicV2Config(2, 160, 5));
  private final GicV2Driver gic;
  private final GicV2mModel frame = new GicV2mModel(80, 64, gicModel::spi);
  private final GicV2mDriver driver;
  private final List<String> arrived = new ArrayList<>();

  GicV2mDriverTest() {
    gicModel.openCpuInterfaces();
    gic =
        GicV2Driver.open(
            GicV2Hardware.of(
                    "gicd@0x8000000",
                    new ModelRegisters(gicModel.distributor(0)),
                    Optional.empty(),
                    2)
                .with(gicModel));
    driver = GicV2mDriver.open(frame("gicv2m@0x8020000", 0x802_0000, frame), gic);
  }

  private static GicV2mFrame frame(String id, long base, MmioDevice device) {
    return GicV2mFrame.of(id, new Pa(base), new ModelRegisters(device));
  }

  private void fire(VectorBlock block, int index) {
    assertEquals(
        BusOutcome.OK,
        frame.write(block.doorbell(index) - 0x802_0000, block.data(index), 4, 0x100));
  }

  @Test
  @DisplayName("vectors cannot be posted to a guest; asking for it changes nothing")
  void postingIsRefused() {
    VectorBlock block = driver.allocate(NVME, 1, false);
    block.activate(0, 1);
    PostingUnsupported e =
        assertThrows(
            PostingUnsupported.class, () -> block.post(0, new PostedInterrupt(0x1000, 0x40, true)));
    assertEquals(List.of("vector 0", "gicv2m@0x8020000"), e.refusal().objects());
    fire(block, 0);
    assertEquals(List.of(block.number(0) + "@1"), collect());
    block.endPost(0);
    fire(block, 0);
    assertEquals(List.of(block.number(0) + "@1"), collect());
  }

  private List<String> collect() {
    arrived.clear();
    driver.collect((intid, cpu) -> arrived.add(intid + "@" + cpu));
    return List.copyOf(arrived);
  }

  @Test
  @DisplayName(
      "R21: any device that reaches the frame can raise every SPI of it, and the driver says so")
  void notIsolated() {
    assertFalse(driver.isolated());
    VectorBlock block = driver.allocate(NVME, 1, false);
    block.activate(0, 0);
    frame.write(0x40, block.data(0), 4, NIC.deviceId());
    assertEquals(List.of("80@0"), collect());
  }

  @Test
  @DisplayName(
      "a vector's message is its SPI's number to MSI_SETSPI_NS, delivered at the chosen CPU")
  void delivers() {
    VectorBlock block = driver.allocate(NVME, 3, false);
    assertEquals(0x802_0040L, block.doorbell(2));
    assertEquals(82, block.data(2));
    assertEquals(82, block.intid(2));
    block.activate(0, 0);
    block.activate(2, 1);
    fire(block, 2);
    fire(block, 0);
    assertEquals(List.of("80@0", "82@1"), collect());
    assertEquals(1, block.cpu(2));
    assertEquals(61, driver.vectorsFree());
  }

  @Test
  @DisplayName("inactive vectors drop their messages, also those from before activation")
  void inactive() {
    VectorBlock block = driver.allocate(NVME, 1, false);
    fire(block, 0);
    assertEquals(List.of(), collect());
    block.activate(0, 0);
    assertEquals(List.of(), collect());
    fire(block, 0);
    block.deactivate(0);
    assertEquals(List.of(), collect());
    fire(block, 0);
    assertEquals(List.of(), collect());
    block.activate(0, 0);
    assertEquals(List.of(), collect());
  }

  @Test
  @DisplayName("a masked vector's message waits; masked before activation as well")
  void masked() {
    VectorBlock block = driver.allocate(NVME, 1, false);
    block.mask(0);
    block.activate(0, 0);
    fire(block, 0);
    assertEquals(List.of(), collect());
    block.unmask(0);
    assertEquals(List.of("80@0"), collect());
  }

  @Test
  @DisplayName(
      "a vector is made pending at the distributor, and what is pending is forgotten there")
  void pendingByOrder() {
    VectorBlock block = driver.allocate(NVME, 2, false);
    assertThrows(IllegalStateException.class, () -> block.raise(1));
    assertThrows(IllegalStateException.class, () -> block.clearPending(1));
    block.activate(1, 1);
    block.raise(1);
    assertEquals(List.of("81@1"), collect());
    block.raise(1);
    block.clearPending(1);
    assertEquals(List.of(), collect());
    fire(block, 1);
    block.clearPending(1);
    assertEquals(List.of(), collect());
    block.mask(1);
    block.raise(1);
    assertEquals(List.of(), collect());
    block.unmask(1);
    assertEquals(List.of("81@1"), collect());
    block.free();
    assertThrows(IllegalStateException.class, () -> block.raise(1));
  }

  @Test
  @DisplayName("a pending message moves along with its vector")
  void retargets() {
    VectorBlock block = driver.allocate(NVME, 1, false);
    assertThrows(IllegalStateException.class, () -> block.retarget(0, 1));
    block.activate(0, 0);
    block.mask(0);
    fire(block, 0);
    block.retarget(0, 1);
    block.unmask(0);
    assertEquals(List.of("80@1"), collect());
    assertThrows(IllegalArgumentException.class, () -> block.retarget(0, 2));
    assertEquals(1, block.cpu(0));
  }

  @Test
  @DisplayName(
      "one NVMe with 129 vectors and a frame of 64 SPIs: refused with both figures, nothing taken")
  void exhausted() {
    var e = assertThrows(VectorsExhausted.class, () -> driver.allocate(NVME, 129, false));
    assertEquals(
        "0000:01:00.0 asks gicv2m@0x8020000 for 129 vectors and 64 are free", e.getMessage());
    assertEquals(64, e.refusal().available().orElseThrow().value());
    assertEquals("MSI_TYPER of gicv2m@0x8020000", e.refusal().source().where());
    assertEquals(64, driver.vectorsFree());
    assertEquals(64, driver.allocate(NVME, 64, false).count());
  }

  @Test
  @DisplayName(
      "multi-message MSI: data start at a multiple of the count; a fragmented frame names its largest block")
  void contiguous() {
    driver.allocate(NIC, 1, false);
    VectorBlock eight = driver.allocate(NVME, 8, true);
    assertEquals(88, eight.data(0));
    assertEquals(95, eight.data(7));
    assertEquals(96, driver.allocate(NVME, 32, true).data(0));
    var e = assertThrows(VectorsExhausted.class, () -> driver.allocate(NVME, 32, true));
    assertEquals(16, e.refusal().available().orElseThrow().value());
    assertThrows(IllegalArgumentException.class, () -> driver.allocate(NVME, 3, true));
    assertThrows(IllegalArgumentException.class, () -> driver.allocate(NVME, 0, false));
  }

  @Test
  @DisplayName(
      "freeing gives SPIs back, disabled and not pending; a second free does nothing; a freed block refuses")
  void frees() {
    VectorBlock block = driver.allocate(NVME, 64, false);
    IntStream.range(0, 64).forEach(i -> block.activate(i, 0));
    fire(block, 5);
    block.free();
    assertEquals(List.of(), collect());
    assertFalse(gic.isPending(85));
    VectorBlock next = driver.allocate(NIC, 64, false);
    block.free();
    assertEquals(0, driver.vectorsFree());
    assertThrows(IllegalStateException.class, () -> block.activate(0, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> next.mask(64));
  }

  @Test
  @DisplayName(
      "several frames: one that holds all of a device comes first, then spread; a block never spans two")
  void severalFrames() {
    GicV2mModel small = new GicV2mModel(32, 4, gicModel::spi);
    GicV2mModel large = new GicV2mModel(48, 16, gicModel::spi);
    GicV2mDriver both =
        GicV2mDriver.open(
            "gicv2m", List.of(frame("a", 0x1_0000, small), frame("b", 0x2_0000, large)), gic);
    assertEquals(20, both.vectorsFree());
    VectorBlock eight = both.allocate(NVME, 8, false);
    assertEquals(0x2_0040L, eight.doorbell(0));
    VectorBlock twelve = both.allocate(NIC, 12, false);
    assertEquals(32, twelve.data(0));
    assertEquals(0x1_0040L, twelve.doorbell(3));
    assertEquals(56, twelve.data(4));
    assertEquals(0x2_0040L, twelve.doorbell(4));
    twelve.activate(0, 0);
    twelve.activate(11, 1);
    small.write(0x40, twelve.data(0), 4, 0);
    large.write(0x40, twelve.data(11), 4, 0);
    both.collect((intid, cpu) -> arrived.add(intid + "@" + cpu));
    assertEquals(List.of("32@0", "63@1"), arrived);
    eight.free();
    var e = assertThrows(VectorsExhausted.class, () -> both.allocate(NVME, 16, true));
    assertEquals(8, e.refusal().available().orElseThrow().value());
    twelve.free();
    assertEquals(20, both.vectorsFree(), "each SPI goes back to its frame");
    assertEquals(48, both.allocate(NVME, 16, true).data(0));
  }

  @Test
  @DisplayName("frames that share SPIs, or have ones that the distributor has not, fail typed")
  void wrongFrames() {
    GicV2mModel overlapping = new GicV2mModel(100, 4, gicModel::spi);
    var e =
        assertThrows(
            MsiControllerFailed.class,
            () ->
                GicV2mDriver.open(
                    "gicv2m",
                    List.of(frame("a", 0x1_0000, frame), frame("b", 0x2_0000, overlapping)),
                    gic));
    assertEquals(
        "b has SPIs 100 to 103, and a has 80 to 143: one message would mean two devices",
        e.getMessage());
    GicV2mModel beyond = new GicV2mModel(190, 8, intid -> InterruptLine.NONE);
    assertThrows(
        MsiControllerFailed.class, () -> GicV2mDriver.open(frame("c", 0x1_0000, beyond), gic));
  }

  @Test
  @DisplayName("what firmware tells of the SPIs counts over MSI_TYPER")
  void firmwareOverrides() {
    GicV2mFrame told =
        new GicV2mFrame(
            "gicv2m@0x8020000",
            new Pa(0x802_0000),
            new ModelRegisters(frame),
            OptionalInt.of(96),
            OptionalInt.of(8));
    GicV2mDriver narrow = GicV2mDriver.open(told, gic);
    assertEquals(8, narrow.vectorsFree());
    assertEquals(96, narrow.allocate(NVME, 1, false).data(0));
  }

  @Test
  @DisplayName(
      "MSI_IIDR of X-Gene and NS2: the datum is less than the SPI, and blocks are aligned in it")
  void errata() {
    VectorBlock xgene = GicV2mDriver.open(told(0x0600_0170), gic).allocate(NVME, 4, true);
    assertEquals(0, xgene.data(0));
    assertEquals(89, xgene.intid(0));
    VectorBlock ns2 = GicV2mDriver.open(told(0x0000_013f), gic).allocate(NVME, 4, true);
    assertEquals(60, ns2.data(0));
    assertEquals(92, ns2.intid(0));
    GicV2mModel plain = new GicV2mModel(32, 4, gicModel::spi);
    VectorBlock both =
        GicV2mDriver.open(
                "gicv2m", List.of(frame("plain", 0x2_0000, plain), told(0x0600_0170)), gic)
            .allocate(NVME, 20, false);
    assertEquals(35, both.data(3), "of the frame that follows the architecture");
    assertEquals(0, both.data(4), "of the other");
    assertEquals(89, both.intid(4));
  }

  private static GicV2mFrame told(long iidr) {
    MmioDevice odd =
        new MmioDevice() {
          @Override
          public BusRead read(long offset, int bytes) {
            return BusRead.ok(offset == 0xfcc ? iidr : 89 << 16 | 16);
          }

          @Override
          public BusOutcome write(long offset, long value, int bytes, int requester) {
            return BusOutcome.ERROR;
          }
        };
    return frame("odd", 0x1_0000, odd);
  }
}
