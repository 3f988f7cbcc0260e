package dev.doorbell.vmsa;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("VMSAv8-64 descriptors of both stages against other publications")
class DescriptorSecondSourceTest {
  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT = Map.of();

  private static List<String> tables() {
    return List.of(
        "leaf1-linux.txt",
        "leaf2-linux.txt",
        "table1-linux.txt",
        "table2-linux.txt",
        "arm-descriptors.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(DescriptorLayout.class, TranslationCache.class);
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
