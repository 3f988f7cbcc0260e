package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.qemu.QemuVersion;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("issue 3: recorded scenarios")
class ScriptTest {
  @ParameterizedTest
  @EnumSource(Hardware.class)
  @DisplayName("a scenario's text gives the same scenario again, and a seed the same text")
  void roundTrip(Hardware hardware) {
    for (long seed = 1; seed <= 20; seed++) {
      String text = Differential.script(hardware, seed, 20);
      assertEquals(text, Script.print(Script.parse(text, "text").scenario()));
      assertEquals(text, Differential.script(hardware, seed, 20));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "hardware gicv9",
        "write 0x0 4 0x0",
        "hardware its\nwrite 0x0 3 0x0",
        "hardware its\nread 0x0",
        "hardware its\nstore 0x1 0x0",
        "hardware its\nstore 0x8",
        "hardware its\nmessage 0x8 zero 0x1",
        "hardware its\nread 0xfffffffffffffffff 4",
        "hardware its\nexplode",
        "hardware its\nclear 0x0",
        "hardware its\nclear 0x8 0xc",
        "hardware its\ndrain all",
        "hardware its\nacknowledge 0x1",
        "hardware its\nmessage 0x10008 0x0 0x1",
        "hardware its\nmessage 0x8 0x2 0x1",
        "hardware its\nmessage 0x8 0x0 0x10000",
        "hardware smmuv3\nfetch 0x8 0x1",
        "hardware smmuv3\nmessage 0x8 0x10004 0x0",
        "hardware its\nstore",
        "hardware its",
        "hardware smmuv3\n# nothing"
      })
  @DisplayName("a line that is no step is refused with file and line")
  void bad(String text) {
    BadScript e = assertThrows(BadScript.class, () -> Script.parse(text, "file.txt"));
    assertTrue(String.valueOf(e.getMessage()).startsWith("file.txt line "), e.getMessage());
  }

  @Test
  @DisplayName(
      "of a damaged file no control character and no endless line is printed, and a wrong number is named")
  void damaged() {
    String bell = refusal("hardware its\nread 0x0\u001b[2J 4\u0007");
    assertTrue(bell.chars().noneMatch(Character::isISOControl), bell);
    assertTrue(bell.contains("`read 0x0?[2J 4?`"), bell);
    String endless = refusal("x".repeat(100_000));
    assertTrue(endless.length() < 1000, () -> endless.length() + " characters");
    assertTrue(
        refusal("hardware its\nstore 0x0 0xzz").contains("0xzz is no number of up to 64 bits"));
    assertTrue(refusal("").startsWith("file.txt line 1"), refusal(""));
  }

  private static String refusal(String text) {
    return String.valueOf(
        assertThrows(BadScript.class, () -> Script.parse(text, "file.txt")).getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "store 0x0 0x1",
        "clear 0x41000000 0x7fffffffffffff00",
        "write 0x1 4 0x0",
        "read 0x7 8",
        "command",
        "message 0x8 0x0 0x1",
        "drain",
        "acknowledge",
        "command 0x1 0x2 0x3 0x4 0x5"
      })
  @DisplayName("a step that no machine can perform ends in a typed refusal or is performed")
  void hostile(String line) {
    for (Hardware hardware : Hardware.values()) {
      try (Differential d = Differential.with(hardware, QemuVersion.LEAST, hardware.twin())) {
        Recording recording =
            Script.parse("# before\nhardware %s\n\n%s".formatted(hardware.id(), line), "hostile");
        try {
          assertEquals(1, d.replay(recording).scenarios());
        } catch (BadScript e) {
          assertTrue(
              String.valueOf(e.getMessage()).startsWith("hostile line 4, `%s`".formatted(line)),
              e.getMessage());
        }
      }
    }
  }

  @Test
  @DisplayName("every known difference has a name with a meaning")
  void names() {
    assertAll(
        KnownDifferences.all().entrySet().stream()
            .map(e ->
                () ->
                    assertTrue(
                        e.getValue().contains("QEMU")
                            || e.getKey().startsWith("stale")
                            || e.getKey().startsWith("too"),
                        e.getKey())));
  }
}
