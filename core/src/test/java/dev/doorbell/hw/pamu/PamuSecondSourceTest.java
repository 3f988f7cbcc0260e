package dev.doorbell.hw.pamu;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("PAMU registers and PAACEs against other publications")
class PamuSecondSourceTest {
  private static List<String> tables() {
    return List.of("uboot-fsl-pamu.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(PamuRegisters.class);
  }

  @ParameterizedTest
  @MethodSource("tables")
  @DisplayName("each row of another publication's table is declared so")
  void agree(String table) throws IOException {
    declared().agree(table);
  }
}
