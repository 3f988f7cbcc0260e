package dev.doorbell.cli;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Addresses, sizes and granules as arguments write them. Ranges are inclusive.
final class Ranges {
  private static final Pattern RANGE =
      Pattern.compile("(0[xX][0-9a-fA-F]{1,16}|[0-9]{1,19})-(0[xX][0-9a-fA-F]{1,16}|[0-9]{1,19})");
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,12})([KMGT])");

  private static final Pattern COMMA = Pattern.compile(",");

  private Ranges() {}

  /// {@return the range `START-END`, both inclusive}
  static AddressRange range(String option, String text) {
    Matcher m = RANGE.matcher(text);
    if (!m.matches()) {
      throw bad(option, text, "write START-END, both inclusive, such as 0x8000000-0x80fffff");
    }
    try {
      return new AddressRange(number(m.group(1)), number(m.group(2)));
    } catch (IllegalArgumentException e) {
      throw new UnusableInput(
          "BadArguments",
          "%s %s is not usable: %s".formatted(option, text, e.getMessage()),
          "write START-END, both inclusive and below 2^64, the lower first");
    }
  }

  /// {@return the bytes of a size such as `4G`, or nothing when it is not one}
  static OptionalLong size(String text) {
    Matcher m = SIZE.matcher(text.toUpperCase(Locale.ROOT));
    if (!m.matches()) {
      return OptionalLong.empty();
    }
    int shift = 10 * (1 + "KMGT".indexOf(m.group(2)));
    long count = Long.parseLong(m.group(1));
    return count == 0 || count > Long.MAX_VALUE >>> shift
        ? OptionalLong.empty()
        : OptionalLong.of(count << shift);
  }

  /// {@return the ranges of `--ram`, where it is not a size}
  static List<AddressRange> ram(String text) {
    if (!text.contains("-")) {
      throw bad(
          "--ram",
          text,
          "write one size with K, M, G or T (below 8388608T), such as 4G, or ranges START-END, both inclusive");
    }
    return COMMA.splitAsStream(text).map(r -> range("--ram", r)).toList();
  }

  static Granule granule(String text) {
    return switch (text.toUpperCase(Locale.ROOT)) {
      case "4K" -> Granule.K4;
      case "16K" -> Granule.K16;
      case "64K" -> Granule.K64;
      default -> throw bad("--granule", text, "use 4K, 16K or 64K");
    };
  }

  private static long number(String text) {
    return text.startsWith("0x") || text.startsWith("0X")
        ? Long.parseUnsignedLong(text.substring(2), 16)
        : Long.parseUnsignedLong(text);
  }

  private static UnusableInput bad(String option, String text, String advice) {
    return new UnusableInput(
        "BadArguments",
        "%s %s is not usable".formatted(option, text.isEmpty() ? "''" : text),
        advice);
  }
}
