package dev.doorbell.hw.amdvi;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("48882: registers, tables, commands and events against other publications")
class AmdViSecondSourceTest {
  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT =
      Map.ofEntries(
          Map.entry("DTE[0].GPRP", "neither Linux nor QEMU names it"),
          Map.entry("DTE[1].SE", "neither Linux nor QEMU names it"),
          Map.entry("DTE[1].SA", "neither Linux nor QEMU names it"),
          Map.entry("DTE[1].IoCtl", "neither Linux nor QEMU names it"),
          Map.entry("DTE[1].Cache", "neither Linux nor QEMU names it"),
          Map.entry("DTE[1].SD", "neither Linux nor QEMU names it"),
          Map.entry("DTE[1].SATS", "neither Linux nor QEMU names it"),
          Map.entry("DTE[2].IG", "neither Linux nor QEMU names it"),
          Map.entry("DTE[2].HPTMode", "neither Linux nor QEMU names it"),
          Map.entry("DTE[3].AttrV", "neither Linux nor QEMU names it"),
          Map.entry("DTE[3].Mode0FC", "neither Linux nor QEMU names it"),
          Map.entry("DTE[3].SnoopAttribute", "neither Linux nor QEMU names it"),
          Map.entry("I/O page table entry.A", "neither Linux nor QEMU names it"),
          Map.entry("ExtFeature.SATSSup", "newer than the sources at hand"));

  private static List<String> tables() {
    return List.of(
        "dte-linux.txt",
        "dte-qemu.txt",
        "irte-linux.txt",
        "tables-linux.txt",
        "guest-tables-linux.txt",
        "registers-vbox.txt",
        "registers-linux.txt",
        "registers-qemu.txt",
        "queues-vbox.txt",
        "galog-linux.txt",
        "ppr-linux.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(DteLayout.class);
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
