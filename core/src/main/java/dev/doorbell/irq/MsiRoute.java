package dev.doorbell.irq;

import dev.doorbell.explain.Source;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.Ringer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Which MSI controllers a function's messages can reach, as firmware's id mapping tells.
///
/// @param targets in order of preference; empty when firmware names none
/// @param cpus CPUs that vectors can be routed to, numbered from 0; above 0
/// @param absent what firmware names instead of a target and does not describe
/// @param source where this was read
public record MsiRoute(List<Target> targets, int cpus, Optional<String> absent, Source source) {
  /// One controller in a function's reach.
  ///
  /// @param deviceId the id that travels with the function's writes to it
  /// @param doorbell what its messages are written to
  public record Target(MsiController controller, int deviceId, DoorbellFrame doorbell) {}

  /// A route that names nothing which is not there.
  public MsiRoute(List<Target> targets, int cpus, Source source) {
    this(targets, cpus, Optional.empty(), source);
  }

  public MsiRoute {
    targets = List.copyOf(targets);
    if (cpus < 1) {
      throw new IllegalArgumentException("a route to " + cpus + " CPUs leads nowhere");
    }
  }

  /// {@return the doorbells of all targets}
  public List<DoorbellFrame> doorbells() {
    return targets.stream().map(Target::doorbell).toList();
  }

  /// {@return a function as it rings at every target}
  List<Ringer> ringers(String function) {
    return targets.stream()
        .map(t ->
            new Ringer(
                function,
                t.doorbell(),
                t.controller().isolated() ? OptionalInt.of(t.deviceId()) : OptionalInt.empty(),
                source))
        .toList();
  }

  /// {@return whether every controller that the function reaches lets it raise its own vectors only}
  public boolean isolated() {
    return !targets.isEmpty() && targets.stream().allMatch(t -> t.controller().isolated());
  }
}
