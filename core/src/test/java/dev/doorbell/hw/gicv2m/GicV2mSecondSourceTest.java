package dev.doorbell.hw.gicv2m;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("ARM DEN 0029 GICv2m: registers against other publications")
class GicV2mSecondSourceTest {
  private static List<String> tables() {
    return List.of("linux-irq-gic-v2m.txt");
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
}
