package dev.doorbell.capture;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;

/// Blanks in a flattened device tree, in place, the properties that identify a board.
///
/// **Source**: Devicetree Specification 0.4, 5.2 (header) and 5.4 (structure block).
final class TreeScrubber {
  private static final int MAGIC = 0xd00dfeed;
  private static final int STRUCT_AT = 8;
  private static final int STRINGS_AT = 12;
  private static final int HEADER = 40;
  private static final int CELL = 4;
  private static final int BEGIN_NODE = 1;
  private static final int END_NODE = 2;
  private static final int PROP = 3;
  private static final int NOP = 4;

  /// Properties that hold nothing else. Location codes of POWER begin with the number of their enclosure.
  static final Pattern NAMES =
      Pattern.compile(
          ".*serial-?(?:number|num|no)?|serial#|system-id|.*mac-address|local-bd-address|.*uuid.*|.*-seed|.*asset-tag"
              + "|ibm,.*serial.*|ibm,(?:slot-)?loc(?:ation)?-code|slot-label|ibm,partition-name|ibm,vpd");

  private static final String COMMAND_LINE = "bootargs";

  private final byte[] bytes;
  private final ByteBuffer words;
  private final TextScrubber texts;
  private int count;

  private TreeScrubber(byte[] bytes, TextScrubber texts) {
    this.bytes = bytes;
    this.words = ByteBuffer.wrap(bytes);
    this.texts = texts;
  }

  /// {@return whether a file is a flattened device tree}
  static boolean isTree(byte[] bytes) {
    return bytes.length >= HEADER && ByteBuffer.wrap(bytes).getInt(0) == MAGIC;
  }

  /// Blanks up to the first token that makes no sense.
  ///
  /// @return how many properties were blanked, not counting texts
  static int scrub(byte[] bytes, TextScrubber texts) {
    TreeScrubber scrubber = new TreeScrubber(bytes, texts);
    scrubber.walk();
    return scrubber.count;
  }

  private void walk() {
    long at = Integer.toUnsignedLong(words.getInt(STRUCT_AT));
    while (at + CELL <= bytes.length) {
      int token = words.getInt((int) at);
      at += CELL;
      if (token == BEGIN_NODE) {
        at = aligned(end(at) + 1);
      } else if (token == PROP && at + 2 * CELL <= bytes.length) {
        long length = Integer.toUnsignedLong(words.getInt((int) at));
        long name = Integer.toUnsignedLong(words.getInt((int) at + CELL));
        at += 2 * CELL;
        if (at + length > bytes.length) {
          return;
        }
        property(name(name), (int) at, (int) length);
        at = aligned(at + length);
      } else if (token != END_NODE && token != NOP) {
        return;
      }
    }
  }

  private void property(String name, int at, int length) {
    if (name.equals(COMMAND_LINE)) {
      String text = new String(bytes, at, length, StandardCharsets.ISO_8859_1);
      byte[] scrubbed = texts.scrub(text, true).getBytes(StandardCharsets.ISO_8859_1);
      System.arraycopy(scrubbed, 0, bytes, at, length);
    } else if (NAMES.matcher(name).matches() && length > 0) {
      // A text stays one: its end is kept.
      boolean text = bytes[at + length - 1] == 0;
      Arrays.fill(bytes, at, text ? at + length - 1 : at + length, text ? (byte) 'x' : 0);
      count++;
    } else if (isText(at, length)) {
      String text = new String(bytes, at, length, StandardCharsets.ISO_8859_1);
      byte[] scrubbed = texts.shapes(text).getBytes(StandardCharsets.ISO_8859_1);
      System.arraycopy(scrubbed, 0, bytes, at, length);
    }
  }

  /// {@return whether a value is one or more printable texts, each with its end}
  private boolean isText(int at, int length) {
    if (length == 0 || bytes[at + length - 1] != 0) {
      return false;
    }
    for (int i = at; i < at + length; i++) {
      if (bytes[i] != 0 && (bytes[i] < ' ' || bytes[i] > '~')) {
        return false;
      }
    }
    return true;
  }

  private String name(long offset) {
    long at = Integer.toUnsignedLong(words.getInt(STRINGS_AT)) + offset;
    return at >= bytes.length
        ? ""
        : new String(bytes, (int) at, (int) (end(at) - at), StandardCharsets.ISO_8859_1);
  }

  private long end(long at) {
    long end = at;
    while (end < bytes.length && bytes[(int) end] != 0) {
      end++;
    }
    return end;
  }

  private static long aligned(long at) {
    return (at + CELL - 1) / CELL * CELL;
  }
}
