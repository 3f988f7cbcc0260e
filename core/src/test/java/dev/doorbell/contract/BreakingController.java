package dev.doorbell.contract;

import dev.doorbell.explain.Source;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;

/// An MSI controller that fails when told to, as hardware does after the first vectors have been written.
final class BreakingController implements MsiController {
  private final MsiController real;
  private int left = -1;

  BreakingController(MsiController real) {
    this.real = real;
  }

  /// Fails once, at the activation after so many; never when negative.
  void failAfter(int activations) {
    left = activations;
  }

  @Override
  public String id() {
    return real.id();
  }

  @Override
  public boolean isolated() {
    return real.isolated();
  }

  @Override
  public int vectorsFree() {
    return real.vectorsFree();
  }

  @Override
  public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
    return new Block(real.allocate(source, count, contiguous));
  }

  @Override
  public int collect(InterruptSink sink) {
    return real.collect(sink);
  }

  private final class Block extends WiredBlock {
    Block(VectorBlock real) {
      super(real);
    }

    @Override
    public void activate(int index, int cpu) {
      if (left == 0) {
        left = -1;
        throw new MsiControllerFailed(
            id(), "does not take vector " + index, Source.rule("planted failure"));
      }
      left--;
      super.activate(index, cpu);
    }
  }
}
