package dev.doorbell.irq;

import java.util.concurrent.locks.ReentrantLock;

/// Vectors of one device as a controller's driver keeps them: each change is one step under the driver's lock, and none comes after the vectors
/// were freed. What is abstract is called with the lock held.
public abstract class DrivenVectors implements VectorBlock {
  /// What the driver remembers of them.
  protected final VectorStates states;

  private final MsiController controller;

  /// @param lock the driver's
  protected DrivenVectors(
      MsiController controller, MsiSource source, ReentrantLock lock, int count) {
    this(controller, new VectorStates(source.name(), controller, lock, count));
  }

  /// @param states under the driver's lock
  protected DrivenVectors(MsiController controller, VectorStates states) {
    this.controller = controller;
    this.states = states;
  }

  /// Stops delivery of a vector that may be active.
  protected abstract void stop(int index);

  /// Holds a vector back, or lets it through.
  protected abstract void setMasked(int index, boolean mask);

  /// Stops all vectors, and gives what they used back.
  protected abstract void giveBack();

  @Override
  public final MsiController controller() {
    return controller;
  }

  @Override
  public final int count() {
    return states.count();
  }

  @Override
  public int cpu(int index) {
    return states.cpu(index);
  }

  @Override
  public final void deactivate(int index) {
    states.change(index, () -> stop(index));
  }

  @Override
  public final void mask(int index) {
    states.change(index, () -> setMasked(index, true));
  }

  @Override
  public final void unmask(int index) {
    states.change(index, () -> setMasked(index, false));
  }

  @Override
  public final void free() {
    states.free(this::giveBack);
  }
}
