package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCI bridge 3.2.5.8 to 3.2.5.10: the windows of a bridge as its registers stand")
class BridgeWindowsTest {
  private final ByteBuffer bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);

  private BridgeWindows windows() {
    return BridgeWindows.of(function(64)).thing().orElseThrow();
  }

  private PciFunction function(int size) {
    byte[] seen = Arrays.copyOf(bytes.array(), size);
    return PciFunction.of(Sbdf.parse("00:01.0"), ConfigImage.of(seen, "built"), "built");
  }

  /// A type 1 header with memory decoding on, its windows closed.
  private void closed() {
    bytes.putInt(0, 0x000c_1b36).putShort(4, (short) 2).put(0x0e, (byte) 1);
    bytes.putShort(0x20, (short) 0xfff0).putShort(0x22, (short) 0);
  }

  @Test
  @DisplayName("a window is whole MiBs, and closed where its base lies above its limit")
  void memory() {
    closed();
    assertEquals(List.of(), windows().windows());
    bytes.putShort(0x20, (short) 0xe000).putShort(0x22, (short) 0xe010);
    AddressRange window = new AddressRange(0xe000_0000L, 0xe01f_ffffL);
    assertEquals(List.of(window), windows().windows());
    assertEquals(Optional.of(window), windows().holding(0xe01f_ffffL));
    assertEquals(Optional.empty(), windows().holding(0xe020_0000L));
    bytes.putShort(4, (short) 0);
    assertEquals(Optional.empty(), windows().holding(0xe000_0000L), "memory is not decoded");
  }

  @Test
  @DisplayName("a prefetchable window has 64 bits where it says so; zeros are none")
  void prefetchable() {
    closed();
    bytes.putInt(0x28, 0x12).putInt(0x2c, 0x12);
    assertEquals(List.of(), windows().windows(), "no prefetchable window");
    bytes.putShort(0x24, (short) 0x8000).putShort(0x26, (short) 0x8010);
    assertEquals(List.of(new AddressRange(0x8000_0000L, 0x801f_ffffL)), windows().windows());
    bytes.putShort(0x24, (short) 0x8001).putShort(0x26, (short) 0x8011);
    assertEquals(List.of(new AddressRange(0x12_8000_0000L, 0x12_801f_ffffL)), windows().windows());
    bytes
        .putShort(0x24, (short) 0x0001)
        .putShort(0x26, (short) 0x0001)
        .putInt(0x28, 0)
        .putInt(0x2c, 0);
    assertEquals(List.of(new AddressRange(0, 0xf_ffff)), windows().windows(), "the first MiB");
  }

  @Test
  @DisplayName("what was not seen is not told, and an endpoint has none")
  void unseen() {
    closed();
    assertTrue(BridgeWindows.of(function(0x2f)).isNotVisible());
    assertTrue(BridgeWindows.of(function(0x30)).isThere());
    bytes.put(0x0e, (byte) 0);
    assertTrue(!BridgeWindows.of(function(64)).isThere());
  }
}
