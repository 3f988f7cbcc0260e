package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bits.Decoded;
import dev.doorbell.bits.Layout;
import dev.doorbell.testkit.Golden;
import java.io.IOException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ItsLayoutTest {
  @ParameterizedTest
  @CsvSource({
    "0x08, MAPD", "0x09, MAPC", "0x0a, MAPTI", "0x0b, MAPI", "0x01, MOVI", "0x0f, DISCARD",
        "0x0c, INV", "0x0e, MOVALL",
    "0x0d, INVALL", "0x03, INT", "0x04, CLEAR", "0x05, SYNC", "0x2d, VINVALL", "0x29, VMAPP",
        "0x2a, VMAPTI", "0x21, VMOVI",
    "0x25, VSYNC", "0x22, VMOVP", "0x23, VSGI", "0x2e, INVDB"
  })
  @DisplayName("IHI 0069 5.3: command numbers, as Linux 6.12 arm-gic-v3.h has them")
  void commandNumbers(String code, String name) {
    assertEquals(name, ItsCommandLayout.NAMES.nameOf(Integer.decode(code)));
  }

  @ParameterizedTest
  @CsvSource({
    "0xf9070000429c0600, 0x429c0000",
    "0x80000000abcd1200, 0x10000abcd0000",
    "0x80000000abcd1000, 0xabcd1000"
  })
  @DisplayName(
      "IHI 0069 12.19.1 GITS_BASER.Physical_Address: with 64 KiB pages bits 15:12 are address bits 51:48")
  void tableAddress(String baser, String address) {
    assertEquals(
        Long.decode(address),
        GitsRegisters.tableAddress(Long.parseUnsignedLong(baser.substring(2), 16)));
  }

  @Test
  @DisplayName(
      "golden: registers, a device's entry, an event's entry and commands of a machine that Linux programmed")
  void golden() throws IOException {
    StringBuilder text = new StringBuilder();
    line(text, "GITS_CTLR", GitsRegisters.CTLR_LAYOUT, 0x80000001L);
    line(text, "GITS_TYPER", GitsRegisters.TYPER_LAYOUT, 0x1f0001efb1L);
    line(text, "GITS_CBASER", GitsRegisters.CBASER_LAYOUT, 0xb8000000429b040fL);
    line(text, "GITS_BASER0", GitsRegisters.BASER_LAYOUT, 0xf9070000429c0600L);
    line(text, "GITS_BASER1", GitsRegisters.BASER_LAYOUT, 0xbc070000429d0600L);
    line(text, "level 1", GitsRegisters.LEVEL1_LAYOUT, 0x8000000043740000L);
    line(text, "DTE", QemuItsTables.DTE, 0x132ea207L);
    line(text, "ITE[0]", QemuItsTables.ITE_0, 0x803bL);
    line(text, "ITE[1]", QemuItsTables.ITE_1, 0);
    line(text, "ITE[2]", QemuItsTables.ITE_2, 0x3ffL);
    line(text, "CTE", QemuItsTables.CTE, 1);
    line(text, "MAPC 0", ItsCommandLayout.DW0, 0x9);
    line(text, "MAPC 2", ItsCommandLayout.TARGET, 0x8000000000000000L);
    line(text, "MAPD 0", ItsCommandLayout.DW0, 0x1800000008L);
    line(text, "MAPD 2", ItsCommandLayout.MAPD_ITT, 0x800000004412ca00L);
    line(text, "MAPTI 0", ItsCommandLayout.DW0, 0x180000000aL);
    line(text, "MAPTI 1", ItsCommandLayout.EVENT, 0x0000200000000000L);
    Golden.check("gicits/linux-dump.txt", text.toString());
  }

  private static void line(StringBuilder text, String what, Layout layout, long word) {
    text.append("%s 0x%x: ".formatted(what, word))
        .append(
            layout.decode(word).stream().map(Decoded::toString).collect(Collectors.joining(" ")))
        .append('\n');
  }
}
