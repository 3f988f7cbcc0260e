package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.pci.BarDecode.Kind;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCIe 7.5.1.2.1: base address registers are sized, and left as they were")
class BarDecodeTest {
  private static final int COMMAND = 0x04;
  private static final int FIRST = 0x10;

  /// A header whose BARs have writable bits; it refuses to be sized while it decodes.
  private static final class Function implements ConfigSpace {
    private final byte[] bytes = new byte[256];
    private final int[] writable;

    Function(int headerType, int... writable) {
      this.writable = writable;
      bytes[0x0e] = (byte) headerType;
      put(COMMAND, 0x0007, 2);
    }

    void put(int offset, int value, int count) {
      for (int i = 0; i < count; i++) {
        bytes[offset + i] = (byte) (value >>> 8 * i);
      }
    }

    @Override
    public int size() {
      return bytes.length;
    }

    @Override
    public int read(int offset, int count) {
      int value = 0;
      for (int i = 0; i < count; i++) {
        value |= (bytes[offset + i] & 0xff) << 8 * i;
      }
      return value;
    }

    @Override
    public void write(int offset, int value, int count) {
      int index = (offset - FIRST) / Integer.BYTES;
      if (offset < FIRST || index >= writable.length) {
        put(offset, value, count);
        return;
      }
      assertEquals(0, read(COMMAND, 2) & 3, "a BAR changed while memory or I/O was decoded");
      assertEquals(4, read(COMMAND, 2) & 4, "bus mastering is none of its business");
      put(offset, read(offset, 4) & ~writable[index] | value & writable[index], count);
    }
  }

  @Test
  @DisplayName("nothing is decoded meanwhile; each register and the command come back")
  void leftAsTheyWere() {
    // 64 KiB of 32 bits, 8 GiB prefetchable of 64 bits, 8 ports of 16 address bits, none, 4 KiB
    // prefetchable.
    Function f = new Function(0, 0xffff_0000, 0, 0xffff_fffe, 0xfff8, 0, 0xffff_f000);
    int[] held = {0xfe10_0000, 0x0000_000c, 0x0000_0040, 0x0000_c001, 0, 0xfe20_0008};
    for (int i = 0; i < held.length; i++) {
      f.put(FIRST + 4 * i, held[i], 4);
    }
    BarDecode.Bars sized = BarDecode.size(f, "f");
    assertEquals(
        List.of(
            new BarDecode(0, Kind.MEMORY_32, false, 0xfe10_0000L, OptionalLong.of(0x1_0000)),
            new BarDecode(
                1, Kind.MEMORY_64, true, 0x40_0000_0000L, OptionalLong.of(0x2_0000_0000L)),
            new BarDecode(3, Kind.IO, false, 0xc000, OptionalLong.of(8)),
            new BarDecode(5, Kind.MEMORY_32, true, 0xfe20_0000L, OptionalLong.of(0x1000))),
        sized.bars());
    assertEquals(List.of(), sized.oddities());
    for (int i = 0; i < held.length; i++) {
      assertEquals(held[i], f.read(FIRST + 4 * i, 4), "BAR " + i);
    }
    assertEquals(0x0007, f.read(COMMAND, 2));
  }

  /// An SR-IOV capability at the start of a space: VF MSE is bit 3 of its control, VF BAR 0 lies at 0x24 (PCIe 9.3.3).
  private static final class Virtual implements ConfigSpace {
    private int control = 0x19;
    private int bar = 0x4000_0000;

    @Override
    public int size() {
      return 256;
    }

    @Override
    public int read(int offset, int count) {
      return switch (offset) {
        case 0x08 -> control;
        case 0x24 -> bar;
        default -> 0;
      };
    }

    @Override
    public void write(int offset, int value, int count) {
      if (offset == 0x08) {
        control = value;
      } else if (offset == 0x24) {
        assertEquals(0x11, control, "the VFs' BARs changed while they were decoded");
        bar = value & 0xffff_c000;
      }
    }
  }

  @Test
  @DisplayName("PCIe 9.2.1.1.1: the BARs of VFs are sized with VF MSE off")
  void ofVirtualFunctions() {
    Virtual v = new Virtual();
    assertEquals(
        List.of(new BarDecode(0, Kind.MEMORY_32, false, 0x4000_0000L, OptionalLong.of(0x4000))),
        BarDecode.sizeVirtual(new ConfigAccess(v, 0), "pf").bars());
    assertEquals(List.of(0x19, 0x4000_0000), List.of(v.control, v.bar));
  }

  @Test
  @DisplayName("a bridge has two, a CardBus bridge's header none that are read")
  void byHeaderType() {
    for (int type : new int[] {0, 1, 2}) {
      int page = 0xffff_f000;
      Function f = new Function(type, page, page, page, page, page, page);
      assertEquals(
          List.of(6, 2, 0).get(type), BarDecode.size(f, "f").bars().size(), "header type " + type);
    }
  }

  @Test
  @DisplayName("a 64-bit BAR in the last register is odd and is read as one of 32 bits")
  void noUpperHalf() {
    Function f = new Function(1, 0, 0xffff_f000);
    f.put(FIRST + 4, 0xfe20_0004, 4);
    BarDecode.Bars bars = BarDecode.size(f, "f");
    assertEquals(Kind.MEMORY_32, bars.bars().getFirst().kind());
    assertEquals(FIRST + 4, bars.oddities().getFirst().source().offset());
    assertTrue(bars.oddities().getFirst().message().contains("BAR 1"), bars::toString);
  }
}
