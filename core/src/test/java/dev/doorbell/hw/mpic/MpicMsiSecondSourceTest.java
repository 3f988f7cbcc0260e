package dev.doorbell.hw.mpic;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("MPIC message banks against other publications")
class MpicMsiSecondSourceTest {
  private static List<String> tables() {
    return List.of("qemu-openpic.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(MpicMsiRegisters.class);
  }

  @ParameterizedTest
  @MethodSource("tables")
  @DisplayName("each row of another publication's table is declared so")
  void agree(String table) throws IOException {
    declared().agree(table);
  }
}
