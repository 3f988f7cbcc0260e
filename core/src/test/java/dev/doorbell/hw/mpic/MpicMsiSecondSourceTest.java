package dev.doorbell.hw.mpic;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("MPIC message banks against other publications")
class MpicMsiSecondSourceTest {
  private static final String LINUX =
      "Linux alone has it, as shifts of the datum (fsl_msi.c, MSIIR1_SRS_SHIFT and MSIIR1_IBS_SHIFT)";

  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT =
      Map.of(
          "MSIIR1.IBS[3:0]", LINUX,
          "MSIIR1.SRS", LINUX,
          "MSIIR1.IBS[4]", LINUX,
          "MSISR.S", "of its sixteen bits QEMU and libos have the eight of a bank with MSIIR");

  private static List<String> tables() {
    return List.of("qemu-openpic.txt", "libos-mpic.txt", "dts-mpic43.txt");
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

  @Test
  @DisplayName(
      "each field and each register's offset has a second source, or is named as one without")
  void complete() throws IOException {
    declared().complete(tables(), WITHOUT);
  }
}
