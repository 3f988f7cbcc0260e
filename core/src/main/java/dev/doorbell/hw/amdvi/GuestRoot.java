package dev.doorbell.hw.amdvi;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;

/// A guest CR3 table of one level, in which PASID 0 alone has page tables.
///
/// **Source** 48882 revision 3.09, 2.2.6 Guest Page Tables.
final class GuestRoot {
  private final Frames frames;
  private final Pa at;

  private GuestRoot(Frames frames, Pa at) {
    this.frames = frames;
    this.at = at;
  }

  static GuestRoot create(PhysicalMemory memory, Frames frames, long tables) {
    Pa at = frames.allocate(IoPages.TABLE, IoPages.TABLE);
    try {
      memory.write64(at.value(), GuestPageLayout.V.mask() | GuestPageLayout.CR3.place(tables));
      memory.publish();
    } catch (RuntimeException failed) {
      frames.free(at, IoPages.TABLE);
      throw failed;
    }
    return new GuestRoot(frames, at);
  }

  long address() {
    return at.value();
  }

  void free() {
    frames.free(at, IoPages.TABLE);
  }
}
