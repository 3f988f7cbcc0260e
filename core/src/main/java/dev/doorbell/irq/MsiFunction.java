package dev.doorbell.irq;

import dev.doorbell.bus.Rollback;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.DoorbellHolder;
import dev.doorbell.iommu.DoorbellLease;
import dev.doorbell.irq.FunctionRegisters.Slot;
import dev.doorbell.pci.MessageTable;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The message-signalled vectors of one PCI function, MSI or MSI-X: the function's own registers, the controller's vectors, and the
/// doorbells between them, changed together or not at all.
///
/// **Threads.** Safe for use from many. Changes take the MSI domain's lock; {@link #compose} and the other look-ups take none.
public final class MsiFunction {
  private final String name;
  private final MessageTable table;
  private final MsiDomain domain;
  private final FunctionRegisters registers;
  private final VectorMove move;
  private final Holder holder = new Holder();
  private final List<MsiVectors> all = new ArrayList<>();
  private volatile @Nullable Slot[] slots = new Slot[0];
  private volatile boolean enabled;

  private MsiFunction(String name, MessageTable table, MsiDomain domain) {
    this.name = name;
    this.table = table;
    this.domain = domain;
    this.registers = new FunctionRegisters(table);
    this.move = new VectorMove(name, domain, registers, table.is64Bit());
  }

  /// {@return a function without vectors}
  ///
  /// @param name such as `0000:01:00.0`
  public static MsiFunction of(String name, MessageTable table, MsiDomain domain) {
    return new MsiFunction(name, table, domain);
  }

  public String name() {
    return name;
  }

  public MessageTable.Kind kind() {
    return table.kind();
  }

  /// {@return vectors that the function advertises}
  public int size() {
    return table.size();
  }

  public MsiDomain domain() {
    return domain;
  }

  /// {@return whether the function has vectors}
  public boolean isEnabled() {
    return enabled;
  }

  /// Gives the function its vectors, unmasked. See {@link #enable(int, int, boolean, VectorListener)}.
  public int enable(int min, int max) {
    return enable(min, max, false, VectorListener.NONE);
  }

  /// Gives the function as many vectors as can be had, up to a maximum: takes them at its MSI controller, maps the doorbells,
  /// programs the function and turns its messages on. On return all of it is done; when it throws, nothing is.
  ///
  /// Of MSI, a power of two is taken and as many of them used as asked (R18); the others stay inactive.
  ///
  /// {@return vectors in use, numbered from 0}
  ///
  /// @param min fewest that will do, above 0
  /// @param masked whether the vectors start masked
  /// @throws TooFewVectors when the function advertises fewer than the minimum
  /// @throws NoMsiController when no controller receives its messages
  /// @throws dev.doorbell.iommu.MsiWindowExhausted when the MSI window has no room for the doorbells (R2)
  /// @throws VectorsExhausted when the controller has fewer than the minimum
  /// @throws MessageOutOfReach when the function cannot hold the doorbell's address or the data
  /// @throws dev.doorbell.iommu.GroupUnavailable when no domain has its group
  /// @throws IllegalStateException when it has vectors
  public int enable(int min, int max, boolean masked, VectorListener listener) {
    domain.lock().lock();
    try (Rollback rollback = new Rollback()) {
      if (enabled) {
        throw new IllegalStateException(name + " has vectors already; release them first");
      }
      if (min > table.size()) {
        throw new TooFewVectors(name, table, min);
      }
      MsiVectors v = prepare(min, Math.min(max, table.size()), rollback);
      @Nullable Slot[] mine = new Slot[table.size()];
      for (int i = 0; i < v.used(); i++) {
        v.activate(i, v.firstCpu(i, domain.route().cpus()));
        mine[i] = new Slot(v, i, true);
        registers.want(i, masked);
        listener.given(i, v.controller(), v.number(i));
      }
      rollback.add(table.save(0, table.size())::restore);
      registers.install(mine, v.taken());
      all.add(v);
      slots = mine;
      enabled = true;
      domain.join(holder);
      rollback.commit();
      return v.used();
    } finally {
      domain.lock().unlock();
    }
  }

  /// Takes all vectors back: turns the function's messages off, unmaps doorbells that nobody else rings, gives the vectors to the
  /// controller. Does nothing when there are none.
  ///
  /// A failure leaves everything as before; after the controller has taken one of several sets back it leaves the function off, and
  /// releasing again completes it.
  public void release() {
    domain.lock().lock();
    try (Rollback rollback = new Rollback()) {
      if (!enabled) {
        return;
      }
      rollback.add(table.save(0, table.size())::restore);
      registers.quiesce(slots);
      MsiVectors.unmap(leases(), rollback);
      for (MsiVectors v : List.copyOf(all)) {
        v.free();
        rollback.commit();
        forget(v);
      }
      // All vectors may have been removed one by one, and nothing be left to free.
      rollback.commit();
      domain.leave(holder);
      enabled = false;
      slots = new Slot[0];
    } finally {
      domain.lock().unlock();
    }
  }

  /// Adds one vector to an enabled MSI-X function, the others undisturbed.
  ///
  /// @param masked whether it starts masked
  /// @throws dev.doorbell.iommu.MsiWindowExhausted when the MSI window has no room
  /// @throws VectorsExhausted when the controller has none
  /// @throws IllegalStateException when the function is not enabled, is MSI, or has this vector
  public void addVector(int index, int cpu, boolean masked, VectorListener listener) {
    domain.lock().lock();
    try (Rollback rollback = new Rollback()) {
      requireDynamic();
      Slot old = slots[index];
      if (old != null && old.live()) {
        throw new IllegalStateException("%s has vector %d already".formatted(name, index));
      }
      Slot slot;
      if (old != null) {
        slot = old.live(true);
        rollback.add(() -> slot.vectors().deactivate(slot.inner()));
      } else {
        slot = new Slot(prepare(1, 1, rollback), 0, true);
      }
      move.activate(slot, cpu, rollback);
      listener.given(index, slot.vectors().controller(), slot.vectors().number(slot.inner()));
      rollback.add(table.save(index, 1)::restore);
      registers.silence(index);
      registers.write(index, slot.compose());
      registers.want(index, masked);
      registers.unsilence(index);
      VectorMove.giveUpIdle(slot.vectors(), rollback);
      rollback.commit();
      if (old == null) {
        all.add(slot.vectors());
      }
      put(index, slot);
    } finally {
      domain.lock().unlock();
    }
  }

  /// Takes one vector off an enabled MSI-X function, the others undisturbed. One that came with others stays the function's, inactive,
  /// until all are released.
  ///
  /// @throws IllegalStateException when the function is not enabled or is MSI
  /// @throws IllegalArgumentException when it has not this vector
  public void removeVector(int index) {
    domain.lock().lock();
    try (Rollback rollback = new Rollback()) {
      requireDynamic();
      Slot slot = live(index);
      MsiVectors v = slot.vectors();
      int cpu = v.cpu(slot.inner());
      rollback.add(() -> registers.unsilence(index));
      registers.silence(index);
      rollback.add(() -> v.activate(slot.inner(), cpu));
      v.deactivate(slot.inner());
      if (v.taken() == 1) {
        MsiVectors.unmap(v.leases(), rollback);
        v.free();
        forget(v);
      } else {
        put(index, slot.live(false));
      }
      rollback.commit();
    } finally {
      domain.lock().unlock();
    }
  }

  /// Moves a vector to another CPU. It stays deliverable throughout; where its message changes, the function is programmed anew. Where the
  /// doorbell changes, too, the new one is mapped first, and the old one given back at the end unless another vector rings it.
  ///
  /// @throws dev.doorbell.iommu.MsiWindowExhausted when the MSI window has no room for the other CPU's doorbell; the vector stays where it was
  /// @throws IllegalArgumentException when there is no such vector or CPU; it stays where it was
  public void retarget(int index, int cpu) {
    locked(() -> move.move(index, live(index), cpu));
  }

  /// Posts a vector's messages to a guest's processor: {@link VectorBlock#post}. The function is not programmed anew.
  ///
  /// @throws PostingUnsupported when the controller cannot; messages arrive as before
  /// @throws IllegalArgumentException when there is no such vector
  public void post(int index, PostedInterrupt to) {
    locked(() -> move.atOnce(index, live(index), (v, inner) -> v.post(inner, to)));
  }

  /// Ends {@link #post}: messages arrive here again.
  ///
  /// @throws IllegalArgumentException when there is no such vector
  public void endPost(int index) {
    locked(() -> move.atOnce(index, live(index), MsiVectors::endPost));
  }

  /// Makes a vector pending at its controller without the function's doing, or forgets that it is: {@link VectorBlock#raise}, {@link VectorBlock#clearPending}.
  ///
  /// @throws PendingStateUnsupported when the controller has no such order
  /// @throws IllegalArgumentException when there is no such vector
  public void setPending(int index, boolean pending) {
    locked(() -> {
      Slot slot = live(index);
      slot.vectors().setPending(slot.inner(), pending);
    });
  }

  private void locked(Runnable change) {
    domain.lock().lock();
    try {
      change.run();
    } finally {
      domain.lock().unlock();
    }
  }

  /// Holds a vector back, or lets it through, a pending message included.
  ///
  /// @throws IllegalArgumentException when there is no such vector
  public void mask(int index, boolean masked) {
    locked(() -> registers.mask(live(index), index, masked));
  }

  /// Programs the function anew with what it is supposed to hold, for one that lost its table or was reset (R17). Does nothing when it
  /// has no vectors.
  public void reapply() {
    locked(() -> {
      if (enabled) {
        // Vectors that were removed one by one may leave none; MSI-X needs no number.
        registers.install(slots, all.isEmpty() ? 0 : all.getFirst().taken());
      }
    });
  }

  /// {@return the message of a vector} A look-up: it never allocates, never blocks, and may be called from any thread (R15).
  ///
  /// @throws IllegalArgumentException when there is no such vector
  public MsiMessage compose(int index) {
    return live(index).compose();
  }

  /// {@return the vectors in use}
  public List<LiveVector> vectors() {
    domain.lock().lock();
    try {
      List<LiveVector> out = new ArrayList<>();
      for (int i = 0; i < slots.length; i++) {
        Slot s = slots[i];
        if (s != null && s.live()) {
          out.add(s.vectors().show(s.inner(), i, registers.isMasked(i)));
        }
      }
      return out;
    } finally {
      domain.lock().unlock();
    }
  }

  private MsiVectors prepare(int min, int max, Rollback rollback) {
    MsiVectors v =
        domain.prepare(
            name,
            new VectorRequest(
                min, max, table.kind() == MessageTable.Kind.MSI, table.is64Bit(), table.maxData()));
    v.leases().forEach(l -> rollback.add(l::release));
    rollback.add(v::free);
    return v;
  }

  private Slot live(int index) {
    @Nullable Slot[] now = slots;
    Slot s = index >= 0 && index < now.length ? now[index] : null;
    if (s == null || !s.live()) {
      throw new IllegalArgumentException("%s has no vector %d in use".formatted(name, index));
    }
    return s;
  }

  private void put(int index, @Nullable Slot slot) {
    @Nullable Slot[] next = slots.clone();
    next[index] = slot;
    slots = next;
  }

  private void requireDynamic() {
    if (!enabled || table.kind() != MessageTable.Kind.MSIX) {
      throw new IllegalStateException(
          "vectors of %s cannot change one by one: it has %s"
              .formatted(name, enabled ? "MSI" : "no vectors"));
    }
  }

  private List<DoorbellLease> leases() {
    return all.stream().flatMap(v -> v.leases().stream()).toList();
  }

  /// Forgets vectors that the controller has taken back and whose doorbells are unmapped.
  private void forget(MsiVectors v) {
    all.remove(v);
    v.leases().forEach(DoorbellLease::release);
    @Nullable Slot[] next = slots.clone();
    for (int i = 0; i < next.length; i++) {
      Slot s = next[i];
      if (s != null && s.vectors() == v) {
        next[i] = null;
      }
    }
    slots = next;
  }

  /// The function as its group sees it while its translation changes.
  private final class Holder implements DoorbellHolder {
    @Override
    public String name() {
      return name;
    }

    @Override
    public List<DoorbellLease> leases() {
      return MsiFunction.this.leases();
    }

    @Override
    public boolean maskable() {
      return table.isMaskable();
    }

    @Override
    public Source maskableSource() {
      return MsiDomain.maskSource(name);
    }

    @Override
    public void hold() {
      registers.hold(slots);
    }

    @Override
    public void resume() {
      registers.resume(slots);
    }

    @Override
    public void move(List<DoorbellLease> next) {
      try (Rollback rollback = new Rollback()) {
        int at = 0;
        for (MsiVectors v : all) {
          List<DoorbellLease> before = v.leases();
          v.move(next.subList(at, at + before.size()));
          rollback.add(() -> v.move(before));
          at += before.size();
        }
        registers.rewrite(slots, rollback);
        rollback.commit();
      }
    }
  }
}
