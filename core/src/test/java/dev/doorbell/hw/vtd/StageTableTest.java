package dev.doorbell.hw.vtd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("VT-d 3.7: tables of the second stage")
class StageTableTest {
  private static final long RAM = 0x1000_0000L;

  @Test
  @DisplayName(
      "a mapping that the unit neither takes nor forgets keeps its tables from other use until the end")
  void notForgotten() {
    PlainMemory memory = new PlainMemory(RAM, 0x10_0000);
    CountedFrames frames = new CountedFrames(memory, RAM, 0x10_0000);
    StageTable table = new StageTable(memory, frames, TableEntries.SECOND, 4, 1);
    List<Long> freed = new ArrayList<>();
    frames.onFree(freed::add);
    AddressRange page = new AddressRange(0x1000, 0x1fff);
    assertThrows(
        RuntimeException.class,
        () ->
            table.map(
                page,
                new Pa(0x5000),
                Protection.READ_WRITE,
                _ -> {
                  throw new IllegalStateException("not taken");
                },
                _ -> {
                  throw new IllegalStateException("not forgotten");
                }));
    assertEquals(List.of(), freed);
    table.map(page, new Pa(0x6000), Protection.READ_WRITE, _ -> {}, _ -> {});
    table.close();
    assertEquals(0, frames.bytesInUse());
  }
}
