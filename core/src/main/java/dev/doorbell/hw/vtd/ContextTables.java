package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.ContextLayout.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.StreamAttachments.Orders;

/// Root table and context tables of a unit in legacy mode, as the driver writes them. A function without an entry is blocked. The driver's lock
/// guards them.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 3.4.2, 9.1, 9.3.
final class ContextTables implements FunctionTables {
  private static final int PAGE = 4096;

  private final PhysicalMemory memory;
  private final Frames frames;
  private final long root;

  ContextTables(PhysicalMemory memory, Frames frames) {
    this.memory = memory;
    this.frames = frames;
    this.root = frames.allocate(PAGE, PAGE).value();
  }

  @Override
  public long root() {
    return VtdRegisters.RTA.place(root) | VtdRegisters.TTM.place(VtdRegisters.TTM_LEGACY);
  }

  @Override
  public void free() {
    frames.free(new Pa(root), PAGE);
  }

  @Override
  public FunctionEntry translated(VtdAddressSpace space) {
    return new FunctionEntry(
        P.mask() | TT.place(TT_SECOND_STAGE) | SSPTPTR.place(space.root()),
        AW.place(space.levels() - VtdRegisters.SAGAW_FEWEST_LEVELS) | DID.place(space.domain()),
        0,
        space.domain());
  }

  @Override
  public FunctionEntry passing(int domain, int levels) {
    return new FunctionEntry(
        P.mask() | TT.place(TT_PASS_THROUGH),
        AW.place(levels - VtdRegisters.SAGAW_FEWEST_LEVELS) | DID.place(domain),
        0,
        domain);
  }

  @Override
  public FunctionEntry get(int sourceId) {
    long table = memory.read64(rootEntry(sourceId));
    if (!ROOT_P.isSet(table)) {
      return FunctionEntry.ABSENT;
    }
    long at = CTP.get(table) + (long) (sourceId & 0xff) * CONTEXT_BYTES;
    long high = memory.read64(at + Long.BYTES);
    return new FunctionEntry(memory.read64(at), high, 0, DID.getInt(high));
  }

  /// Writes an entry in the place of one that is not present, the half with P last.
  @Override
  public void put(int sourceId, FunctionEntry entry) {
    long at = slot(sourceId);
    memory.write64(at + Long.BYTES, entry.second());
    memory.publish();
    memory.write64(at, entry.low());
    memory.publish();
  }

  /// Takes an entry's P away, and leaves the rest.
  @Override
  public void remove(int sourceId) {
    long at = slot(sourceId);
    memory.write64(at, P.with(memory.read64(at), 0));
    memory.publish();
  }

  @Override
  public void forget(QueueDriver queue, int sourceId, FunctionEntry was, Orders orders) {
    orders.run(() -> queue.context(sourceId, was.domain()));
    orders.run(() -> queue.domain(was.domain()));
  }

  @Override
  public void forget(QueueDriver queue, VtdAddressSpace space) {
    queue.contexts(space.domain());
    queue.domain(space.domain());
  }

  /// What is absent is kept under domain 0.
  @Override
  public void appeared(QueueDriver queue, int sourceId, FunctionEntry is, Orders orders) {
    orders.run(() -> queue.context(sourceId, 0));
  }

  private long rootEntry(int sourceId) {
    return root + (long) (sourceId >>> Byte.SIZE) * ROOT_BYTES;
  }

  private long slot(int sourceId) {
    long at = rootEntry(sourceId);
    long entry = memory.read64(at);
    if (!ROOT_P.isSet(entry)) {
      Pa table = frames.allocate(PAGE, PAGE);
      memory.publish();
      entry = CTP.place(table.value()) | ROOT_P.mask();
      memory.write64(at, entry);
    }
    return CTP.get(entry) + (long) (sourceId & 0xff) * CONTEXT_BYTES;
  }
}
