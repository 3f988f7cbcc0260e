package dev.doorbell.hw.smmuv3;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("IHI 0070: registers, tables, commands and events against other publications")
class SmmuSecondSourceTest {
  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT =
      Map.of(
          "CMD_PREFETCH[1].Stride",
          "nobody issues CMD_PREFETCH_ADDR; the manual draws it, and tells no bits in words");

  private static List<String> tables() {
    return List.of(
        "ste-linux.txt",
        "ste-openvmm.txt",
        "ste-qemu.txt",
        "cd-linux.txt",
        "cd-qemu.txt",
        "l1std-linux.txt",
        "l1cd-linux.txt",
        "linux-registers.txt",
        "qemu-registers.txt",
        "linux-commands.txt",
        "qemu-commands.txt",
        "linux-events.txt",
        "openvmm-events.txt",
        "arm-tables.txt",
        "arm-registers.txt",
        "fiasco.txt",
        "cavium.txt",
        "edk2.txt",
        "tf-rmm.txt",
        "nxp-mmu-tcu.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(SteLayout.class, TranslationCaches.class, TranslationMemo.class);
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
