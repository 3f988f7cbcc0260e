package dev.doorbell.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import tools.jackson.databind.JsonNode;

/// The fields of one JSON object of a recording. What is not there, or null, is empty; what cannot be meant is refused by file and field.
///
/// @param place the object within the file
record RecordedFields(Path file, String place, JsonNode node) {
  private static final String NUMBER = "0x[0-9a-fA-F]{1,16}|[0-9]{1,19}";

  RecordedFields {
    if (!node.isObject()) {
      throw unusable(file, place, "is no JSON object");
    }
  }

  /// {@return the object in a field}
  Optional<RecordedFields> object(String field) {
    return isThere(field)
        ? Optional.of(new RecordedFields(file, name(field), node.path(field)))
        : Optional.empty();
  }

  /// {@return the list in a field}
  Optional<JsonNode> list(String field) {
    if (!isThere(field)) {
      return Optional.empty();
    }
    if (!node.path(field).isArray()) {
      throw wrong(field, "is no list");
    }
    return Optional.of(node.path(field));
  }

  /// @param bits how many the number may have
  OptionalLong number(String field, int bits) {
    if (!isThere(field)) {
      return OptionalLong.empty();
    }
    JsonNode n = node.path(field);
    String text = n.isString() || n.isNumber() ? n.asString() : n.toString();
    if (!text.matches(NUMBER)) {
      throw wrong(field, "is '%s', and not a number of 0 or more".formatted(text));
    }
    long value;
    try {
      value =
          text.startsWith("0x")
              ? Long.parseUnsignedLong(text.substring(2), 16)
              : Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw wrong(field, "is '%s', which is above 64 bits".formatted(text));
    }
    if (bits < Long.SIZE && value >>> bits != 0) {
      throw wrong(field, "is %s, and it has %d bits".formatted(text, bits));
    }
    return OptionalLong.of(value);
  }

  Optional<Boolean> flag(String field) {
    if (!isThere(field)) {
      return Optional.empty();
    }
    if (!node.path(field).isBoolean()) {
      throw wrong(field, "is %s, and neither true nor false".formatted(node.path(field)));
    }
    return Optional.of(node.path(field).asBoolean());
  }

  /// {@return a fact that stands in a field of its own and in a register; empty when in neither}
  ///
  /// @throws UnusableInput when they contradict each other
  OptionalLong agreed(String field, OptionalLong said, String register, OptionalLong read) {
    if (said.isPresent() && read.isPresent() && said.getAsLong() != read.getAsLong()) {
      throw wrong(
          field, "says %d, and %s says %d".formatted(said.getAsLong(), register, read.getAsLong()));
    }
    return said.isPresent() ? said : read;
  }

  UnusableInput wrong(String field, String why) {
    return unusable(file, name(field), why);
  }

  private boolean isThere(String field) {
    return node.has(field) && !node.path(field).isNull();
  }

  private String name(String field) {
    return place.isEmpty() ? field : place + "." + field;
  }

  private static UnusableInput unusable(Path file, String where, String why) {
    return new UnusableInput(
        "UnusableTables",
        "%s: %s %s".formatted(file, where, why),
        "record it again, or leave out what is not known");
  }
}
