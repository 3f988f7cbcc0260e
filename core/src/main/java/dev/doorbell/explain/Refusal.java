package dev.doorbell.explain;

import java.util.List;
import java.util.Optional;

/// A refused request, told so that a person can act on it.
///
/// @param type the refusal's name, such as `MsiWindowExhausted`
/// @param message what was tried, on what, and why not; lower case, no period
/// @param needed what the request needs, if it is a quantity
/// @param available what there is
/// @param objects the names of the objects that collide or are short
/// @param source where the limiting fact was read
/// @param advice what to change
public record Refusal(
    String type,
    String message,
    Optional<Figure> needed,
    Optional<Figure> available,
    List<String> objects,
    Source source,
    String advice) {

  /// A quantity with its unit.
  ///
  /// @param value how many
  /// @param unit `bytes` or `vectors`; of hardware's own numbers their name, such as `ASIDs`
  public record Figure(long value, String unit) {
    public static Figure bytes(long value) {
      return new Figure(value, "bytes");
    }

    public static Figure vectors(long value) {
      return new Figure(value, "vectors");
    }

    @Override
    public String toString() {
      return value + " " + unit;
    }
  }

  public Refusal {
    objects = List.copyOf(objects);
  }
}
