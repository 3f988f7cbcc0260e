package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Property;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCIe 7.5.1.1.11, 7.6.3: lists that loop, leave, or were not captured")
class CapabilitiesTest {
  private static byte[] header() {
    byte[] b = new byte[4096];
    b[0] = 1;
    b[6] = 0x10;
    b[0x34] = 0x40;
    return b;
  }

  private static Capabilities walk(byte[] bytes) {
    return Capabilities.of(ConfigImage.of(bytes, "built"), "built");
  }

  private static void ext(byte[] b, int at, int id, int next) {
    int word = id | 1 << 16 | next << 20;
    for (int i = 0; i < 4; i++) {
      b[at + i] = (byte) (word >>> 8 * i);
    }
  }

  @Test
  void aLoopEndsAndIsReportedWhereItCloses() {
    byte[] b = header();
    b[0x40] = 0x01;
    b[0x41] = 0x50;
    b[0x50] = 0x05;
    b[0x51] = 0x40;
    Capabilities c = walk(b);
    assertEquals(2, c.all().size());
    assertEquals(1, c.oddities().size());
    assertEquals(0x40, c.oddities().getFirst().source().offset());
    assertTrue(c.find(5).isThere());
    assertFalse(c.find(0x11).isNotVisible(), "everything was seen: it is not there");
  }

  @Test
  void anExtendedLoopEndsToo() {
    byte[] b = header();
    b[0x40] = 0x10;
    ext(b, 0x100, 0x0d, 0x140);
    ext(b, 0x140, 0x0e, 0x100);
    Capabilities c = walk(b);
    assertEquals(List.of(0x40, 0x100, 0x140), c.all().stream().map(Capability::offset).toList());
    assertTrue(c.oddities().getFirst().message().contains("loops back to 0x100"));
  }

  @Test
  void pointersIntoTheHeaderOrBelowExtendedSpaceEndTheWalk() {
    byte[] b = header();
    b[0x40] = 0x10;
    b[0x41] = 0x20;
    ext(b, 0x100, 0x0d, 0x80);
    Capabilities c = walk(b);
    assertEquals(2, c.oddities().size());
    assertEquals(
        List.of(0x20L, 0x80L), c.oddities().stream().map(o -> o.source().offset()).toList());
  }

  @Test
  void extendedSpaceOfAConventionalFunctionDoesNotExist() {
    byte[] b = header();
    b[0x40] = 0x05;
    ext(b, 0x100, 0x0d, 0);
    assertEquals(new Seen.NotThere<>(), walk(b).findExtended(0x0d));
    b[0x40] = 0x10;
    assertTrue(walk(b).findExtended(0x0d).isThere());
    assertTrue(walk(Arrays.copyOf(b, 256)).findExtended(0x0d).isNotVisible());
    assertTrue(walk(Arrays.copyOf(b, 64)).findExtended(0x0d).isNotVisible());
    assertTrue(walk(Arrays.copyOf(b, 64)).find(0x10).isNotVisible());
    b[6] = 0;
    assertEquals(new Seen.NotThere<>(), walk(Arrays.copyOf(b, 64)).find(0x05));
  }

  @Test
  void aCapabilityThatIsCutOffIsNotVisible() {
    byte[] b = header();
    b[0x34] = (byte) 0xf8;
    b[0xf8] = 0x05;
    b[0xfa] = (byte) 0x80;
    ConfigImage cut = ConfigImage.of(Arrays.copyOf(b, 0xfe), "cut");
    assertTrue(PciFunction.of(new Sbdf(0, 0, 1, 0), cut, "cut").msi().isNotVisible());
  }

  @Test
  void captureIsImmutableAndReadsOnesPastItsEnd() {
    byte[] bytes = HexFormat.of().parseHex("8680cb10");
    ConfigImage i = ConfigImage.of(bytes, "four bytes");
    bytes[0] = 0;
    assertEquals(0x10cb8086, i.read32(0));
    assertEquals(0xffff, i.read16(4));
    assertEquals(0xffff_ffff, i.read32(0xffc));
    assertThrows(UnsupportedOperationException.class, () -> i.write(4, 6, 2));
    assertThrows(IllegalArgumentException.class, () -> i.read(1, 2));
    assertThrows(IllegalArgumentException.class, () -> ConfigImage.of(new byte[4097], "long"));
    assertEquals(
        0,
        PciFunction.of(new Sbdf(0, 0, 0, 0), ConfigImage.of(new byte[0], "none"), "none")
            .capabilities()
            .all()
            .size());
  }

  @Test
  void anyBytesOfAnySizeAreWalkedToAnEnd() {
    Property.check(
        "walks end",
        3000,
        random -> {
          byte[] b =
              random.bytes(
                  random.pick(List.of(0, 1, 7, 63, 64, 65, 200, 255, 256, 257, 3856, 4095, 4096)));
          if (b.length > 0x41) {
            b[6] |= 0x10;
            b[0x34] = 0x40;
            if (random.nextBoolean()) {
              b[0x40] = 0x10;
            }
            b[0x0e] = (byte) random.below(3);
          }
          PciFunction f =
              PciFunction.of(new Sbdf(0, 3, 2, 1), ConfigImage.of(b, "random"), "random");
          List<Capability> all = f.capabilities().all();
          assertEquals(all.size(), all.stream().map(Capability::offset).distinct().count());
          f.msi();
          f.msix();
          f.acs();
          f.sriov().thing().ifPresent(s -> s.requesterId(f.sbdf(), 5));
          f.portType();
          f.bars();
          f.bridge();
          PciTopology t = PciTopology.of(List.of(f));
          Groups.derive(t, AcsAssumption.AS_CAPTURED);
        });
  }

  @Test
  void whereNothingAnswersInTheMiddleTheListEnds() {
    byte[] b = header();
    b[0x40] = 0x01;
    b[0x41] = 0x50;
    b[0x50] = (byte) 0xff;
    b[0x51] = 0x60;
    b[0x60] = 0x05;
    Capabilities c = walk(b);
    assertEquals(List.of(0x40), c.all().stream().map(Capability::offset).toList());
    assertEquals(0x50, c.oddities().getFirst().source().offset());
  }

  @Test
  void aVfHasNoIdsAndCapabilitiesAllTheSame() {
    byte[] b = header();
    for (int i = 0; i < 4; i++) {
      b[i] = (byte) 0xff;
    }
    b[0x40] = 0x11;
    assertTrue(walk(b).find(0x11).isThere());
    b[4] = (byte) 0xff;
    b[5] = (byte) 0xff;
    assertTrue(walk(b).find(0x11).isNotVisible(), "nothing answered");
  }
}
