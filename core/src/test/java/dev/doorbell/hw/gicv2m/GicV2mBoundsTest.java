package dev.doorbell.hw.gicv2m;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Basis;
import dev.doorbell.hw.gicv2.GicV2Config;
import dev.doorbell.hw.gicv2.GicV2Driver;
import dev.doorbell.hw.gicv2.GicV2Hardware;
import dev.doorbell.hw.gicv2.GicV2Model;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.simple.ModelRegisters;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("GICv2m: frames whose SPIs touch the ends of the distributor's and each other's")
class GicV2mBoundsTest {
  private static final MsiSource NVME = new MsiSource("0000:01:00.0", 0x100);

  /// SPIs 32 to 191.
  private final GicV2Model gicModel = new GicV2Model(new GicV2Config(1, 160, 5));

  private final GicV2Driver gic =
      GicV2Driver.open(
          GicV2Hardware.of(
                  "gicd@0x8000000",
                  new ModelRegisters(gicModel.distributor(0)),
                  Optional.empty(),
                  1)
              .with(gicModel));

  private GicV2mFrame frame(String id, long base, int first, int count) {
    GicV2mModel any = new GicV2mModel(80, 64, gicModel::spi);
    return new GicV2mFrame(
        id, new Pa(base), new ModelRegisters(any), OptionalInt.of(first), OptionalInt.of(count));
  }

  @ParameterizedTest(name = "{1} from {0}: {2}")
  @CsvSource({
    "32, 160, true",
    "31, 4, false",
    "184, 8, true",
    "184, 9, false",
    "191, 1, true",
    "192, 1, false",
    "80, 0, false"
  })
  @DisplayName("a frame's SPIs are the distributor's, from 32 to its last, and at least one")
  void bounds(int first, int count, boolean possible) {
    if (possible) {
      assertEquals(count, GicV2mDriver.open(frame("a", 0x1000, first, count), gic).vectorsFree());
    } else {
      assertThrows(
          MsiControllerFailed.class,
          () -> GicV2mDriver.open(frame("a", 0x1000, first, count), gic));
    }
  }

  private GicV2mDriver two(int second) {
    return GicV2mDriver.open(
        "both", List.of(frame("a", 0x1000, 40, 8), frame("b", 0x2000, second, 4)), gic);
  }

  @Test
  @DisplayName("frames may touch and not share: the last SPI of one is the first of none")
  void neighbours() {
    assertEquals(12, two(48).vectorsFree());
    assertEquals(12, two(36).vectorsFree());
    assertThrows(MsiControllerFailed.class, () -> two(47));
    assertThrows(MsiControllerFailed.class, () -> two(37));
  }

  @Test
  @DisplayName(
      "all vectors of one frame when it has just enough; the largest block of any frame when none has")
  void fullFrame() {
    GicV2mDriver both = two(100);
    VectorsExhausted none =
        assertThrows(VectorsExhausted.class, () -> both.allocate(NVME, 16, true));
    assertEquals(8, none.refusal().available().orElseThrow().value());
    VectorBlock eight = both.allocate(NVME, 8, false);
    for (int i = 0; i < 8; i++) {
      assertEquals(0x1040, eight.doorbell(i));
    }
    VectorsExhausted e = assertThrows(VectorsExhausted.class, () -> both.allocate(NVME, 5, false));
    assertEquals(4, e.refusal().available().orElseThrow().value());
    assertEquals(0x2040, both.allocate(NVME, 4, false).doorbell(3));
  }

  @Test
  @DisplayName(
      "walker: with MSI_TYPER not recorded, half of what firmware could tell is not enough")
  void halfTold() {
    GicV2mWalker walker = new GicV2mWalker("f", new Pa(0x1000), Map.of(), Basis.OBSERVED);
    for (GicV2mWalker half :
        List.of(
            walker.withFirmware(OptionalInt.of(40), OptionalInt.empty()),
            walker.withFirmware(OptionalInt.empty(), OptionalInt.of(8)))) {
      assertEquals(GicV2mWalk.Outcome.CANNOT_SEE, half.walk(new Pa(0x1040), 40).outcome());
    }
  }

  @Test
  @DisplayName("a frame that has just enough is taken before one that would have to share")
  void justEnough() {
    GicV2mDriver both = two(100);
    both.allocate(NVME, 5, false);
    VectorBlock four = both.allocate(NVME, 4, false);
    for (int i = 0; i < 4; i++) {
      assertEquals(0x2040, four.doorbell(i));
    }
    assertEquals(3, both.vectorsFree());
  }
}
