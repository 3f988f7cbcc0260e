package dev.doorbell.hw.riscviommu;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("x")
class RiscvIommuSecondSourceTest {
  private static List<String> tables() {
    return List.of("registers-qemu.txt", "tables-qemu.txt");
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
}
