package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.Optional;

/// One of two objects that collide.
///
/// @param name such as `guest RAM` or `MSI window`
/// @param range the addresses it occupies, if it has some
/// @param source where it comes from
public record Thing(String name, Optional<AddressRange> range, Source source) {
  public static Thing at(String name, AddressRange range, Source source) {
    return new Thing(name, Optional.of(range), source);
  }

  public static Thing named(String name, Source source) {
    return new Thing(name, Optional.empty(), source);
  }

  @Override
  public String toString() {
    return range.map(r -> name + " " + r).orElse(name);
  }
}
