package dev.doorbell.cli;

import dev.doorbell.linux.KernelInterrupt;
import dev.doorbell.linux.ProgrammedVector;
import dev.doorbell.pci.Sbdf;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// One vector that is watched.
final class LinuxVectorState {
  private final Sbdf function;
  private final int vector;
  private final LinuxPrediction prediction;
  private final @Nullable ProgrammedVector programmed;
  private final String unseen;
  private @Nullable KernelInterrupt interrupt;
  private long kernelBefore;
  private long count;
  private long fresh;

  /// @param programmed null when it could not be read
  /// @param unseen why not
  LinuxVectorState(
      Sbdf function,
      int vector,
      LinuxPrediction prediction,
      @Nullable ProgrammedVector programmed,
      String unseen) {
    this.function = function;
    this.vector = vector;
    this.prediction = prediction;
    this.programmed = programmed;
    this.unseen = unseen;
  }

  Sbdf function() {
    return function;
  }

  int vector() {
    return vector;
  }

  @Nullable ProgrammedVector programmed() {
    return programmed;
  }

  String unseen() {
    return unseen;
  }

  @Nullable KernelInterrupt interrupt() {
    return interrupt;
  }

  long count() {
    return count;
  }

  /// {@return signals since this was last asked}
  long takeFresh() {
    long taken = fresh;
    fresh = 0;
    return taken;
  }

  void counted(long signals) {
    count += signals;
    fresh += signals;
  }

  /// What the kernel has counted by now; the first time is where counting starts.
  void seen(KernelInterrupt now) {
    if (interrupt == null) {
      kernelBefore = now.count();
    }
    interrupt = now;
  }

  /// {@return interrupts that the kernel took for it meanwhile; empty when not seen}
  OptionalLong kernelCount() {
    KernelInterrupt i = interrupt;
    return i == null ? OptionalLong.empty() : OptionalLong.of(i.count() - kernelBefore);
  }

  /// {@return whether the kernel programmed what was predicted; `-` where nothing was, or nothing is seen}
  String asPredicted() {
    ProgrammedVector p = programmed;
    if (p == null || prediction.address().isEmpty()) {
      return "-";
    }
    boolean address = p.address() == prediction.address().getAsLong();
    boolean data = !prediction.dataIsVector() || p.data() == vector;
    return address && data ? "yes" : "no";
  }
}
