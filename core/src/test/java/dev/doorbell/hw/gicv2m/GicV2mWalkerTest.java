package dev.doorbell.hw.gicv2m;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Basis;
import dev.doorbell.testkit.Golden;
import dev.doorbell.testkit.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("GICv2m walker: which SPI a write raises")
class GicV2mWalkerTest {
  private static final Pa FRAME = new Pa(0x802_0000);
  private static final Pa DOORBELL = new Pa(0x802_0040);

  private static GicV2mWalker walker(Map<String, Long> registers) {
    return new GicV2mWalker("gicv2m@0x8020000", FRAME, registers, Basis.OBSERVED);
  }

  private static GicV2mWalker qemu() {
    return walker(Map.of("MSI_TYPER", 0x0050_0040L, "MSI_IIDR", 0x0510_0000L));
  }

  @Test
  @DisplayName(
      "printed: raised, outside the frame, not the doorbell, not recorded, told by firmware")
  void printed() throws IOException {
    StringBuilder text = new StringBuilder();
    GicV2mWalker firmware = walker(Map.of()).withFirmware(OptionalInt.of(96), OptionalInt.of(8));
    for (GicV2mWalk walk :
        new GicV2mWalk[] {
          qemu().walk(DOORBELL, 82),
          qemu().walk(DOORBELL, 144),
          qemu().walk(new Pa(0x802_0044), 82),
          walker(Map.of()).walk(DOORBELL, 82),
          firmware.walk(DOORBELL, 96),
          qemu().withFirmware(OptionalInt.of(96), OptionalInt.of(8)).walk(DOORBELL, 82)
        }) {
      walk.hops()
          .forEach(h ->
              text.append(h.at())
                  .append(": ")
                  .append(h.in())
                  .append(" -> ")
                  .append(h.out())
                  .append("\n    ")
                  .append(h.why())
                  .append("\n    ")
                  .append(h.source())
                  .append('\n'));
      text.append("  ").append(walk.outcome()).append(' ').append(walk.intid()).append('\n');
    }
    Golden.check("gicv2m/walks.txt", text.toString());
  }

  @Test
  @DisplayName("the first and the last SPI of the frame, and only the ten bits of an SPI count")
  void borders() {
    assertEquals(OptionalInt.of(80), qemu().walk(DOORBELL, 80).intid());
    assertEquals(OptionalInt.of(143), qemu().walk(DOORBELL, 143).intid());
    assertEquals(OptionalInt.empty(), qemu().walk(DOORBELL, 79).intid());
    assertEquals(OptionalInt.of(80), qemu().walk(DOORBELL, 0xffff_fc50).intid());
    assertEquals(GicV2mWalk.Outcome.CANNOT_SEE, walker(Map.of()).walk(DOORBELL, 80).outcome());
  }

  @Test
  @DisplayName("X-Gene adds its first SPI to the datum")
  void xgene() {
    GicV2mWalker xgene = walker(Map.of("MSI_TYPER", 0x0050_0040L, "MSI_IIDR", 0x0600_0170L));
    assertEquals(OptionalInt.of(82), xgene.walk(DOORBELL, 2).intid());
  }

  @Test
  @DisplayName(
      "a captured machine: every vector that Linux programmed raises the SPI that it received")
  void captured() throws IOException {
    Path oracle = Shared.require("lab-captures/arm64-gicv2m-acpi/oracle");
    String registers = Files.readString(oracle.resolve("registers.json"));
    GicV2mWalker walker =
        walker(
            Map.of(
                "MSI_TYPER", hex(registers, "MSI_TYPER"), "MSI_IIDR", hex(registers, "MSI_IIDR")));
    String truth = Files.readString(oracle.resolve("truth.json"));
    Matcher vector =
        Pattern.compile(
                "\"data\": \"(0x[0-9a-f]+)\"(?:(?!\"bdf\").)*?\"doorbell_pa\": \"(0x[0-9a-f]+)\".*?\"spi_intid\": (\\d+)",
                Pattern.DOTALL)
            .matcher(truth);
    int vectors = 0;
    while (vector.find()) {
      GicV2mWalk walk =
          walker.walk(new Pa(Long.decode(vector.group(2))), Integer.decode(vector.group(1)));
      assertEquals(GicV2mWalk.Outcome.RAISED, walk.outcome());
      assertEquals(Integer.parseInt(vector.group(3)), walk.intid().orElseThrow());
      vectors++;
    }
    assertEquals(16, vectors);
  }

  private static long hex(String json, String name) {
    Matcher m = Pattern.compile("\"" + name + "\": \"(0x[0-9a-f]+)\"").matcher(json);
    assertTrue(m.find(), () -> "no " + name);
    return Long.decode(m.group(1));
  }
}
