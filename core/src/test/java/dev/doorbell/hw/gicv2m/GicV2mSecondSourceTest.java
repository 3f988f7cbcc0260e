package dev.doorbell.hw.gicv2m;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("ARM DEN 0029 GICv2m: registers against other publications")
class GicV2mSecondSourceTest {
  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT = Map.of();

  private static List<String> tables() {
    return List.of(
        "linux-irq-gic-v2m.txt", "qemu-arm-gicv2m.txt", "freebsd-gic.txt", "stm32mp25.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(GicV2mRegisters.class);
  }

  @ParameterizedTest
  @MethodSource("tables")
  @DisplayName("each row of another publication's table is declared so")
  void agree(String table) throws IOException {
    declared().agree(table);
  }

  @Test
  @DisplayName(
      "each field and each register's offset has a second source, or is named as one without")
  void complete() throws IOException {
    declared().complete(tables(), WITHOUT);
  }
}
