package dev.doorbell.hw.pamu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("PAMU registers, PAACEs and operations against other publications")
class PamuSecondSourceTest {
  /// Fields that no other publication has, and why.
  private static final Map<String, String> WITHOUT =
      Map.of(
          "PC2.MLIODN", "Linux has it, and no other driver reads it",
          "PR1.version", "Linux has its mask, the others the register alone",
          "PAMU address.address", "a whole register, whose place has a source");

  private static List<String> tables() {
    return List.of("uboot-fsl-pamu.txt", "libos-pamu.txt");
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

  @Test
  @DisplayName(
      "each field and each register's offset has a second source, or is named as one without")
  void complete() throws IOException {
    declared().complete(tables(), WITHOUT);
  }

  /// Codes of libos 2ff7649 `include/libos/pamu.h`: IOE, EOE, and which of them `setup_omt` of Freescale's hypervisor (e17b3ec, `src/pamu.c`) gives to whom.
  @Test
  @DisplayName("operations have the codes of Freescale's libos, and the table is its hypervisor's")
  void operations() {
    assertEquals(
        List.of(0x00, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x8c, 0x8d, 0x8e, 0x8f),
        List.of(
                OmtLayout.READ,
                OmtLayout.WRITE,
                OmtLayout.EREAD0,
                OmtLayout.EWRITE0,
                OmtLayout.DIRECT0,
                OmtLayout.EREAD1,
                OmtLayout.EWRITE1,
                OmtLayout.DIRECT1,
                OmtLayout.RAC,
                OmtLayout.RAS,
                OmtLayout.RAD,
                OmtLayout.RAI)
            .stream()
            .map(OmtLayout::ioe)
            .toList());
    String names =
        "READ 0 WRITE 1 RAC c RAS d RAD e RAI f LDEC 10 LDECL 11 LDECPE 12 LDECPEL 13 LDECFE 14 LDECFEL 15 RSA 16 RSAU 17"
            + " READI 18 RWNITC 19 WCI 1a WWSA 1b WWSAL 1c WWSAO 1d WWSAOL 1e";
    String[] pairs = names.split(" ");
    for (int i = 0; i < pairs.length; i += 2) {
      assertEquals(pairs[i], OmtLayout.EOE.names().nameOf(Integer.parseInt(pairs[i + 1], 16)));
    }
    assertEquals(pairs.length / 2, OmtLayout.EOE.names().names().size());
    PamuRig rig = new PamuRig();
    rig.driver();
    int[][] table = {
      {0, 0x00, 0x80}, {0, 0x02, 0x96}, {0, 0x01, 0x81}, {0, 0x03, 0x9d}, {0, 0x04, 0x90},
      {0, 0x07, 0x92}, {1, 0x00, 0x98}, {1, 0x01, 0x81}, {2, 0x00, 0x80}, {2, 0x01, 0x81},
      {2, 0x02, 0x96}, {2, 0x03, 0x9b}, {3, 0x00, 0x98}, {3, 0x01, 0x81},
    };
    byte[] expected = new byte[16 * 128];
    for (int[] one : table) {
      expected[one[0] * 128 + one[1]] = (byte) one[2];
    }
    byte[] found = new byte[expected.length];
    rig.memory.read(rig.get(PamuRegisters.OBAL), found);
    assertEquals(HexFormat.of().formatHex(expected), HexFormat.of().formatHex(found));
    assertEquals(rig.get(PamuRegisters.OBAL) + expected.length, rig.get(PamuRegisters.OLAL));
  }
}
