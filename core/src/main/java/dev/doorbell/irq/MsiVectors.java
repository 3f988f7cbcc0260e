package dev.doorbell.irq;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.DoorbellLease;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Vectors of one function at one controller, with the doorbells that they ring. Messages are composed once, when something
/// changes, and looked up afterwards (R15, R16). Changes are guarded by the MSI domain's lock.
final class MsiVectors {
  private final VectorBlock block;
  private final int used;
  private final MsiRoute.Target target;
  private volatile List<DoorbellLease> leases;
  private volatile MsiMessage[] messages;

  /// @param used vectors that the function uses; the block may have more, to round up to a power of two
  /// @param leases one per controller in the function's reach, and of one that has a doorbell for each CPU those that are rung
  /// @param target the block's controller
  MsiVectors(VectorBlock block, int used, List<DoorbellLease> leases, MsiRoute.Target target) {
    this.block = block;
    this.used = used;
    this.target = target;
    this.leases = List.copyOf(leases);
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
    long doorbell = block.doorbell(index);
    DoorbellLease lease = leaseOf(doorbell);
    if (lease == null) {
      throw new IllegalStateException(
          "%s rings at 0x%x, the route says %s"
              .formatted(block.controller().id(), doorbell, target.doorbells()));
    }
    // Without translation the address may itself say something: vector, processor or entry on x86.
    long offset = doorbell - lease.frame().doorbell().value();
    return new MsiMessage(lease.iova().value() + offset, block.data(index));
  }

  private @Nullable DoorbellLease leaseOf(long doorbell) {
    for (DoorbellLease l : leases) {
      boolean reached =
          l.domain().isPresent()
              ? l.frame().doorbell().value() == doorbell
              : l.frame().frame().contains(doorbell);
      if (reached && target.doorbells().contains(l.frame())) {
        return l;
      }
    }
    return null;
  }

  /// {@return the block's controller in the route}
  MsiRoute.Target target() {
    return target;
  }

  /// {@return where a vector is to begin: spread over the CPUs, or where it was taken when its doorbell depends on that}
  int firstCpu(int index, int cpus) {
    return target.hasOneForEachCpu() ? block.cpu(index) : index % cpus;
  }

  /// {@return whether a doorbell that a CPU's vectors ring is not among the leases}
  boolean lacks(long doorbell) {
    return leaseOf(doorbell) == null;
  }

  /// Takes further leases, before a vector rings at them.
  void add(List<DoorbellLease> more) {
    List<DoorbellLease> all = new ArrayList<>(leases);
    all.addAll(more);
    leases = List.copyOf(all);
  }

  /// Takes leases out again that no vector rings at.
  void remove(List<DoorbellLease> some) {
    leases = leases.stream().filter(l -> !some.contains(l)).toList();
  }

  /// {@return leases of doorbells of single CPUs that no vector rings at}
  List<DoorbellLease> idle() {
    if (!target.hasOneForEachCpu()) {
      return List.of();
    }
    Set<Long> rung = rung(block);
    return leases.stream()
        .filter(l ->
            target.doorbells().contains(l.frame()) && !rung.contains(l.frame().doorbell().value()))
        .toList();
  }

  /// {@return the doorbells that a block's vectors ring}
  static Set<Long> rung(VectorBlock block) {
    Set<Long> out = new TreeSet<>();
    for (int i = 0; i < block.count(); i++) {
      out.add(block.doorbell(i));
    }
    return out;
  }

  /// {@return whether a message that comes while a vector changes is lost, unless the function is held back}
  boolean losesMessages() {
    return !block.changesAtOnce();
  }

  /// Posts a vector's messages to a guest.
  void post(int index, PostedInterrupt to) {
    block.post(index, to);
  }

  void endPost(int index) {
    block.endPost(index);
  }

  void setPending(int index, boolean pending) {
    if (pending) {
      block.raise(index);
    } else {
      block.clearPending(index);
    }
  }

  /// {@return a vector as others see it}
  ///
  /// @param number the function's own
  LiveVector show(int index, int number, boolean masked) {
    return new LiveVector(
        number,
        compose(index),
        new Pa(doorbell(index)),
        controller().id(),
        intid(index),
        entry(index),
        number(index),
        cpu(index),
        masked);
  }

  /// Ends a move, after the function was programmed anew.
  void finishMove(int index) {
    block.finishMove(index);
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
