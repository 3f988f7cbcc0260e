package dev.doorbell.diff;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// A scenario as text: a first line that names the hardware, then one step a line. What follows `#` is for people.
///
/// ```
/// hardware smmuv3
/// clear 0x41020000 0x10000
/// store 0x41020200 0x4110000b 0x0
/// write 0x9050020 4 0xd
/// read 0x9050060 4
/// command 0x46 0x0
/// message 0x8 0x10004 0x8001
/// fetch 0x8 0x10008
/// drain
/// acknowledge
/// ```
public final class Script {
  private static final int WORD_AND_WIDTH = 4;
  private static final String FIRST_LINE = "the first line must be: hardware " + Hardware.names();

  private Script() {}

  /// {@return a scenario's text}
  public static String print(Scenario scenario) {
    StringBuilder out = new StringBuilder();
    out.append("hardware ").append(scenario.hardware().id()).append('\n');
    for (Step s : scenario.steps()) {
      out.append(line(s));
      String said = Describe.step(scenario.hardware(), s);
      out.append(said.isEmpty() ? "" : " # " + said).append('\n');
    }
    return out.toString();
  }

  /// {@return a step's text}
  static String line(Step step) {
    return switch (step) {
      case Step.Store(long address, List<Long> words) -> "store " + hex(address) + words(words);
      case Step.Clear(long address, long bytes) ->
          "clear %s %s".formatted(hex(address), hex(bytes));
      case Step.Write(long address, int bytes, long value) ->
          "write %s %d %s".formatted(hex(address), bytes, hex(value));
      case Step.Read(long address, int bytes) -> "read %s %d".formatted(hex(address), bytes);
      case Step.Command(List<Long> words) -> "command" + words(words);
      case Step.Message(int requester, long address, int data) ->
          "message %s %s %s".formatted(hex(requester), hex(address), hex(data));
      case Step.Fetch(int requester, long address) ->
          "fetch %s %s".formatted(hex(requester), hex(address));
      case Step.Drain() -> "drain";
      case Step.Acknowledge() -> "acknowledge";
    };
  }

  /// {@return the scenario that a text tells}
  ///
  /// @param where names the text in a refusal
  /// @throws BadScript when a line is none of the form above
  public static Recording parse(String text, String where) {
    Hardware hardware = null;
    List<Step> steps = new ArrayList<>();
    List<Integer> lines = new ArrayList<>();
    int number = 0;
    for (String raw : text.lines().toList()) {
      number++;
      int comment = raw.indexOf('#');
      String line = (comment < 0 ? raw : raw.substring(0, comment)).strip();
      if (line.isEmpty()) {
        continue;
      }
      String[] parts = line.split("\\s+", -1);
      try {
        if (hardware == null) {
          hardware = first(parts);
        } else {
          steps.add(visible(hardware, step(parts)));
          lines.add(number);
        }
      } catch (IllegalArgumentException e) {
        throw new BadScript(where, number, raw, String.valueOf(e.getMessage()));
      }
    }
    if (hardware == null || steps.isEmpty()) {
      throw new BadScript(where, Math.max(1, number), "", "the file has no step; " + FIRST_LINE);
    }
    return new Recording(new Scenario(hardware, steps), where, lines);
  }

  private static Hardware first(String[] parts) {
    if (parts.length != 2 || !parts[0].equals("hardware")) {
      throw new IllegalArgumentException(FIRST_LINE);
    }
    return Hardware.of(parts[1])
        .orElseThrow(() -> new IllegalArgumentException("no such hardware: " + parts[1]));
  }

  /// Where a message of an SMMU landed is found by its datum, which memory must not be full of.
  private static Step visible(Hardware hardware, Step step) {
    if (hardware.isSmmu() && step instanceof Step.Message(_, _, int data) && data == 0) {
      throw new IllegalArgumentException("a datum of 0 cannot be told from empty memory");
    }
    return step;
  }

  private static Step step(String[] parts) {
    return switch (parts[0]) {
      case "store" -> {
        if (parts.length < 3) {
          throw new IllegalArgumentException("store takes an address and at least one word");
        }
        yield new Step.Store(aligned(parts, 1, Long.BYTES), numbers(parts, 2));
      }
      case "clear" -> {
        need(parts, 3);
        yield new Step.Clear(aligned(parts, 1, Long.BYTES), aligned(parts, 2, Long.BYTES));
      }
      case "write" -> {
        need(parts, WORD_AND_WIDTH);
        yield new Step.Write(number(parts[1]), bytes(parts[2]), number(parts[3]));
      }
      case "read" -> {
        need(parts, 3);
        yield new Step.Read(number(parts[1]), bytes(parts[2]));
      }
      case "command" -> new Step.Command(numbers(parts, 1));
      case "message" -> {
        need(parts, WORD_AND_WIDTH);
        yield new Step.Message(
            sixteenBits(parts[1]), aligned(parts, 2, Integer.BYTES), sixteenBits(parts[3]));
      }
      case "fetch" -> {
        need(parts, 3);
        yield new Step.Fetch(sixteenBits(parts[1]), aligned(parts, 2, Integer.BYTES));
      }
      case "drain" -> {
        need(parts, 1);
        yield new Step.Drain();
      }
      case "acknowledge" -> {
        need(parts, 1);
        yield new Step.Acknowledge();
      }
      default -> throw new IllegalArgumentException("no such step: " + parts[0]);
    };
  }

  private static void need(String[] parts, int count) {
    if (parts.length != count) {
      throw new IllegalArgumentException(
          "%s takes %d values, not %d".formatted(parts[0], count - 1, parts.length - 1));
    }
  }

  private static long aligned(String[] parts, int index, int unit) {
    long value = number(parts[index]);
    if (value % unit != 0) {
      throw new IllegalArgumentException(
          "%s is not a multiple of %d".formatted(parts[index], unit));
    }
    return value;
  }

  /// A requester id, or what a message's data can be.
  private static int sixteenBits(String text) {
    long value = number(text);
    if (value < 0 || value > Character.MAX_VALUE) {
      throw new IllegalArgumentException(text + " has more than 16 bits");
    }
    return (int) value;
  }

  private static List<Long> numbers(String[] parts, int from) {
    List<Long> out = new ArrayList<>();
    for (int i = from; i < parts.length; i++) {
      out.add(number(parts[i]));
    }
    return out;
  }

  private static int bytes(String text) {
    return switch (text) {
      case "1", "2", "4", "8" -> Integer.parseInt(text);
      default ->
          throw new IllegalArgumentException("an access has 1, 2, 4 or 8 bytes, not " + text);
    };
  }

  private static long number(String text) {
    String digits = text.toLowerCase(Locale.ROOT);
    try {
      return digits.startsWith("0x")
          ? Long.parseUnsignedLong(digits.substring(2), 16)
          : Long.parseUnsignedLong(digits);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          text + " is no number of up to 64 bits, decimal or behind 0x", e);
    }
  }

  private static String words(List<Long> words) {
    return words.stream().map(w -> " " + hex(w)).collect(Collectors.joining());
  }

  static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }
}
