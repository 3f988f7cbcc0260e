package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.ContextLayout.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.StreamAttachments.Orders;

/// Root table, context tables and PASID tables of a unit in scalable mode, as the driver writes them. Each function that was ever used has a
/// context entry, and a PASID directory and table of its own, in which one PASID, that of requests without one, leads to its address space. A
/// function without an entry there is blocked. The driver's lock guards them.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3.4.3, 9.2, 9.4 to 9.6.
final class PasidTables implements FunctionTables {
  /// The PASID of requests without one.
  static final int RID_PASID = 0;

  private static final int PAGE = 4096;
  private static final int DEVICES_BITS = 7;

  private final PhysicalMemory memory;
  private final Frames frames;
  private final long root;

  PasidTables(PhysicalMemory memory, Frames frames) {
    this.memory = memory;
    this.frames = frames;
    this.root = frames.allocate(PAGE, PAGE).value();
  }

  @Override
  public long root() {
    return VtdRegisters.RTA.place(root) | VtdRegisters.TTM.place(VtdRegisters.TTM_SCALABLE);
  }

  @Override
  public void free() {
    frames.free(new Pa(root), PAGE);
  }

  @Override
  public FunctionEntry translated(VtdAddressSpace space) {
    long low = PasidLayout.P.mask();
    long third = 0;
    if (space.stage() == TableEntries.FIRST) {
      low |= PasidLayout.PGTT.place(PasidLayout.FIRST_STAGE);
      third =
          PasidLayout.FSPTPTR.place(space.root())
              | PasidLayout.FSPM.place(space.levels() - PasidLayout.FEWEST_FIRST_STAGE_LEVELS);
    } else {
      low |=
          PasidLayout.PGTT.place(PasidLayout.SECOND_STAGE)
              | PasidLayout.AW.place(space.levels() - VtdRegisters.SAGAW_FEWEST_LEVELS)
              | PasidLayout.SSPTPTR.place(space.root());
    }
    return new FunctionEntry(low, PasidLayout.DID.place(space.domain()), third, space.domain());
  }

  @Override
  public FunctionEntry passing(int domain, int levels) {
    return new FunctionEntry(
        PasidLayout.P.mask()
            | PasidLayout.PGTT.place(PasidLayout.PASS_THROUGH)
            | PasidLayout.AW.place(levels - VtdRegisters.SAGAW_FEWEST_LEVELS),
        PasidLayout.DID.place(domain),
        0,
        domain);
  }

  @Override
  public FunctionEntry get(int sourceId) {
    long table = memory.read64(rootEntry(sourceId));
    if (!LP.isSet(table)) {
      return FunctionEntry.ABSENT;
    }
    long context = contextEntry(table, sourceId);
    long low = memory.read64(context);
    if (!SM_P.isSet(low)) {
      return FunctionEntry.ABSENT;
    }
    long at = pasidEntry(low);
    long second = memory.read64(at + Long.BYTES);
    return new FunctionEntry(
        memory.read64(at),
        second,
        memory.read64(at + 2 * Long.BYTES),
        PasidLayout.DID.getInt(second));
  }

  /// The quadword with P last.
  @Override
  public void put(int sourceId, FunctionEntry entry) {
    long at = slot(sourceId);
    memory.write64(at + Long.BYTES, entry.second());
    memory.write64(at + 2 * Long.BYTES, entry.third());
    memory.publish();
    memory.write64(at, entry.low());
    memory.publish();
  }

  @Override
  public void remove(int sourceId) {
    long at = slot(sourceId);
    memory.write64(at, PasidLayout.P.with(memory.read64(at), 0));
    memory.publish();
  }

  /// The PASID cache, then pages: those of the first stage are known by PASID, others by domain.
  @Override
  public void forget(QueueDriver queue, int sourceId, FunctionEntry was, Orders orders) {
    orders.run(() -> queue.pasid(was.domain(), RID_PASID));
    if (PasidLayout.PGTT.getInt(was.low()) == PasidLayout.FIRST_STAGE) {
      orders.run(() -> queue.pasidPages(was.domain(), RID_PASID));
    } else {
      orders.run(() -> queue.domain(was.domain()));
    }
  }

  @Override
  public void forget(QueueDriver queue, VtdAddressSpace space) {
    queue.pasid(space.domain(), RID_PASID);
    if (space.stage() == TableEntries.FIRST) {
      queue.pasidPages(space.domain(), RID_PASID);
    } else {
      queue.domain(space.domain());
    }
  }

  /// What was absent may be kept of the context, too.
  @Override
  public void appeared(QueueDriver queue, int sourceId, FunctionEntry is, Orders orders) {
    orders.run(() -> queue.context(sourceId, 0));
    orders.run(() -> queue.pasid(is.domain(), RID_PASID));
  }

  private long rootEntry(int sourceId) {
    boolean upper = (sourceId & 0xff) >>> DEVICES_BITS != 0;
    return root + (long) (sourceId >>> Byte.SIZE) * ROOT_BYTES + (upper ? Long.BYTES : 0);
  }

  /// Both halves of a root entry have P and the pointer at the same bits.
  private static long contextEntry(long rootHalf, int sourceId) {
    return LCTP.get(rootHalf) + (sourceId & (1L << DEVICES_BITS) - 1) * SCALABLE_BYTES;
  }

  private long pasidEntry(long context) {
    long directory = memory.read64(PASIDDIRPTR.get(context));
    return PasidLayout.SMPTBLPTR.get(directory) + (long) RID_PASID * PasidLayout.ENTRY_BYTES;
  }

  private long slot(int sourceId) {
    long at = rootEntry(sourceId);
    long half = memory.read64(at);
    if (!LP.isSet(half)) {
      Pa table = frames.allocate(PAGE, PAGE);
      memory.publish();
      half = LCTP.place(table.value()) | LP.mask();
      memory.write64(at, half);
    }
    long context = contextEntry(half, sourceId);
    long low = memory.read64(context);
    if (!SM_P.isSet(low)) {
      low = function();
      memory.write64(context + Long.BYTES, ContextLayout.RID_PASID.place(RID_PASID));
      memory.publish();
      memory.write64(context, low);
      memory.publish();
    }
    return pasidEntry(low);
  }

  /// {@return the first quadword of a context entry that leads to a new directory of 2^7 entries, with a table for the first 2^6 PASIDs}
  private long function() {
    Pa directory = frames.allocate(PAGE, PAGE);
    Pa table;
    try {
      table = frames.allocate(PAGE, PAGE);
    } catch (RuntimeException none) {
      frames.free(directory, PAGE);
      throw none;
    }
    memory.write64(
        directory.value(), PasidLayout.SMPTBLPTR.place(table.value()) | PasidLayout.DIR_P.mask());
    memory.publish();
    return PASIDDIRPTR.place(directory.value()) | SM_P.mask();
  }
}
