package dev.doorbell.irq;

import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.DoorbellLease;
import dev.doorbell.irq.FunctionRegisters.Slot;
import dev.doorbell.pci.MessageTable;
import java.util.List;
import java.util.function.ObjIntConsumer;

/// Brings vectors of one function to CPUs: the doorbell there first, the function's registers next, the former doorbell last. Guarded by the MSI
/// domain's lock.
///
/// @param address64 whether the function can write to addresses of 4 GiB and above
record VectorMove(
    String function, MsiDomain domain, FunctionRegisters registers, boolean address64) {
  /// Moves a live vector. When it throws, the vector is where it was, its doorbell mapped.
  void move(int index, Slot slot, int cpu) {
    try (Rollback rollback = new Rollback()) {
      MsiVectors v = slot.vectors();
      int before = v.cpu(slot.inner());
      domain.reach(function, v, cpu, address64, rollback);
      MessageTable.Saved programmed = registers.save(index);
      boolean heldBack = v.losesMessages() && registers.holdBack(index, rollback);
      boolean changed = v.retarget(slot.inner(), cpu);
      // Taken back last first: the vector returns, the function is programmed as it was, what was
      // taken is given back.
      rollback.add(() -> v.finishMove(slot.inner()));
      if (changed) {
        rollback.add(programmed::restore);
      }
      rollback.add(() -> {
        v.retarget(slot.inner(), before);
      });
      if (changed) {
        registers.write(index, slot.compose());
      }
      v.finishMove(slot.inner());
      giveUpIdle(v, rollback);
      if (heldBack) {
        registers.unsilence(index);
      }
      rollback.commit();
    }
  }

  /// Makes a change that loses no message: where it takes several steps, the vector is held back at the function meanwhile. When letting it go fails,
  /// the change stands.
  void atOnce(int index, Slot slot, ObjIntConsumer<MsiVectors> change) {
    try (Rollback rollback = new Rollback()) {
      boolean heldBack = slot.vectors().losesMessages() && registers.holdBack(index, rollback);
      change.accept(slot.vectors(), slot.inner());
      if (heldBack) {
        registers.unsilence(index);
      }
      rollback.commit();
    }
  }

  /// Activates a vector at a CPU, whose doorbell may not be mapped yet. The former one is the caller's to give up: {@link #giveUpIdle}.
  void activate(Slot slot, int cpu, Rollback rollback) {
    domain.reach(function, slot.vectors(), cpu, address64, rollback);
    slot.vectors().activate(slot.inner(), cpu);
  }

  /// Unmaps and gives back doorbells of CPUs that none of the vectors is at any more.
  static void giveUpIdle(MsiVectors v, Rollback rollback) {
    List<DoorbellLease> idle = v.idle();
    MsiVectors.unmap(idle, rollback);
    v.remove(idle);
    idle.forEach(DoorbellLease::release);
  }
}
