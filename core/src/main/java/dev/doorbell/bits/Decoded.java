package dev.doorbell.bits;

/// One decoded field of a word.
///
/// @param field which field
/// @param raw its value; of an address field the whole address
/// @param name the encoding's name, or the empty string
public record Decoded(Field field, long raw, String name) {
  @Override
  public String toString() {
    String value = field.width() == 1 ? Long.toString(raw) : "0x" + Long.toHexString(raw);
    return field.name() + "=" + value + (name.isEmpty() ? "" : " (" + name + ")");
  }
}
