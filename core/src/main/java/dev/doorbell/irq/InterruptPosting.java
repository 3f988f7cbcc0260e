package dev.doorbell.irq;

import java.util.List;

/// The ability of an {@link InterruptRemapper} to post interrupts to guests. Safe for use from many threads.
@FunctionalInterface
public interface InterruptPosting {
  /// {@return a descriptor for a processor of a guest: nothing posted, notifications suppressed}
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for it
  PostedDescriptor create();

  /// Takes from the hardware's log, where it has one (AMD), in which descriptors something was posted that told no processor. A descriptor may be
  /// named though nothing is left in it; none is left out.
  ///
  /// {@return those descriptors; none where every notification goes to a processor}
  default List<PostedDescriptor> waiting() {
    return List.of();
  }
}
