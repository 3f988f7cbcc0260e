package dev.doorbell.linux;

import dev.doorbell.explain.Unseen;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// Where a vector of the running host stops: two looks at everything that the host shows of it, and what moved between them. Nothing is
/// changed.
///
/// A message that is lost between the function and the kernel's counter leaves no trace in these files; what could tell and cannot be seen is
/// named, so that "cannot see" is never taken for "is not there".
///
/// @param hops in the order of the way
/// @param counted interrupts that the kernel took meanwhile; empty when that is not seen
/// @param stoppedAt the first stop without movement; empty when all moved, as far as seen
/// @param programmed the vector as the function has it now
/// @param intid the number that the last controller has for it
/// @param unseen what could not be read, and why
public record LiveTrace(
    Sbdf function,
    int vector,
    List<LiveHop> hops,
    OptionalLong counted,
    Optional<String> stoppedAt,
    Optional<ProgrammedVector> programmed,
    Optional<KernelInterrupt> interrupt,
    OptionalLong intid,
    List<Unseen> unseen) {

  /// Waits between the two looks.
  @FunctionalInterface
  public interface Pause {
    void run();
  }

  /// {@return what moved while a pause lasted}
  ///
  /// @throws dev.doorbell.vfio.NoSuchFunction when the host has not such a function
  /// @throws IndexOutOfBoundsException when the function is seen to have vectors, and not so many
  public static LiveTrace watch(LinuxOptions options, Sbdf function, int vector, Pause pause) {
    LiveSample before = LiveSample.take(options, function, vector);
    OptionalInt has = VectorRegisters.of(options, function).advertised();
    if (has.isPresent() && vector >= has.getAsInt()) {
      throw new IndexOutOfBoundsException(
          "%s has %d vector%s and no vector %d"
              .formatted(function, has.getAsInt(), has.getAsInt() == 1 ? "" : "s", vector));
    }
    pause.run();
    return new LiveHops(before, LiveSample.take(options, function, vector)).read();
  }

  /// {@return whether interrupts of the vector reached their handler}
  public boolean delivered() {
    return counted.isPresent() && counted.getAsLong() > 0;
  }
}
