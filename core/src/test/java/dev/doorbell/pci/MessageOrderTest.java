package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.RegisterBus;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCIe 7.7.1, 7.7.2: the order in which messages are programmed")
class MessageOrderTest {
  private final List<String> log = new ArrayList<>();

  /// Bytes that remember, and write down every write.
  private final class Logged implements ConfigSpace, RegisterBus {
    private final Map<Long, Integer> bytes = new TreeMap<>();

    void preset(int at, int value, int count) {
      for (int i = 0; i < count; i++) {
        bytes.put((long) at + i, value >>> 8 * i & 0xff);
      }
    }

    @Override
    public int size() {
      return 256;
    }

    @Override
    public int read(int offset, int count) {
      return (int) read((long) offset, count);
    }

    @Override
    public void write(int offset, int value, int count) {
      write((long) offset, value, count);
    }

    @Override
    public long read(long offset, int count) {
      long value = 0;
      for (int i = 0; i < count; i++) {
        value |= bytes.getOrDefault(offset + i, 0).longValue() << 8 * i;
      }
      return value;
    }

    @Override
    public void write(long offset, long value, int count) {
      log.add("%x=%x".formatted(offset, value & (count == 8 ? -1L : (1L << 8 * count) - 1)));
      preset((int) offset, (int) value, count);
    }

    @Override
    public int read32(long offset) {
      return (int) read(offset, 4);
    }
  }

  @Test
  void msiThatIsOnGoesOffWhileAddressAndDataChange() {
    Logged c = new Logged();
    c.preset(0x52, 0x0081, 2);
    MsiCapability msi = MsiCapability.at("f", c, 0x50);
    msi.write(0, 0x1_0000_1000L, 0x22);
    assertEquals(List.of("52=80", "54=1000", "58=1", "5c=22", "52=81"), log);
  }

  @Test
  void msiIsEnabledLastAndTheWiredInterruptFirstGoesOff() {
    Logged c = new Logged();
    c.preset(0x52, 0x0084, 2);
    MsiCapability msi = MsiCapability.at("f", c, 0x50);
    msi.write(0, 0x1000, 4);
    msi.enable(4);
    assertEquals(List.of("54=1000", "58=0", "5c=4", "4=400", "52=a5"), log);
  }

  @Test
  void extendedDataIsEnabledOnlyWhenItIsNeeded() {
    Logged c = new Logged();
    c.preset(0x52, 0x0280, 2);
    MsiCapability msi = MsiCapability.at("f", c, 0x50);
    msi.write(0, 0x1000, 0x1_2345);
    assertEquals(List.of("54=1000", "58=0", "5c=2345", "5e=1", "52=680"), log);
    assertEquals(0x1_2345, msi.data(0));
  }

  @Test
  void extendedDataLiesElsewhereBehindAnAddressOf32Bits() {
    Logged c = new Logged();
    c.preset(0x52, 0x0200, 2);
    MsiCapability msi = MsiCapability.at("f", c, 0x50);
    msi.write(0, 0x1000, 0x1_2345);
    assertEquals(List.of("54=1000", "58=2345", "5a=1", "52=600"), log);
    assertEquals(0x1_2345, msi.data(0));
  }

  @Test
  void pendingBitsMayLieInAnotherBarThanTheTable() {
    Logged c = new Logged();
    c.preset(0x72, 70 - 1, 2);
    c.preset(0x74, 0x2000, 4);
    c.preset(0x78, 0x3000 | 2, 4);
    MsixCapability msix = MsixCapability.at("f", c, 0x70);
    assertEquals(List.of(0, 0x2000L), List.of(msix.tableBar(), msix.tableOffset()));
    assertEquals(List.of(2, 0x3000L), List.of(msix.pbaBar(), msix.pbaOffset()));
    assertEquals(70 * 16, msix.tableBytes());
    assertEquals(16, msix.pbaBytes());
    c.preset(0x72, 64 - 1, 2);
    assertEquals(8, msix.pbaBytes());
    c.preset(0x72, 70 - 1, 2);
    Logged pba = new Logged();
    pba.preset(0x3008, 0x20, 4);
    MsixTable t = msix.table(c, pba);
    assertEquals(
        List.of(69), IntStream.range(0, 70).filter(t::isPending).boxed().toList(), "bit 69");
  }

  @Test
  void anUnmaskedMsixEntryIsMaskedWhileItChanges() {
    Logged c = new Logged();
    c.preset(0x72, 3, 2);
    c.preset(0x74, 0x2000, 4);
    c.preset(0x78, 0x3000, 4);
    MsixTable t = MsixCapability.at("f", c, 0x70).table(c, c);
    t.write(1, 0x2_0000_0040L, 7);
    assertEquals(List.of("201c=1", "2010=40", "2014=2", "2018=7", "201c=0"), log);
    log.clear();
    t.mask(1, true);
    t.write(1, 0x1000, 8);
    assertEquals(List.of("201c=1", "2010=1000", "2014=0", "2018=8"), log);
  }
}
