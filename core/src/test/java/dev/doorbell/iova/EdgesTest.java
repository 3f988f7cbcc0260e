package dev.doorbell.iova;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IOVA allocator: the figures of its refusals, and apertures that end anywhere")
class EdgesTest {
  private static final long PAGE = 0x1000;

  @Test
  @DisplayName("a range that is in the way is told as what it is, reserved or allocated")
  void taken() {
    IovaAllocator a = new IovaAllocator(Granule.K4, new AddressRange(0, 0xf_ffff));
    a.reserve(new AddressRange(0x1000, 0x1fff));
    AddressRange at =
        a.allocate(IovaRequest.ofBytes(PAGE).within(new AddressRange(0x4000, 0x4fff)));
    assertEquals(new AddressRange(0x4000, 0x4fff), at);
    IovaTaken reserved =
        assertThrows(IovaTaken.class, () -> a.allocateAt(new AddressRange(0, 0x1fff)));
    assertTrue(reserved.isReserved());
    assertTrue(reserved.getMessage().endsWith("which is reserved"), reserved.getMessage());
    assertTrue(reserved.refusal().advice().startsWith("place it outside "));
    IovaTaken allocated =
        assertThrows(IovaTaken.class, () -> a.allocateAt(new AddressRange(0x4000, 0x5fff)));
    assertFalse(allocated.isReserved());
    assertTrue(allocated.getMessage().endsWith("which is allocated"), allocated.getMessage());
    assertTrue(allocated.refusal().advice().startsWith("free "));
    assertTrue(allocated.refusal().source().where().startsWith("allocated"));
  }

  @Test
  @DisplayName(
      "the largest block that is left, as a refusal tells it: none, one page, several, within what was asked")
  void largest() {
    IovaAllocator a = new IovaAllocator(Granule.K4, new AddressRange(0, 16 * PAGE - 1));
    assertEquals(16 * PAGE, available(a, 32 * PAGE, 0, -1));
    a.reserve(new AddressRange(0, 8 * PAGE - 1));
    assertEquals(8 * PAGE, available(a, 16 * PAGE, 0, -1));
    a.reserve(new AddressRange(12 * PAGE, 13 * PAGE - 1));
    assertEquals(4 * PAGE, available(a, 8 * PAGE, 0, -1));
    assertEquals(2 * PAGE, available(a, 4 * PAGE, 13 * PAGE, 16 * PAGE - 1));
    assertEquals(PAGE, available(a, 2 * PAGE, 13 * PAGE, 14 * PAGE - 1));
    assertEquals(0, available(a, PAGE, 0, 8 * PAGE - 1));
    assertEquals(0, available(a, PAGE, 8 * PAGE + 1, 9 * PAGE), "no whole page");
  }

  private static long available(IovaAllocator a, long bytes, long first, long last) {
    IovaRequest request = IovaRequest.ofBytes(bytes).within(new AddressRange(first, last));
    IovaExhausted e = assertThrows(IovaExhausted.class, () -> a.allocate(request));
    return e.refusal().available().orElseThrow().value();
  }

  @Test
  @DisplayName(
      "of an aperture that ends within granules the whole ones are used, each once, and no other")
  void aperture() {
    IovaAllocator a = new IovaAllocator(Granule.K4, new AddressRange(PAGE + 1, 5 * PAGE - 2));
    assertEquals(new AddressRange(2 * PAGE, 4 * PAGE - 1), a.aperture());
    long one = a.allocate(IovaRequest.ofBytes(PAGE)).start();
    long two = a.allocate(IovaRequest.ofBytes(1)).start();
    assertEquals(5 * PAGE, one + two, "pages 2 and 3");
    assertThrows(IovaExhausted.class, () -> a.allocate(IovaRequest.ofBytes(1)));
    AddressRange narrow = new AddressRange(1, 2 * PAGE - 2);
    assertThrows(IllegalArgumentException.class, () -> new IovaAllocator(Granule.K4, narrow));
    IovaAllocator single = new IovaAllocator(Granule.K4, new AddressRange(PAGE, 2 * PAGE - 1));
    assertEquals(PAGE, single.allocate(IovaRequest.ofBytes(PAGE)).start());
  }

  @Test
  @DisplayName("what a request says of itself")
  void requests() {
    assertFalse(IovaRequest.ofBytes(1).prefers32Bit());
    assertTrue(IovaRequest.ofBytes(1).prefer32Bit().prefers32Bit());
    assertEquals(1, IovaRequest.ofBytes(5).alignedTo(1).alignment());
    assertEquals(1L << 62, IovaRequest.ofBytes(5).alignedTo(1L << 62).alignment());
    IovaRequest any = IovaRequest.ofBytes(5);
    assertThrows(IllegalArgumentException.class, () -> any.alignedTo(0));
    assertThrows(IllegalArgumentException.class, () -> any.alignedTo(3));
    assertThrows(IllegalArgumentException.class, () -> any.alignedTo(Long.MIN_VALUE));
    assertEquals(1, IovaRequest.ofBytes(1).naturallyAligned().alignment());
    assertEquals(8, IovaRequest.ofBytes(5).naturallyAligned().alignment());
    assertEquals(4, IovaRequest.ofBytes(4).naturallyAligned().alignment());
  }
}
