package dev.doorbell.vmm;

import dev.doorbell.address.AddressRange;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Files of any content as a guest's kernel: refused, or placed within the guest's memory, no part on another. The input begins with the size of the memory in
/// pieces of 2 MiB and that of an initramfs.
public final class KernelImageFuzz {
  private static final long PIECE = 0x20_0000;
  private static final int SIZES = 2 + Integer.BYTES;
  private static final long BASE = 0x4000_0000L;

  private KernelImageFuzz() {}

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length < SIZES) {
      return;
    }
    ByteBuffer in = ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN);
    long memory = (1 + Short.toUnsignedLong(in.getShort())) * PIECE;
    int initrd = in.getInt() & Integer.MAX_VALUE;
    byte[] file = Arrays.copyOfRange(input, SIZES, input.length);
    KernelImage.Plan plan;
    try {
      plan =
          KernelImage.of("fuzz", MemorySegment.ofArray(file))
              .place(AddressRange.ofSize(BASE, memory), initrd);
    } catch (NotAnImage | GuestTooSmall e) {
      return;
    }
    long below = plan.initrd().map(AddressRange::start).orElse(plan.tree());
    boolean within =
        plan.entry() >= 0 && plan.entry() + file.length <= below && plan.tree() + PIECE <= memory;
    if (!within || plan.initrd().filter(r -> r.last() >= plan.tree()).isPresent()) {
      throw new IllegalStateException(
          "%s of 0x%x bytes, with a kernel of 0x%x".formatted(plan, memory, file.length));
    }
  }
}
