package dev.doorbell.hw.gicv3;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("IHI 0069 12.9, 12.11, 5.1: registers and LPI tables against other publications")
class GicV3SecondSourceTest {
  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT = Map.of();

  private static List<String> tables() {
    return List.of(
        "linux-arm-gic-v3.txt",
        "linux-rdbase.txt",
        "qemu-gicv3-internal.txt",
        "qemu-lpi.txt",
        "illumos.txt",
        "cavium.txt",
        "fiasco.txt");
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
