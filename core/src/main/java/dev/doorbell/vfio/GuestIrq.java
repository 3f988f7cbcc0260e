package dev.doorbell.vfio;

/// A way into a guest's interrupt.
public interface GuestIrq extends AutoCloseable {
  /// {@return what raises it; where host and guest share a kernel, nothing of this process runs for a signal}
  Trigger trigger();

  /// Ends the way. The trigger stays usable until {@link #close}, and nobody hears it.
  ///
  /// {@return whether a signal came that the guest has not seen}
  boolean disconnect();

  /// Ends the way and the trigger.
  @Override
  void close();
}
