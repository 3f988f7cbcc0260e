package dev.doorbell.hw.gicv2;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("IHI 0048 4.3, 4.4: registers against other publications")
class GicV2SecondSourceTest {
  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT = Map.of();

  private static List<String> tables() {
    return List.of(
        "linux-arm-gic.txt", "tf-a-gicv2.txt", "illumos.txt", "cavium.txt", "stm32mp1.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(GicdRegisters.class);
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
