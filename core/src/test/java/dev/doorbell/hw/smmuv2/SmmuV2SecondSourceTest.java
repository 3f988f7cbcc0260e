package dev.doorbell.hw.smmuv2;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("IHI 0062: registers against other publications")
class SmmuV2SecondSourceTest {
  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT =
      Map.of(
          "SMMU_CBn_FAR, SMMU_CBn_IPAFAR.FADDR",
          "the manual leaves its top to the implementation: Cavium has bits 48:12, Code Aurora 31:0",
          "SMMU_sGFAR.FADDR",
          "the manual leaves its top to the implementation: Cavium has bits 48:0, Code Aurora 31:0");

  private static List<String> tables() {
    return List.of(
        "linux.txt",
        "sel4-openbsd.txt",
        "cavium.txt",
        "codeaurora.txt",
        "hisilicon.txt",
        "sdfirm.txt",
        "tf-a.txt",
        "arm-cpu.txt",
        "ruspiro.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(Gr0Registers.class, Tlb.class);
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
