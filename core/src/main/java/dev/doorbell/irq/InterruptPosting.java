package dev.doorbell.irq;

/// The ability of an {@link InterruptRemapper} to post interrupts to guests. Safe for use from many threads.
@FunctionalInterface
public interface InterruptPosting {
  /// {@return a descriptor for a processor of a guest: nothing posted, notifications suppressed}
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for it
  PostedDescriptor create();
}
