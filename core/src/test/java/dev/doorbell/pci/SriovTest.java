package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCIe 9.2.1.2: the requester ids of VFs")
class SriovTest {
  private static final Sbdf PF = Sbdf.parse("0000:01:00.1");

  private static SriovCapability capability(int vfs, int total, int offset, int stride) {
    return new SriovCapability(0x160, true, vfs, total, offset, stride, 0x10ca, false);
  }

  @Test
  void aVfsIdIsThePfsPlusFirstOffsetPlusStrides() {
    SriovCapability c = capability(3, 8, 0x180, 2);
    assertEquals(OptionalInt.of(0x281), c.requesterId(PF, 0));
    assertEquals(OptionalInt.of(0x285), c.requesterId(PF, 2));
    assertEquals(OptionalInt.of(0x28f), c.requesterId(PF, 7));
    assertEquals(OptionalInt.empty(), c.requesterId(PF, 8));
    assertEquals(OptionalInt.empty(), c.requesterId(PF, -1));
    assertEquals(OptionalInt.empty(), capability(2, 8, 0x180, 0).requesterId(PF, 1));
    assertEquals(OptionalInt.empty(), c.requesterId(Sbdf.parse("0000:fe:10.0"), 0), "past bus 255");
  }

  @Test
  void onlyIdsOfEnabledVfsAreVfs() {
    SriovCapability c = capability(3, 8, 0x180, 2);
    assertEquals(OptionalInt.of(0), c.indexOf(PF, 0x281));
    assertEquals(OptionalInt.of(2), c.indexOf(PF, 0x285));
    assertEquals(OptionalInt.empty(), c.indexOf(PF, 0x282));
    assertEquals(OptionalInt.empty(), c.indexOf(PF, 0x287), "NumVFs is 3");
    assertEquals(OptionalInt.empty(), c.indexOf(PF, 0x101));
  }

  @Test
  void theLastIdIsToldFromTheFirstOfItsBus() {
    assertEquals(0x18f, capability(3, 8, 0x180, 2).lastRequesterOffset(PF));
    assertEquals(
        0xf0 + 0x10 + 3,
        capability(0, 4, 0x10, 1).lastRequesterOffset(Sbdf.parse("0000:01:1e.0")),
        "over the edge of the bus");
    assertEquals(
        OptionalInt.of(0x203),
        capability(4, 4, 0x10, 1).requesterId(Sbdf.parse("0000:01:1e.0"), 3));
  }
}
