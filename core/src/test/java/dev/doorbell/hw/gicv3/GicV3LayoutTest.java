package dev.doorbell.hw.gicv3;

import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GicV3LayoutTest {
  private static List<Layout> layouts() {
    List<Layout> all = new ArrayList<>();
    all.addAll(GicdRegisters.MAP.registers().stream().map(Register::layout).toList());
    all.addAll(GicrRegisters.MAP.registers().stream().map(Register::layout).toList());
    all.add(LpiTables.CONFIG);
    return all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"linux-arm-gic-v3.txt", "qemu-gicv3-internal.txt"})
  @DisplayName(
      "IHI 0069 12.9, 12.11, 5.1: registers and fields are where other publications have them")
  void secondSource(String table) throws IOException {
    LayoutSource.check(
        GicV3LayoutTest.class, table, layouts(), List.of(GicdRegisters.MAP, GicrRegisters.MAP));
  }
}
