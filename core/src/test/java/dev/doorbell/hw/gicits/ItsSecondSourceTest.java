package dev.doorbell.hw.gicits;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName(
    "IHI 0069 12.19, 5.3 and the format qemu: registers, commands and tables against other publications")
class ItsSecondSourceTest {
  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT = Map.of();

  private static List<String> tables() {
    return List.of(
        "linux-arm-gic-v3.txt",
        "linux-irq-gic-v3-its.txt",
        "linux-gits-baser-52.txt",
        "qemu-gicv3-internal.txt",
        "qemu-commands.txt",
        "illumos.txt",
        "cavium.txt",
        "fiasco.txt",
        "vbox.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(GitsRegisters.class, ItsRoutes.class);
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
