package dev.doorbell.irq;

import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.DoorbellLease;
import java.util.List;
import java.util.OptionalInt;

/// Vectors of one function at one controller, with the doorbells that they ring. Messages are composed once, when something
/// changes, and looked up afterwards (R15, R16). Changes are guarded by the MSI domain's lock.
final class MsiVectors {
  private final VectorBlock block;
  private final int used;
  private final int target;
  private volatile List<DoorbellLease> leases;
  private volatile MsiMessage[] messages;

  /// @param used vectors that the function uses; the block may have more, to round up to a power of two
  /// @param leases one per controller in the function's reach
  /// @param target which of them is the block's
  MsiVectors(VectorBlock block, int used, List<DoorbellLease> leases, int target) {
    this.block = block;
    this.used = used;
    this.target = target;
    this.leases = leases;
    this.messages = composeAll();
  }

  private MsiMessage[] composeAll() {
    MsiMessage[] out = new MsiMessage[used];
    for (int i = 0; i < used; i++) {
      out[i] = composeNow(i);
    }
    return out;
  }

  private MsiMessage composeNow(int index) {
    DoorbellLease lease = leases.get(target);
    long doorbell = block.doorbell(index);
    long offset = doorbell - lease.frame().doorbell().value();
    // Without translation the address may itself say something: vector, processor or entry on x86.
    boolean reached =
        lease.domain().isPresent() ? offset == 0 : lease.frame().frame().contains(doorbell);
    if (!reached) {
      throw new IllegalStateException(
          "%s rings at 0x%x, the route says %s"
              .formatted(block.controller().id(), doorbell, lease.frame().doorbell()));
    }
    return new MsiMessage(lease.iova().value() + offset, block.data(index));
  }

  void requireData(String function, long max) {
    for (MsiMessage m : messages) {
      if (Integer.toUnsignedLong(m.data()) > max) {
        throw MessageOutOfReach.data(function, block.controller().id(), m.data(), max);
      }
    }
  }

  int used() {
    return used;
  }

  /// {@return vectors taken, spare ones included}
  int taken() {
    return block.count();
  }

  List<DoorbellLease> leases() {
    return leases;
  }

  DoorbellLease lease() {
    return leases.get(target);
  }

  MsiController controller() {
    return block.controller();
  }

  /// A look-up: never allocates, never blocks.
  MsiMessage compose(int index) {
    return messages[index];
  }

  long doorbell(int index) {
    return block.doorbell(index);
  }

  int intid(int index) {
    return block.intid(index);
  }

  OptionalInt entry(int index) {
    return block.entry(index);
  }

  int number(int index) {
    return block.number(index);
  }

  int cpu(int index) {
    return block.cpu(index);
  }

  /// Makes the controller deliver a vector, and composes its message anew: it may name the CPU.
  void activate(int index, int cpu) {
    block.activate(index, cpu);
    recompose(index);
  }

  void deactivate(int index) {
    block.deactivate(index);
  }

  void mask(int index, boolean masked) {
    if (masked) {
      block.mask(index);
    } else {
      block.unmask(index);
    }
  }

  /// Moves a vector to another CPU and composes its message anew.
  ///
  /// {@return whether the message changed}
  boolean retarget(int index, int cpu) {
    block.retarget(index, cpu);
    return recompose(index);
  }

  private boolean recompose(int index) {
    MsiMessage now = composeNow(index);
    if (now.equals(messages[index])) {
      return false;
    }
    MsiMessage[] next = messages.clone();
    next[index] = now;
    messages = next;
    return true;
  }

  /// Takes new leases, in the order of the present ones, and composes every message anew.
  void move(List<DoorbellLease> next) {
    leases = List.copyOf(next);
    messages = composeAll();
  }

  /// Gives the vectors back. The leases stay.
  void free() {
    block.free();
  }

  /// Unmaps the doorbells that nobody but some leases shares; their places in the window stay.
  static void unmap(List<DoorbellLease> leases, Rollback rollback) {
    for (DoorbellLease l : leases) {
      rollback.add(l::map);
      l.unmapIfOnly(leases);
    }
  }
}
