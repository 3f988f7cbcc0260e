package dev.doorbell.hw.xics;

import dev.doorbell.bus.RegisterBus;
import java.util.List;

/// Presentation controllers as their driver finds them.
///
/// @param id the name that they are told under
/// @param servers those of CPUs 0, 1 …
/// @param sources numbers that interrupts will come from
public record XicsHardware(String id, List<Server> servers, List<Sources> sources) {
  /// One controller.
  ///
  /// @param number by which sources name it
  /// @param page its registers
  public record Server(int number, RegisterBus page) {}

  /// Numbers of one bridge.
  ///
  /// @param count above 0
  public record Sources(int first, int count) {
    public Sources {
      if (first < 1 || count < 1) {
        throw new IllegalArgumentException(
            "there are no %d sources from %d".formatted(count, first));
      }
    }

    int last() {
      return first + count - 1;
    }
  }

  public XicsHardware {
    servers = List.copyOf(servers);
    sources = List.copyOf(sources);
    if (servers.isEmpty() || sources.isEmpty()) {
      throw new IllegalArgumentException(id + " has no servers, or no sources");
    }
  }
}
