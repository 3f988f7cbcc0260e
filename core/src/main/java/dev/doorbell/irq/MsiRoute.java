package dev.doorbell.irq;

import dev.doorbell.explain.Source;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.Ringer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

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
  /// @param lastBus as {@link MsiSource} has it
  /// @param doorbells what its messages are written to: one, or one for each CPU
  public record Target(
      MsiController controller, int deviceId, OptionalInt lastBus, List<DoorbellFrame> doorbells) {
    public Target {
      doorbells = List.copyOf(doorbells);
      if (doorbells.isEmpty()) {
        throw new IllegalArgumentException(controller.id() + " has no doorbell");
      }
    }

    /// A controller to which the function's writes carry one id.
    public Target(MsiController controller, int deviceId, List<DoorbellFrame> doorbells) {
      this(controller, deviceId, OptionalInt.empty(), doorbells);
    }

    /// A controller with one doorbell.
    public Target(MsiController controller, int deviceId, DoorbellFrame doorbell) {
      this(controller, deviceId, List.of(doorbell));
    }

    /// {@return whether the doorbell depends on the CPU: then only those of the CPUs in use are mapped}
    boolean hasOneForEachCpu() {
      return doorbells.size() > 1;
    }
  }

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

  /// {@return the doorbells of all targets and CPUs}
  public List<DoorbellFrame> doorbells() {
    return targets.stream().flatMap(t -> t.doorbells().stream()).toList();
  }

  /// {@return a function as it rings at every target that has one doorbell for all CPUs}
  List<Ringer> ringers(String function) {
    return targets.stream()
        .filter(t -> !t.hasOneForEachCpu())
        .map(t -> ringer(function, t, t.doorbells().getFirst()))
        .toList();
  }

  /// {@return a function as it rings at some doorbells of a target}
  ///
  /// @param addresses physical ones, each once
  List<Ringer> ringers(String function, Target target, Set<Long> addresses) {
    return target.doorbells().stream()
        .filter(d -> addresses.contains(d.doorbell().value()))
        .map(d -> ringer(function, target, d))
        .toList();
  }

  private Ringer ringer(String function, Target t, DoorbellFrame doorbell) {
    return new Ringer(
        function,
        doorbell,
        t.controller().isolated() ? OptionalInt.of(t.deviceId()) : OptionalInt.empty(),
        source);
  }

  /// {@return whether every controller that the function reaches lets it raise its own vectors only}
  public boolean isolated() {
    return !targets.isEmpty() && targets.stream().allMatch(t -> t.controller().isolated());
  }
}
