package dev.doorbell.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.vmm.payload.LpiPayload;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("booting.rst 4: an arm64 Image and where its parts go")
class KernelImageTest {
  private static final AddressRange MEMORY = AddressRange.ofSize(0x4000_0000L, 0x100_0000L);

  private static MemorySegment image(long textOffset, long size, long flags) {
    ByteBuffer b = ByteBuffer.allocate(0x1000).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(8, textOffset).putLong(16, size).putLong(24, flags).putInt(56, 0x644d_5241);
    return MemorySegment.ofArray(b.array());
  }

  @Test
  @DisplayName("kernel at text_offset, the tree in the last 2 MiB, the initramfs below it")
  void places() {
    KernelImage.Plan p = KernelImage.of("Image", image(0, 0x20_0000, 0xa)).place(MEMORY, 0x1_2345);
    assertEquals(0, p.entry());
    assertEquals(0xe0_0000, p.tree());
    assertEquals(Optional.of(AddressRange.ofSize(0xde_0000, 0x1_2345)), p.initrd());
    KernelImage.Plan none =
        KernelImage.of("Image", image(0x8_0000, 0x20_0000, 0xa)).place(MEMORY, 0);
    assertEquals(0x8_0000, none.entry());
    assertEquals(Optional.empty(), none.initrd());
  }

  @Test
  @DisplayName("an Image without image_size, as before 3.17, goes to 0x80000")
  void old() {
    assertEquals(0x8_0000, KernelImage.of("Image", image(0, 0, 0)).place(MEMORY, 0).entry());
  }

  @Test
  @DisplayName("what is no Image is refused with what it has: short, compressed, big-endian")
  void refusals() {
    NotAnImage e =
        assertThrows(
            NotAnImage.class, () -> KernelImage.of("vmlinuz", MemorySegment.ofArray(new byte[10])));
    assertTrue(e.getMessage().contains("10 bytes"), e.getMessage());
    MemorySegment gzip = MemorySegment.ofArray(new byte[100]);
    e = assertThrows(NotAnImage.class, () -> KernelImage.of("vmlinuz", gzip));
    assertTrue(e.getMessage().contains("offset 56"), e.getMessage());
    assertTrue(e.refusal().advice().contains("gunzip"));
    e = assertThrows(NotAnImage.class, () -> KernelImage.of("vmlinuz", image(0, 0x1000, 1)));
    assertTrue(e.getMessage().contains("big-endian"), e.getMessage());
  }

  @Test
  @DisplayName("memory that does not hold everything is refused with both figures")
  void tooSmall() {
    KernelImage k = KernelImage.of("Image", image(0, 0x100_0000, 0));
    GuestTooSmall e = assertThrows(GuestTooSmall.class, () -> k.place(MEMORY, 1));
    assertEquals(0x141_0000, e.refusal().needed().orElseThrow().value());
    assertEquals(0x100_0000, e.refusal().available().orElseThrow().value());
    // A size that wraps when it is added up.
    KernelImage huge = KernelImage.of("Image", image(0, Long.MAX_VALUE - 10, 0));
    assertThrows(GuestTooSmall.class, () -> huge.place(MEMORY, 0));
    KernelImage far = KernelImage.of("Image", image(Long.MAX_VALUE, Long.MAX_VALUE, 0));
    assertThrows(GuestTooSmall.class, () -> far.place(MEMORY, 0));
  }

  @Test
  @DisplayName("the payload is an Image")
  void payload() {
    byte[] p = LpiPayload.image(new LpiPayload.Task(8, 1, OptionalLong.empty(), 0));
    assertEquals(0, KernelImage.of("payload", MemorySegment.ofArray(p)).place(MEMORY, 0).entry());
  }
}
