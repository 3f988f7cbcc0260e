package dev.doorbell.vmm;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.util.LinkedHashMap;
import java.util.Map;

/// Writes a flattened device tree, node after node. For one thread.
///
/// **Source**: Devicetree Specification v0.4, chapter 5
final class FdtWriter {
  private static final int MAGIC = 0xd00d_feed;
  private static final int VERSION = 17;
  private static final int COMPATIBLE_VERSION = 16;
  private static final int HEADER_BYTES = 40;
  private static final int RESERVATIONS_BYTES = 16;
  private static final int BEGIN_NODE = 1;
  private static final int END_NODE = 2;
  private static final int PROPERTY = 3;
  private static final int END = 9;

  private final ByteArrayOutputStream structure = new ByteArrayOutputStream();
  private final ByteArrayOutputStream strings = new ByteArrayOutputStream();
  private final Map<String, Integer> names = new LinkedHashMap<>();

  /// Begins a node; the root's name is empty.
  FdtWriter begin(String name) {
    cell(structure, BEGIN_NODE);
    text(structure, name);
    pad(structure);
    return this;
  }

  FdtWriter end() {
    cell(structure, END_NODE);
    return this;
  }

  /// A property without a value.
  FdtWriter flag(String name) {
    return property(name, new byte[0]);
  }

  /// A property of cells of 32 bits.
  FdtWriter cells(String name, int... values) {
    ByteArrayOutputStream b = new ByteArrayOutputStream();
    for (int v : values) {
      cell(b, v);
    }
    return property(name, b.toByteArray());
  }

  /// A property of numbers of two cells each.
  FdtWriter longs(String name, long... values) {
    ByteArrayOutputStream b = new ByteArrayOutputStream();
    for (long v : values) {
      cell(b, (int) (v >>> Integer.SIZE));
      cell(b, (int) v);
    }
    return property(name, b.toByteArray());
  }

  /// A property of one text or more.
  FdtWriter texts(String name, String... values) {
    ByteArrayOutputStream b = new ByteArrayOutputStream();
    for (String v : values) {
      text(b, v);
    }
    return property(name, b.toByteArray());
  }

  private FdtWriter property(String name, byte[] value) {
    int at =
        names.computeIfAbsent(
            name,
            n -> {
              int offset = strings.size();
              text(strings, n);
              return offset;
            });
    cell(structure, PROPERTY);
    cell(structure, value.length);
    cell(structure, at);
    structure.writeBytes(value);
    pad(structure);
    return this;
  }

  /// {@return the tree; no memory is reserved in it}
  byte[] finish() {
    cell(structure, END);
    int offStruct = HEADER_BYTES + RESERVATIONS_BYTES;
    int offStrings = offStruct + structure.size();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int[] header = {
      MAGIC,
      offStrings + strings.size(),
      offStruct,
      offStrings,
      HEADER_BYTES,
      VERSION,
      COMPATIBLE_VERSION,
      0,
      strings.size(),
      structure.size()
    };
    for (int h : header) {
      cell(out, h);
    }
    out.writeBytes(new byte[RESERVATIONS_BYTES]);
    out.writeBytes(structure.toByteArray());
    out.writeBytes(strings.toByteArray());
    return out.toByteArray();
  }

  private static void cell(ByteArrayOutputStream to, int value) {
    for (int shift = Integer.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
      to.write(value >>> shift);
    }
  }

  private static void text(ByteArrayOutputStream to, String text) {
    to.writeBytes(text.getBytes(US_ASCII));
    to.write(0);
  }

  private static void pad(ByteArrayOutputStream to) {
    while (to.size() % Integer.BYTES != 0) {
      to.write(0);
    }
  }
}
