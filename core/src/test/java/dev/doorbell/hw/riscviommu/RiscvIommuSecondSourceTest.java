package dev.doorbell.hw.riscviommu;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("RISC-V IOMMU 1.0: layouts against other publications")
class RiscvIommuSecondSourceTest {
  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT =
      Map.of("iotval2.GPA[63:2]", "the reference model clears bits 1:0 and names no field");

  private static List<String> tables() {
    return List.of(
        "registers-qemu.txt",
        "tables-qemu.txt",
        "reference-model.txt",
        "payloads-linux.txt",
        "reference-model-places.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(RiscvIommuRegisters.class);
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
