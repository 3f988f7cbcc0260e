package dev.doorbell.vfio;

import dev.doorbell.address.Iova;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// A machine for the contract suite, one an implementation of {@link Vfio}: functions that can be made to interrupt and to copy memory.
/// What an implementation answers otherwise than another is asked here, so that no case is passed over in silence.
interface VfioLab extends AutoCloseable {
  /// How an implementation answers the registration of an MSI window.
  enum WindowAnswer {
    /// It registers it.
    REGISTERED,
    /// It refuses with {@link WindowFixedByKernel}.
    FIXED
  }

  /// {@return the implementation}
  Vfio vfio();

  WindowAnswer windowAnswer();

  /// {@return whether messages are translated like other writes, so that a container has a window for them}
  default boolean translatesMessages() {
    return true;
  }

  /// {@return whether vector 0 of a function that {@link #start} set to work can be seen again: not where that used it and no CPU took it since
  /// (QEMU's local APICs, whose CPUs run nothing)}
  default boolean seesFirstAgain() {
    return true;
  }

  /// {@return functions with MSI-X of at least four vectors, each in a viable group of its own}
  List<Sbdf> msix();

  /// {@return a function with MSI of at least four vectors, in a viable group of its own}
  Sbdf msi();

  /// {@return a function whose group the host uses}
  Sbdf usedByHost();

  /// {@return a function whose messages are not isolated; empty where those of every function are}
  Optional<Sbdf> notIsolated();

  /// {@return how a program opens containers for this machine's functions}
  default ContainerOptions options() {
    return ContainerOptions.USUAL;
  }

  /// Gets an open function to work, as its driver does once its vectors are enabled, and again after a reset. It may signal meanwhile.
  default void start(Device device) {}

  /// Makes a function interrupt.
  void raise(Device device, int vector);

  /// {@return a function that can copy memory, in a viable group of its own}
  default Sbdf copier() {
    return msix().getFirst();
  }

  /// Makes a function copy memory and waits for it.
  ///
  /// {@return whether it could}
  boolean copy(Device device, Iova from, Iova to, int bytes);

  /// {@return whether the function may master the bus}
  boolean isBusMaster(Sbdf function);

  @Override
  void close();
}
