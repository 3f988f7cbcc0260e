package dev.doorbell.contract;

import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.VectorBlock;

/// Vectors that hand everything on; wiring overrides what it changes.
class WiredBlock implements VectorBlock {
  private final VectorBlock real;

  WiredBlock(VectorBlock real) {
    this.real = real;
  }

  @Override
  public MsiController controller() {
    return real.controller();
  }

  @Override
  public int count() {
    return real.count();
  }

  @Override
  public long doorbell(int index) {
    return real.doorbell(index);
  }

  @Override
  public int data(int index) {
    return real.data(index);
  }

  @Override
  public int intid(int index) {
    return real.intid(index);
  }

  @Override
  public int number(int index) {
    return real.number(index);
  }

  @Override
  public void finishMove(int index) {
    real.finishMove(index);
  }

  @Override
  public int cpu(int index) {
    return real.cpu(index);
  }

  @Override
  public void activate(int index, int cpu) {
    real.activate(index, cpu);
  }

  @Override
  public void deactivate(int index) {
    real.deactivate(index);
  }

  @Override
  public void retarget(int index, int cpu) {
    real.retarget(index, cpu);
  }

  @Override
  public void mask(int index) {
    real.mask(index);
  }

  @Override
  public void unmask(int index) {
    real.unmask(index);
  }

  @Override
  public void free() {
    real.free();
  }
}
