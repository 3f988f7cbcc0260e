package dev.doorbell.pci;

import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A PCI function's address: segment (domain), bus, device, function.
///
/// @param segment 0 to 2^31 - 1 (Linux numbers some above 16 bits)
/// @param bus 0 to 255
/// @param device 0 to 31
/// @param function 0 to 7
public record Sbdf(int segment, int bus, int device, int function) implements Comparable<Sbdf> {
  /// The largest requester id: bus 255, device 31, function 7.
  public static final int LAST_REQUESTER_ID = 0xffff;

  private static final HexFormat HEX = HexFormat.of();
  private static final Pattern FORM =
      Pattern.compile("(?:([0-9a-fA-F]{1,8}):)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\\.([0-7])");

  public Sbdf {
    if (segment < 0
        || bus < 0
        || bus > 255
        || device < 0
        || device > 31
        || function < 0
        || function > 7) {
      throw new IllegalArgumentException(
          "no PCI function has segment %d, bus %d, device %d, function %d"
              .formatted(segment, bus, device, function));
    }
  }

  /// {@return the function written as `dddd:bb:dd.f` or `bb:dd.f`}
  ///
  /// @throws IllegalArgumentException when the text is neither
  public static Sbdf parse(String text) {
    Matcher m = FORM.matcher(text);
    if (!m.matches()) {
      throw new IllegalArgumentException("'" + text + "' is not a PCI function like 0000:01:00.0");
    }
    String segment = m.group(1);
    return new Sbdf(
        segment == null ? 0 : Integer.parseUnsignedInt(segment, 16),
        Integer.parseInt(m.group(2), 16),
        Integer.parseInt(m.group(3), 16),
        Integer.parseInt(m.group(4)));
  }

  /// {@return the function with a requester id in a segment}
  public static Sbdf of(int segment, int requesterId) {
    return new Sbdf(segment, requesterId >>> 8 & 0xff, requesterId >>> 3 & 0x1f, requesterId & 7);
  }

  /// {@return bus, device and function as 16 bits}
  public int requesterId() {
    return bus << 8 | device << 3 | function;
  }

  // Written out: a record's own would be put together when the first map of functions is filled, at
  // every start of the command line.
  @Override
  public boolean equals(Object o) {
    return o instanceof Sbdf other
        && segment == other.segment
        && requesterId() == other.requesterId();
  }

  @Override
  public int hashCode() {
    return 31 * segment + requesterId();
  }

  @Override
  public int compareTo(Sbdf o) {
    int c = Integer.compare(segment, o.segment);
    return c != 0 ? c : Integer.compare(requesterId(), o.requesterId());
  }

  @Override
  public String toString() {
    return busName(segment, bus) + ':' + HEX.toHexDigits((byte) device) + '.' + function;
  }

  /// {@return a bus written as `dddd:bb`}
  static String busName(int segment, int bus) {
    String high =
        segment > 0xffff ? Integer.toHexString(segment) : HEX.toHexDigits((short) segment);
    return high + ':' + HEX.toHexDigits((byte) bus);
  }
}
