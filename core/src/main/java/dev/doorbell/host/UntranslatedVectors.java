package dev.doorbell.host;

import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.pci.Sbdf;
import java.util.List;

/// Vectors of a function with no IOMMU in its path: there is no domain and no window, and messages carry the doorbell's physical address
/// (R26). The function stays with the host. Closing undoes everything. Not safe for use from many threads.
public final class UntranslatedVectors implements AutoCloseable {
  private final Host host;
  private final HostFunction function;
  private final MsiFunction vectors;
  private final int command;

  private UntranslatedVectors(Host host, HostFunction function, MsiFunction vectors, int command) {
    this.host = host;
    this.function = function;
    this.vectors = vectors;
    this.command = command;
  }

  /// Programs vectors. When it throws, the machine is as before.
  ///
  /// @param min fewest vectors that will do, at least 1
  /// @param max most vectors
  /// @throws NotAssignable when the function is not there, is a bridge, is behind an IOMMU, or has no MSI capability
  /// @throws dev.doorbell.irq.NoMsiController when no controller that Doorbell drives receives its messages
  /// @throws dev.doorbell.irq.TooFewVectors when the function advertises fewer vectors than the minimum
  /// @throws dev.doorbell.irq.MessageOutOfReach when the function cannot hold the doorbell's physical address
  public static UntranslatedVectors of(Host host, Sbdf sbdf, int min, int max) {
    HostFunction f = Assignment.checked(host.untranslated(sbdf));
    MsiFunction vectors = f.vectors().orElseThrow();
    int command = f.turnOn();
    boolean done = false;
    try {
      vectors.enable(min, Math.max(min, max));
      done = true;
      return new UntranslatedVectors(host, f, vectors, command);
    } finally {
      if (!done) {
        f.turnBack(command);
      }
    }
  }

  public HostFunction function() {
    return function;
  }

  /// {@return every vector in use}
  public List<LiveVector> vectors() {
    return vectors.vectors();
  }

  /// Makes the device raise one of its vectors, and takes what arrives. A device that interrupts only as an effect of DMA has no memory for
  /// it here.
  public Assignment.Fired fire(LiveVector vector) {
    return Assignment.fire(host, function, vector);
  }

  @Override
  public void close() {
    try {
      vectors.release();
    } finally {
      function.turnBack(command);
    }
  }
}
