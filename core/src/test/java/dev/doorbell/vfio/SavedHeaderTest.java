package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCI Express 6.0 6.6.2: what a reset of a function loses is put back")
class SavedHeaderTest {
  private static final int COMMAND = 0x04;
  private static final int ACS = 0x100;
  private static final int ACS_CONTROL = ACS + 6;
  private static final int ALL_THAT_ISOLATES = 0x1d;

  private final Bytes config = new Bytes();

  @Test
  @DisplayName("Access Control Services, before the function is decoded again")
  void accessControl() {
    config.write(0, 0x5555_1234, 4);
    config.write(COMMAND, 0x0010_0006, 4);
    config.write(0x34, 0x40, 1);
    config.write(0x40, 0x0002_0010, 4);
    config.write(ACS, 0x0001_000d, 4);
    config.write(ACS_CONTROL - 2, 0x5f, 2);
    config.write(ACS_CONTROL, ALL_THAT_ISOLATES, 2);
    PciFunction pci = PciFunction.of(Sbdf.parse("0000:01:00.1"), config, "0000:01:00.1");
    SavedHeader saved = SavedHeader.of(pci, config);

    config.write(ACS_CONTROL, 0, 2);
    config.write(COMMAND, 0, 2);
    config.atDecoding = -1;
    saved.restore();

    assertEquals(ALL_THAT_ISOLATES, config.read16(ACS_CONTROL));
    assertEquals(2, config.read16(COMMAND), "decoded, and not mastering the bus");
    assertEquals(ALL_THAT_ISOLATES, config.atDecoding, "services that were on by then");
  }

  private static final class Bytes implements ConfigSpace {
    private final byte[] content = new byte[4096];
    private int atDecoding;

    @Override
    public int size() {
      return content.length;
    }

    @Override
    public int read(int offset, int bytes) {
      int value = 0;
      for (int i = bytes - 1; i >= 0; i--) {
        value = value << Byte.SIZE | Byte.toUnsignedInt(content[offset + i]);
      }
      return value;
    }

    @Override
    public void write(int offset, int value, int bytes) {
      if (offset == COMMAND && value != 0) {
        atDecoding = read16(ACS_CONTROL);
      }
      for (int i = 0; i < bytes; i++) {
        content[offset + i] = (byte) (value >>> i * Byte.SIZE);
      }
    }
  }
}
