package dev.doorbell.contract;

/// One thing that an owner, a driver or a device does. Every number may be any; a step that makes no sense where it comes is left out,
/// so that a sequence can be shortened.
sealed interface Step {
  /// @param granuleShift log2 of the granule
  /// @param trusted whether unsafe interrupts are allowed
  record Create(int domain, int granuleShift, boolean trusted) implements Step {}

  record Close(int domain) implements Step {}

  record Attach(int function, int domain) implements Step {}

  record Detach(int function, int domain) implements Step {}

  record Map(int domain, long iova, long pa, long bytes, boolean write) implements Step {}

  record Unmap(int domain, long iova, long bytes) implements Step {}

  record Reserve(int domain, long start, long bytes) implements Step {}

  record Remove(int domain) implements Step {}

  /// @param failAt the vector at whose activation the MSI controller fails; negative for never
  record Enable(int function, int min, int max, boolean masked, int failAt) implements Step {}

  record Release(int function) implements Step {}

  record Retarget(int function, int vector, int cpu) implements Step {}

  record Mask(int function, int vector, boolean masked) implements Step {}

  record Fire(int function, int vector) implements Step {}

  /// A function writes memory by DMA.
  record Write(int function, long iova, int value) implements Step {}

  /// A function writes the datum of another one's vector to a doorbell.
  ///
  /// @param as whose requester id is on the write; the function's own or that of nobody when negative
  /// @param of whose vector it is
  record Forge(int function, int as, int of, int vector) implements Step {}
}
