package dev.doorbell.description;

import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// What the captured kernel wrote down: a second source beside what Doorbell derives.
///
/// @param groups `sys/kernel/iommu_groups`; empty when not captured or when there are none
/// @param groupsSeen whether the folder was there
/// @param interrupts lines of `proc/interrupts` that name an MSI
/// @param commandLine `proc/cmdline`
public record Recorded(
    List<Group> groups,
    boolean groupsSeen,
    List<Interrupt> interrupts,
    Optional<String> commandLine) {
  /// A group as Linux made it.
  ///
  /// @param name what whoever made it named it (`vfio-noiommu`), or the empty string
  /// @param type domain type (`DMA`, `identity` …), or the empty string
  public record Group(
      int number,
      String name,
      List<Sbdf> functions,
      String type,
      List<ReservedRegion> reserved,
      Source source) {
    public Group {
      functions = List.copyOf(functions);
      reserved = List.copyOf(reserved);
    }
  }

  /// One interrupt line.
  ///
  /// @param count deliveries over all CPUs
  public record Interrupt(
      int irq, String chip, String hwirq, String action, long count, Source source) {}

  public Recorded {
    groups = List.copyOf(groups);
    interrupts = List.copyOf(interrupts);
  }
}
