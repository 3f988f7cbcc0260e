package dev.doorbell.iova;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IovaAllocator: single rules")
class IovaAllocatorTest {
  private static final AddressRange BITS_48 = new AddressRange(0, 0xffff_ffff_ffffL);

  private static AddressRange range(long start, long last) {
    return new AddressRange(start, last);
  }

  @Test
  @DisplayName(
      "without preference above 4 GiB first, with preference below; each falls back to the other")
  void prefers() {
    IovaAllocator a = new IovaAllocator(Granule.K4, range(0xffff_e000L, 0x1_0000_1fffL));
    IovaRequest any = IovaRequest.ofBytes(0x1000);
    assertEquals(0x1_0000_0000L, a.take(any));
    assertEquals(0xffff_e000L, a.take(any.prefer32Bit()));
    assertEquals(0xffff_f000L, a.take(any.prefer32Bit()));
    assertEquals(0x1_0000_1000L, a.take(any.prefer32Bit()));
    a.give(0xffff_f000L);
    assertEquals(0xffff_f000L, a.take(any));
    assertEquals(IovaAllocator.NONE, a.take(any));
  }

  @Test
  @DisplayName(
      "the limit is the highest address allowed: its granule is usable when all of it lies below")
  void limitIsInclusive() {
    IovaAllocator a = new IovaAllocator(Granule.K4, range(0, 0xffff));
    assertEquals(IovaAllocator.NONE, a.take(IovaRequest.ofBytes(0x1000).upTo(0xffe)));
    assertEquals(0, a.take(IovaRequest.ofBytes(0x1000).upTo(0xfff)));
    assertEquals(IovaAllocator.NONE, a.take(IovaRequest.ofBytes(0x1000).upTo(0x1ffe)));
    assertEquals(0x1000, a.take(IovaRequest.ofBytes(0x1000).upTo(0x1fff)));
  }

  @Test
  @DisplayName("natural alignment: five pages start at a multiple of eight and leave three free")
  void naturallyAligned() {
    IovaAllocator a = new IovaAllocator(Granule.K4, range(0, 0xfffff));
    assertEquals(0, a.take(IovaRequest.ofBytes(0x1000)));
    assertEquals(range(0x8000, 0xcfff), a.allocate(IovaRequest.ofBytes(0x5000).naturallyAligned()));
    assertEquals(
        range(0xd000, 0xdfff), a.allocate(IovaRequest.ofBytes(1).within(range(0xd000, -1L))));
  }

  @Test
  @DisplayName("exhaustion says which block is needed and which is left")
  void exhausted() {
    IovaAllocator a = new IovaAllocator(Granule.K4, range(0x1000, 0x7fff));
    a.allocateAt(range(0x4000, 0x4fff));
    var e =
        assertThrows(
            IovaExhausted.class, () -> a.allocate(IovaRequest.ofBytes(0x3000).upTo(0xffff_ffffL)));
    assertEquals(0x4000, e.refusal().needed().orElseThrow().value());
    assertEquals(0x2000, e.refusal().available().orElseThrow().value());
    assertEquals(
        "request for 0x3000 bytes aligned to 0x1 needs a free aligned block of 0x4000 bytes in [0x1000, 0x7fff], "
            + "where the largest has 0x2000",
        e.getMessage());
  }

  @Test
  @DisplayName("a wrong free says what is there")
  void wrongFree() {
    IovaAllocator a = new IovaAllocator(Granule.K4, range(0x1000, 0xffff));
    a.allocateAt(range(0x4000, 0x6fff));
    a.reserve(range(0x8800, 0x8fff));
    assertEquals(
        "cannot free [0x4000, 0x4fff]: the range allocated there is [0x4000, 0x6fff]",
        assertThrows(WrongFree.class, () -> a.free(range(0x4000, 0x4fff))).getMessage());
    assertEquals(
        "cannot free [0x5000, 0x6fff]: the range allocated there is [0x4000, 0x6fff]",
        assertThrows(WrongFree.class, () -> a.free(range(0x5000, 0x6fff))).getMessage());
    assertEquals(
        "cannot free [0x8000, 0x8fff]: it is reserved",
        assertThrows(WrongFree.class, () -> a.free(range(0x8000, 0x8fff))).getMessage());
    assertEquals(
        "cannot free [0x9000, 0x9fff]: nothing is allocated there",
        assertThrows(WrongFree.class, () -> a.free(range(0x9000, 0x9fff))).getMessage());
    assertEquals(
        "cannot free [0x0, 0xfff]: it lies outside the aperture [0x1000, 0xffff]",
        assertThrows(WrongFree.class, () -> a.free(range(0, 0xfff))).getMessage());
    a.free(range(0x4000, 0x6fff));
    assertThrows(WrongFree.class, () -> a.free(range(0x4000, 0x6fff)));
    assertEquals(0, a.bytesInUse());
  }

  @Test
  @DisplayName(
      "reserving is idempotent, keeps touched granules whole, and stops at an allocated range")
  void reserves() {
    IovaAllocator a = new IovaAllocator(Granule.K4, range(0, 0xfffff));
    a.reserve(range(0x8800, 0x9fff));
    a.reserve(range(0x9000, 0xa000));
    assertEquals(List.of(range(0x8000, 0xafff)), a.reserved());
    a.allocateAt(range(0xc000, 0xcfff));
    var e = assertThrows(IovaTaken.class, () -> a.reserve(range(0, -1L)));
    assertEquals(range(0xc000, 0xcfff), e.other());
    assertEquals(List.of(range(0x8000, 0xafff)), a.reserved());
    var met = assertThrows(IovaTaken.class, () -> a.allocateAt(range(0x7000, 0x8fff)));
    assertTrue(met.isReserved());
    assertEquals("[0x7000, 0x8fff] overlaps [0x8000, 0xafff], which is reserved", met.getMessage());
    a.reserve(range(-2L, -1L));
    assertEquals(1, a.reserved().size());
  }

  @Test
  @DisplayName("the whole 64-bit space: the last granule, and everything at once")
  void wholeSpace() {
    IovaAllocator a = new IovaAllocator(Granule.K4, AddressRange.ALL);
    a.allocateAt(range(-4096L, -1L));
    assertEquals(Optional.of(range(-4096L, -1L)), a.rangeAt(new Iova(-1L)));
    assertEquals(0x1000, a.free(new Iova(-4096L)));
    a.allocateAt(AddressRange.ALL);
    assertEquals(IovaAllocator.NONE, a.take(IovaRequest.ofBytes(1)));
    a.free(AddressRange.ALL);
    assertEquals(1L << 62, a.allocate(IovaRequest.ofBytes(1L << 62).naturallyAligned()).bytes());
  }

  @Test
  @DisplayName("other granules: 64 KiB, and an aperture that begins and ends within one")
  void otherGranules() {
    IovaAllocator a = new IovaAllocator(Granule.K64, range(0x1, 0x4_fffeL));
    assertEquals(range(0x1_0000, 0x3_ffffL), a.aperture());
    assertEquals(range(0x2_0000, 0x3_ffffL), a.allocate(IovaRequest.ofBytes(0x1_0001)));
    assertThrows(
        IllegalArgumentException.class, () -> new IovaAllocator(Granule.K64, range(1, 0x1_fffe)));
    assertThrows(IllegalArgumentException.class, () -> a.allocateAt(range(0x1_0000, 0x1_0fff)));
  }

  @Test
  @DisplayName("a range of half the space and its neighbours leave no nodes behind that matter")
  void largeRanges() {
    IovaAllocator a = new IovaAllocator(Granule.K4, BITS_48);
    AddressRange ram = range(0x4000_0000L, 0x7fff_ffff_efffL);
    a.allocateAt(ram);
    AddressRange next = range(0x7fff_ffff_f000L, 0x7fff_ffff_ffffL);
    a.allocateAt(next);
    assertEquals(List.of(ram, next), a.allocated());
    assertEquals(ram, a.rangeAt(new Iova(0x7abc_dddd_1234L)).orElseThrow());
    a.free(ram);
    assertEquals(List.of(next), a.allocated());
  }

  @Test
  @DisplayName(
      "the same numbers as Linux' natural alignment for a request: block of 2^ceil(log2 n)")
  void requestText() {
    assertEquals(0x8000, IovaRequest.ofBytes(0x5000).naturallyAligned().alignment());
    assertEquals(0x4000, IovaRequest.ofBytes(0x4000).naturallyAligned().alignment());
    assertThrows(IllegalArgumentException.class, () -> IovaRequest.ofBytes(0));
    assertThrows(IllegalArgumentException.class, () -> IovaRequest.ofBytes(1).alignedTo(3));
  }

  @Test
  @DisplayName("what is in use is counted and listed, in an aperture that it fills from end to end")
  void reports() {
    IovaAllocator a = new IovaAllocator(Granule.K4, range(0x3000, 0x8fff));
    assertEquals(Granule.K4, a.granule());
    a.reserve(range(0x5000, 0x6fff));
    a.allocateAt(range(0x3000, 0x4fff));
    assertEquals(List.of(range(0x3000, 0x4fff)), a.allocated());
    a.allocateAt(range(0x8000, 0x8fff));
    assertEquals(0x3000, a.bytesInUse());
    assertEquals(2, a.rangesInUse());
    a.allocateAt(range(0x7000, 0x7fff));
    assertEquals(
        List.of(range(0x3000, 0x4fff), range(0x7000, 0x7fff), range(0x8000, 0x8fff)),
        a.allocated());
    assertEquals(0x4000, a.bytesInUse());
    assertEquals(Optional.of(range(0x7000, 0x7fff)), a.rangeAt(new Iova(0x7fff)));
    assertEquals(Optional.empty(), a.rangeAt(new Iova(0x5000)));
    assertEquals(Optional.empty(), a.rangeAt(new Iova(0x6fff)));
    assertEquals(Optional.empty(), a.rangeAt(new Iova(0x2fff)));
    assertEquals(Optional.empty(), a.rangeAt(new Iova(0x9000)));
    assertEquals(0x1000, a.give(0x7000));
    assertEquals(0x3000, a.bytesInUse());
    assertEquals(2, a.rangesInUse());
  }
}
