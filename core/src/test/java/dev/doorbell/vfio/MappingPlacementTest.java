package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.Refusal;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("where a container maps a buffer whose user does not mind")
class MappingPlacementTest {
  private static long lowest(
      List<AddressRange> ranges, List<AddressRange> mapped, Granule granule, long bytes) {
    return MappingPlacement.lowest("c", ranges, mapped, granule, bytes).value();
  }

  @Test
  @DisplayName("the lowest gap that is long enough, after mappings and across ranges")
  void lowestGap() {
    List<AddressRange> ranges =
        List.of(new AddressRange(0, 0x4fff), new AddressRange(0x10_0000, 0xffff_ffffL));
    assertEquals(0, lowest(ranges, List.of(), Granule.K4, 0x5000));
    List<AddressRange> mapped = List.of(new AddressRange(0x1000, 0x1fff));
    assertEquals(0, lowest(ranges, mapped, Granule.K4, 0x1000));
    assertEquals(0x2000, lowest(ranges, mapped, Granule.K4, 0x3000));
    assertEquals(0x10_0000, lowest(ranges, mapped, Granule.K4, 0x4000));
  }

  @Test
  @DisplayName("whole granules, and from 2 MiB on where a table may take a block")
  void alignment() {
    List<AddressRange> ranges = List.of(new AddressRange(0x1000, 0xffff_ffffL));
    assertEquals(0x1_0000, lowest(ranges, List.of(), Granule.K64, 0x1_0000));
    assertEquals(0x20_0000, lowest(ranges, List.of(), Granule.K4, 0x20_0000));
    assertEquals(0x1000, lowest(ranges, List.of(), Granule.K4, 0x1f_f000));
  }

  @Test
  @DisplayName("up to the last address of all, and not past it")
  void topOfTheSpace() {
    List<AddressRange> top = List.of(new AddressRange(-0x2000L, -1L));
    assertEquals(-0x2000L, lowest(top, List.of(), Granule.K4, 0x2000));
    assertEquals(
        -0x1000L, lowest(top, List.of(new AddressRange(-0x2000L, -0x1001L)), Granule.K4, 0x1000));
    Refusal r =
        assertThrows(NoPlaceForMapping.class, () -> lowest(top, List.of(), Granule.K64, 0x1_0000))
            .refusal();
    assertEquals(0x1_0000, r.needed().orElseThrow().value());
    assertEquals(0, r.available().orElseThrow().value());
    assertThrows(NoPlaceForMapping.class, () -> lowest(top, List.of(), Granule.K4, 0x3000));
    assertEquals(0, lowest(List.of(new AddressRange(0, -1L)), List.of(), Granule.K4, 0x1000));
  }

  @Test
  @DisplayName("refused with both figures: what the buffer needs, and the longest that is free")
  void refused() {
    List<AddressRange> ranges =
        List.of(new AddressRange(0, 0x3fff), new AddressRange(0x8000, 0x9fff));
    List<AddressRange> mapped = List.of(new AddressRange(0, 0xfff));
    Refusal r =
        assertThrows(NoPlaceForMapping.class, () -> lowest(ranges, mapped, Granule.K4, 0x4000))
            .refusal();
    assertEquals(0x4000, r.needed().orElseThrow().value());
    assertEquals(0x3000, r.available().orElseThrow().value());
    assertEquals(List.of("c"), r.objects());
  }
}
