package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.vmsa.Descriptors;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaAddressSpace;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaTable;
import java.util.Optional;

/// Translation tables with the context descriptor and the number that all SMMUs know them by.
///
/// The context descriptor is made once and shared by all streams of all SMMUs: a stream moves from one address space to another by the one
/// word of its entry that points to it.
///
/// **Source** IHI 0070 G.b, 3.21.1: faults are not cached.
final class SmmuAddressSpace extends VmsaAddressSpace<SmmuDriver> {
  private final SmmuTags tags;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final int tag;
  private final Optional<Pa> context;

  private SmmuAddressSpace(
      SmmuTags tags, PhysicalMemory memory, Frames frames, VmsaTable table, int tag) {
    super(table);
    this.tags = tags;
    this.memory = memory;
    this.frames = frames;
    this.tag = tag;
    this.context =
        table.geometry().stage() == Stage.STAGE1
            ? Optional.of(frames.allocate(CdLayout.BYTES, CdLayout.BYTES))
            : Optional.empty();
  }

  /// {@return empty tables}
  ///
  /// @param tagging what the SMMU that makes them can do
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory
  /// @throws dev.doorbell.bus.BusErrorException when the context descriptor cannot be written; nothing is taken in either case
  static SmmuAddressSpace create(
      SmmuSettings settings,
      PhysicalMemory memory,
      Frames frames,
      VmsaGeometry geometry,
      Tagging tagging) {
    SmmuAddressSpace space = unwritten(settings, memory, frames, geometry, tagging);
    try {
      space.writeContext();
      return space;
    } catch (RuntimeException failed) {
      space.close();
      throw failed;
    }
  }

  private static SmmuAddressSpace unwritten(
      SmmuSettings settings,
      PhysicalMemory memory,
      Frames frames,
      VmsaGeometry geometry,
      Tagging tagging) {
    int tag = settings.tags().take(geometry.stage(), tagging.bits());
    VmsaTable table = null;
    try {
      table = VmsaTable.create(geometry, memory, frames, tagging.replacesLive());
      return new SmmuAddressSpace(settings.tags(), memory, frames, table, tag);
    } catch (RuntimeException failed) {
      if (table != null) {
        table.close();
      }
      settings.tags().giveBack(geometry.stage(), tag);
      throw failed;
    }
  }

  /// What the SMMU that makes an address space can do.
  ///
  /// @param bits width of its ASIDs or VMIDs
  /// @param replacesLive break-before-make level 2
  record Tagging(int bits, boolean replacesLive) {}

  int tag() {
    return tag;
  }

  SmmuTags tags() {
    return tags;
  }

  /// {@return the context descriptor's eight words; stage 1 only}
  long[] context() {
    return StreamTableEntries.context(geometry(), root().value(), tag, Descriptors.MAIR);
  }

  /// {@return where the context descriptor lies; stage 1 only}
  long contextDescriptor() {
    return context.orElseThrow().value();
  }

  @Override
  public String toString() {
    return "SMMUv3 address space of %s %d"
        .formatted(geometry().stage() == Stage.STAGE1 ? "ASID" : "VMID", tag);
  }

  @Override
  protected void invalidate(AddressRange range, boolean leafOnly) {
    for (SmmuDriver smmu : users()) {
      smmu.invalidate(this, range, leafOnly);
    }
  }

  private void writeContext() {
    if (context.isEmpty()) {
      return;
    }
    long at = context.get().value();
    long[] cd = context();
    for (int i = cd.length - 1; i >= 0; i--) {
      memory.write64(at + (long) i * Long.BYTES, cd[i]);
    }
    memory.publish();
  }

  @Override
  protected void released() {
    context.ifPresent(at -> frames.free(at, CdLayout.BYTES));
    tags.giveBack(geometry().stage(), tag);
  }

  @Override
  protected String name(SmmuDriver smmu) {
    return smmu.id();
  }
}
