package dev.doorbell.vmm;

import dev.doorbell.address.AddressRange;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;

/// An arm64 kernel Image and where its parts go in a guest's memory.
///
/// **Source**: Linux `Documentation/arch/arm64/booting.rst`, section 4
final class KernelImage {
  private static final int HEADER_BYTES = 64;
  private static final int TEXT_OFFSET = 8;
  private static final int IMAGE_SIZE = 16;
  private static final int FLAGS = 24;
  private static final int MAGIC_OFFSET = 56;
  private static final int MAGIC = 0x644d_5241;
  private static final long BIG_ENDIAN = 1;

  /// Before image_size was there (3.17), text_offset was always this.
  private static final long OLD_TEXT_OFFSET = 0x8_0000;

  /// Where a device tree may lie: not across a boundary of 2 MiB.
  private static final long TREE_BYTES = 0x20_0000;

  private static final long PAGE = 0x1_0000;

  private static final ValueLayout.OfInt WORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong DOUBLEWORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final long textOffset;
  private final long size;

  private KernelImage(long textOffset, long size) {
    this.textOffset = textOffset;
    this.size = size;
  }

  /// {@return a kernel}
  ///
  /// @throws NotAnImage when the file is none
  static KernelImage of(String file, MemorySegment image) {
    if (image.byteSize() < HEADER_BYTES) {
      throw new NotAnImage(
          file, "it has %d bytes, and the header alone has 64".formatted(image.byteSize()));
    }
    int magic = image.get(WORD, MAGIC_OFFSET);
    if (magic != MAGIC) {
      throw new NotAnImage(
          file, "at offset 56 it has 0x%08x, not 0x%08x (`ARM\\x64`)".formatted(magic, MAGIC));
    }
    if ((image.get(DOUBLEWORD, FLAGS) & BIG_ENDIAN) != 0) {
      throw new NotAnImage(file, "its flags at offset 24 say that it is big-endian");
    }
    long size = image.get(DOUBLEWORD, IMAGE_SIZE);
    return size == 0
        ? new KernelImage(OLD_TEXT_OFFSET, image.byteSize())
        : new KernelImage(image.get(DOUBLEWORD, TEXT_OFFSET), Math.max(size, image.byteSize()));
  }

  /// Where things go.
  ///
  /// @param entry offset of the kernel in memory
  /// @param initrd offsets in memory
  /// @param tree offset of the device tree
  record Plan(long entry, Optional<AddressRange> initrd, long tree) {}

  /// {@return where things go: the kernel at the bottom, the tree at the top, the initramfs below it}
  ///
  /// @param memory bytes of the guest's memory
  /// @throws GuestTooSmall when they do not fit
  Plan place(AddressRange memory, long initrdBytes) {
    long initrdRoom = (initrdBytes + PAGE - 1) / PAGE * PAGE;
    long needed = needed(initrdRoom);
    if (needed > memory.bytes()) {
      throw new GuestTooSmall(needed, new GuestTooSmall.Room(memory.bytes()));
    }
    long tree = (memory.bytes() - TREE_BYTES) / TREE_BYTES * TREE_BYTES;
    Optional<AddressRange> initrd =
        initrdBytes == 0
            ? Optional.empty()
            : Optional.of(AddressRange.ofSize(tree - initrdRoom, initrdBytes));
    return new Plan(textOffset, initrd, tree);
  }

  /// The header's numbers are whatever the file says: a sum of two may have no place in 64 bits.
  private long needed(long initrdRoom) {
    if (textOffset < 0
        || textOffset > VirtualMachine.MOST_MEMORY
        || size > VirtualMachine.MOST_MEMORY) {
      return Long.MAX_VALUE;
    }
    return (textOffset + size + PAGE - 1) / PAGE * PAGE + initrdRoom + 2 * TREE_BYTES;
  }
}
