package dev.doorbell.firmware;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// Builds flattened device trees: a test states only what differs.
public final class TreeBuilder {
  private final ByteArrayOutputStream structure = new ByteArrayOutputStream();
  private final ByteArrayOutputStream strings = new ByteArrayOutputStream();
  private final Map<String, Integer> names = new LinkedHashMap<>();

  /// {@return a tree whose root has 2 address and 2 size cells and is still open}
  public static TreeBuilder machine() {
    return new TreeBuilder().begin("").cells("#address-cells", 2).cells("#size-cells", 2);
  }

  public TreeBuilder begin(String name) {
    word(1);
    text(structure, name);
    return this;
  }

  public TreeBuilder end() {
    word(2);
    return this;
  }

  TreeBuilder token(int token) {
    word(token);
    return this;
  }

  public TreeBuilder cells(String name, long... cells) {
    ByteBuffer b = ByteBuffer.allocate(cells.length * 4);
    for (long c : cells) {
      b.putInt((int) c);
    }
    return bytes(name, b.array());
  }

  public TreeBuilder text(String name, String... texts) {
    return bytes(name, (String.join("\0", texts) + "\0").getBytes(StandardCharsets.ISO_8859_1));
  }

  TreeBuilder flag(String name) {
    return bytes(name, new byte[0]);
  }

  private TreeBuilder bytes(String name, byte[] value) {
    Integer known = names.get(name);
    int at = known != null ? known : strings.size();
    if (known == null) {
      names.put(name, at);
      strings.writeBytes((name + "\0").getBytes(StandardCharsets.ISO_8859_1));
    }
    word(3);
    word(value.length);
    word(at);
    structure.writeBytes(value);
    pad();
    return this;
  }

  private void text(ByteArrayOutputStream out, String text) {
    out.writeBytes((text + "\0").getBytes(StandardCharsets.ISO_8859_1));
    pad();
  }

  private void pad() {
    while (structure.size() % 4 != 0) {
      structure.write(0);
    }
  }

  private void word(int word) {
    structure.writeBytes(ByteBuffer.allocate(4).putInt(word).array());
  }

  public byte[] build() {
    word(9);
    byte[] s = structure.toByteArray();
    byte[] n = strings.toByteArray();
    ByteBuffer b = ByteBuffer.allocate(56 + s.length + n.length);
    b.putInt((int) FdtTree.MAGIC).putInt(b.capacity()).putInt(56).putInt(56 + s.length).putInt(40);
    b.putInt(17).putInt(16).putInt(0).putInt(n.length).putInt(s.length);
    b.position(56);
    return b.put(s).put(n).array();
  }
}
