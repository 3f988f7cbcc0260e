package dev.doorbell.firmware;

import dev.doorbell.explain.Printable;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// A node of a device tree.
///
/// **Source**: Devicetree Specification 0.4, 2.2 and 2.3.
final class FdtNode {
  /// A property's bytes: big-endian cells, or NUL-terminated texts.
  record Property(Blob blob, int at, int length) {
    Source source() {
      return blob.source(at);
    }

    int cells() {
      return length / CELL;
    }

    /// {@return a cell as an unsigned 32-bit number}
    long cell(int index) {
      if (index < 0 || index >= cells()) {
        throw new MalformedException(
            "property of %d cells has no cell %d".formatted(cells(), index), source());
      }
      return blob.be32(at + (long) index * CELL);
    }

    /// {@return one or two cells as a number}
    long number(int index, int cells) {
      if (cells == 1) {
        return cell(index);
      }
      if (index + 1 >= cells()) {
        throw new MalformedException(
            "property of %d cells has no cell %d".formatted(cells(), index + 1), source());
      }
      return blob.be64(at + (long) index * CELL);
    }

    List<String> texts() {
      List<String> out = new ArrayList<>();
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < length && out.size() < MAX_TEXTS; i++) {
        int c = blob.u8(at + (long) i);
        if (c != 0) {
          text.append((char) c);
        } else {
          out.add(Printable.of(text.toString()));
          text.setLength(0);
        }
      }
      if (!text.isEmpty()) {
        out.add(Printable.of(text.toString()));
      }
      return out;
    }
  }

  static final int CELL = 4;
  private static final int MAX_TEXTS = 256;

  private final String name;
  private final @Nullable FdtNode parent;
  private final Source source;
  private final Map<String, Property> properties = new LinkedHashMap<>();
  private final List<FdtNode> children = new ArrayList<>();

  FdtNode(String name, @Nullable FdtNode parent, Source source) {
    this.name = name;
    this.parent = parent;
    this.source = source;
    if (parent != null) {
      parent.children.add(this);
    }
  }

  String name() {
    return name;
  }

  Optional<FdtNode> parent() {
    return Optional.ofNullable(parent);
  }

  Source source() {
    return source;
  }

  List<FdtNode> children() {
    return children;
  }

  /// Adds a property; of two with one name the first counts, as for libfdt.
  void add(String property, Property value) {
    properties.putIfAbsent(property, value);
  }

  boolean has(String property) {
    return properties.containsKey(property);
  }

  Optional<Property> property(String property) {
    return Optional.ofNullable(properties.get(property));
  }

  OptionalLong cell(String property) {
    Property p = properties.get(property);
    return p == null || p.length < CELL ? OptionalLong.empty() : OptionalLong.of(p.cell(0));
  }

  List<String> texts(String property) {
    Property p = properties.get(property);
    return p == null ? List.of() : p.texts();
  }

  Optional<String> text(String property) {
    return texts(property).stream().findFirst();
  }

  List<String> compatible() {
    return texts("compatible");
  }

  boolean isCompatible(String... wanted) {
    List<String> mine = compatible();
    for (String w : wanted) {
      if (mine.contains(w)) {
        return true;
      }
    }
    return false;
  }

  /// {@return whether the node's status lets it be used}
  boolean enabled() {
    return text("status").map(s -> s.equals("okay") || s.equals("ok")).orElse(true);
  }

  /// {@return whether the node and all above it may be used}
  boolean available() {
    for (FdtNode n = this; n != null; n = n.parent) {
      if (!n.enabled()) {
        return false;
      }
    }
    return true;
  }

  String path() {
    List<String> names = new ArrayList<>();
    for (FdtNode n = this; n.parent != null; n = n.parent) {
      names.add(n.name);
    }
    return "/" + Printable.of(String.join("/", names.reversed()));
  }

  /// {@return the node's address and size cells for its children, with the specification's defaults 2 and 1}
  int addressCells() {
    return cellCount("#address-cells", 2);
  }

  int sizeCells() {
    return cellCount("#size-cells", 1);
  }

  private int cellCount(String property, int otherwise) {
    long cells = cell(property).orElse(otherwise);
    if (cells > 4) {
      throw new MalformedException(
          "%s of %s is %d; 0 to 4 are possible".formatted(property, path(), cells),
          property(property).orElseThrow().source());
    }
    return (int) cells;
  }
}
