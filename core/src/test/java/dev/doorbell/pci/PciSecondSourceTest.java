package dev.doorbell.pci;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("pci_regs.h: configuration space against other publications")
class PciSecondSourceTest {
  private static List<String> tables() {
    return List.of("linux-pci-regs.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(ConfigHeaderLayout.class);
  }

  @ParameterizedTest
  @MethodSource("tables")
  @DisplayName("each row of another publication's table is declared so")
  void agree(String table) throws IOException {
    declared().agree(table);
  }
}
