package dev.doorbell.hw.imsic;

import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.explain.Source;
import java.util.List;

/// Interrupt files as a driver gets them.
///
/// @param id the IMSIC's name
/// @param doorbells the physical address of each hart's own file, in the order of CPUs; at least one
/// @param identities of each file, numbered from 1
/// @param source who tells how many
/// @param files the harts' side
public record ImsicHardware(
    String id, List<Long> doorbells, int identities, Source source, InterruptFiles files) {
  public ImsicHardware {
    doorbells = List.copyOf(doorbells);
    if (doorbells.isEmpty() || doorbells.size() > files.cpus()) {
      throw new IllegalArgumentException(
          "%s has %d interrupt files, and %d harts can be reached"
              .formatted(id, doorbells.size(), files.cpus()));
    }
  }
}
