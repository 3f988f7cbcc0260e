package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "PCIe 7.7.1, 7.7.2: the registers of MSI and MSI-X, refusals and putting back included")
class MsiCapabilityTest {
  private static final int AT = 0x50;
  private static final int WIDE = 0x80;
  private static final int MASKABLE = 0x100;
  private static final int EXTENDED = 0x200;

  /// Registers that take every write.
  private record Plain(byte[] bytes) implements ConfigSpace {
    @Override
    public int size() {
      return bytes.length;
    }

    @Override
    public int read(int offset, int count) {
      int value = 0;
      for (int i = count - 1; i >= 0; i--) {
        value = value << 8 | bytes[offset + i] & 0xff;
      }
      return value;
    }

    @Override
    public void write(int offset, int value, int count) {
      for (int i = 0; i < count; i++) {
        bytes[offset + i] = (byte) (value >>> 8 * i);
      }
    }
  }

  private static Plain plain(int control) {
    Plain p = new Plain(new byte[256]);
    p.write(AT + 2, control, 2);
    return p;
  }

  private static MsiCapability msi(Plain p) {
    return MsiCapability.at("f", p, AT);
  }

  @Test
  @DisplayName(
      "a number of vectors that is no power of two, or too large, is refused and nothing is written")
  void numbers() {
    Plain p = plain(3 << 1);
    byte[] before = p.bytes.clone();
    for (int count : new int[] {0, -1, 3, 5, 6, 7, 16}) {
      assertThrows(MessageRefused.class, () -> msi(p).enable(count));
      assertArrayEquals(before, p.bytes, count + " vectors");
    }
    msi(p).enable(8);
    assertEquals(3 << 4 | 3 << 1 | 1, p.read16(AT + 2));
    assertEquals(8, msi(p).granted());
  }

  @Test
  @DisplayName("reserved encodings of Multiple Message Capable count as 32")
  void reservedEncodings() {
    for (int encoding : new int[] {5, 6, 7}) {
      assertEquals(32, msi(plain(encoding << 1)).size());
    }
  }

  @Test
  @DisplayName("a datum has 16 bits, or 32 where the function carries extended data")
  void data() {
    for (int shape : new int[] {0, WIDE}) {
      Plain p = plain(shape);
      byte[] before = p.bytes.clone();
      for (int datum : new int[] {0x1_0000, -1, Integer.MIN_VALUE}) {
        assertThrows(MessageRefused.class, () -> msi(p).write(0, 0x1000, datum));
      }
      assertArrayEquals(before, p.bytes);
      Plain x = plain(shape | EXTENDED);
      msi(x).write(0, 0x1000, 0x8765_4321);
      int data = AT + (shape == WIDE ? 0x0c : 0x08);
      assertEquals(0x8765_4321, x.read32(data));
      assertEquals(0x8765_4321, msi(x).data(0));
      assertTrue((x.read16(AT + 2) & 0x400) != 0, "extended data are on");
      msi(x).write(0, 0x1000, 0x4321);
      assertEquals(0x4321, msi(x).data(0));
      assertEquals(0, x.read16(AT + 2) & 0x400, "and off where they are not needed");
    }
  }

  @Test
  @DisplayName("other vectors follow vector 0, and nothing else is taken for them")
  void followers() {
    Plain p = plain(WIDE | 2 << 1);
    msi(p).write(0, 0x12_0000_1040L, 0x100);
    msi(p).enable(4);
    byte[] before = p.bytes.clone();
    msi(p).write(3, 0x12_0000_1040L, 0x103);
    assertThrows(MessageRefused.class, () -> msi(p).write(3, 0x12_0000_1040L, 0x104));
    assertThrows(MessageRefused.class, () -> msi(p).write(3, 0x12_0000_1044L, 0x103));
    assertThrows(IndexOutOfBoundsException.class, () -> msi(p).write(4, 0x12_0000_1040L, 0x104));
    assertArrayEquals(before, p.bytes);
  }

  @Test
  @DisplayName("each vector's mask is its own bit")
  void masks() {
    Plain p = plain(MASKABLE | 5 << 1);
    MsiCapability m = msi(p);
    m.mask(3, true);
    m.mask(31, true);
    m.mask(3, false);
    m.mask(0, true);
    assertEquals(0x8000_0001, p.read32(AT + 0x0c));
    p.write(AT + 0x10, 0x4000_0002, 4);
    assertTrue(m.isPending(30) && m.isPending(1));
    assertFalse(m.isPending(31) || m.isPending(0));
    assertThrows(MessageRefused.class, () -> msi(plain(5 << 1)).mask(0, true));
  }

  @Test
  @DisplayName("what is saved is put back, bit for bit, with the wired interrupt's switch")
  void saved() {
    for (int shape = 0; shape < 0x400; shape += WIDE) {
      for (boolean wiredOff : new boolean[] {false, true}) {
        Plain p = plain(0);
        new Random(shape).nextBytes(p.bytes);
        p.write(AT + 2, shape | 3 << 1 | 1 << 4 | 1, 2);
        p.write(4, wiredOff ? 0x406 : 0x006, 2);
        byte[] before = p.bytes.clone();
        MessageTable.Saved saved = msi(p).save(0, 1);
        msi(p).disable();
        msi(p).write(0, 0xfffc, 0x1234);
        if ((shape & MASKABLE) != 0) {
          msi(p).mask(5, true);
          msi(p).mask(6, false);
        }
        msi(p).enable(8);
        assertEquals(0x406, p.read16(4));
        saved.restore();
        // The two lowest bits of the address are none.
        before[AT + 4] = p.bytes[AT + 4];
        assertArrayEquals(before, p.bytes, Integer.toHexString(shape));
      }
    }
  }

  @Test
  @DisplayName("a capability that runs past what is there is not seen")
  void pastTheEnd() {
    for (int[] shape :
        new int[][] {{0, 0x0a}, {WIDE, 0x0e}, {MASKABLE, 0x14}, {MASKABLE | WIDE, 0x18}}) {
      for (int missing = 0; missing < 2; missing++) {
        byte[] bytes = new byte[AT + shape[1] - missing];
        bytes[0x06] = 0x10;
        bytes[0x34] = AT;
        bytes[AT] = 0x05;
        bytes[AT + 2] = (byte) shape[0];
        bytes[AT + 3] = (byte) (shape[0] >>> 8);
        PciFunction f =
            PciFunction.of(Sbdf.parse("00:01.0"), ConfigImage.of(bytes, "built"), "built");
        assertEquals(missing == 0, f.msi().isThere());
        assertEquals(missing != 0, f.msi().isNotVisible());
      }
    }
  }

  @Test
  @DisplayName(
      "MSI-X: the wired interrupt is off while messages are on, and as before when that is put back")
  void msix() {
    Plain p = plain(0x0003);
    MsixCapability c = MsixCapability.at("f", p, AT);
    assertEquals(4, c.vectors());
    assertEquals(8, c.pbaBytes());
    assertEquals(8 * 32, MsixCapability.at("f", plain(0x07ff), AT).pbaBytes());
    for (int command : new int[] {0x006, 0x406}) {
      p.write(4, command, 2);
      MsixCapability.Switches before = c.switches();
      c.enable();
      assertEquals(0x406, p.read16(4));
      assertTrue(c.isEnabled());
      before.restore();
      assertEquals(command, p.read16(4));
      assertFalse(c.isEnabled());
    }
  }

  @Test
  @DisplayName("a field is changed without clearing what is cleared by ones")
  void clearedByOnes() {
    Plain p = plain(0);
    p.write(AT + 4, 0x8003, 2);
    new ConfigAccess(p, AT).set(PowerLayout.CONTROL, PowerLayout.POWER_STATE, 0);
    assertEquals(0x0000, p.read16(AT + 4), "PME Status is written as zero");
  }
}
