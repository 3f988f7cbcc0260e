package dev.doorbell.hw.xive;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import java.util.List;

/// An XIVE as its driver finds it.
///
/// @param id the name that it is told under
/// @param generation which one it is
/// @param controller the window of the controller: 512 KiB of POWER9's, 32 MiB of POWER10's
/// @param base where the window is
/// @param threads hardware threads (bits 6:0 of a PIR, on POWER10 of a number in the chip) that are CPUs 0, 1 …
/// @param sources numbers that events will come from
public record XiveHardware(
    String id,
    XiveGeneration generation,
    RegisterBus controller,
    Pa base,
    PhysicalMemory memory,
    Frames frames,
    List<Integer> threads,
    List<Sources> sources) {
  /// Numbers of one bridge.
  ///
  /// @param count above 0
  public record Sources(int first, int count) {
    public Sources {
      if (first < 0 || count < 1) {
        throw new IllegalArgumentException(
            "there are no %d sources from %d".formatted(count, first));
      }
    }

    int last() {
      return first + count - 1;
    }
  }

  public XiveHardware {
    threads = List.copyOf(threads);
    sources = List.copyOf(sources);
    if (threads.isEmpty() || sources.isEmpty()) {
      throw new IllegalArgumentException(id + " has no threads, or no sources");
    }
  }
}
