package dev.doorbell.testkit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A JSON document of a capture, for tests of modules that have no JSON library.
///
/// Values are `Map`, `List`, `String`, `Number` as its text, `Boolean`; an absent member and `null` read as empty.
public final class Json {
  private static final int MOST_DEPTH = 64;

  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  /// One value, with short forms for going down in it.
  ///
  /// @param value a map, list, string or boolean; empty for null
  public record Node(Optional<Object> value) {
    /// {@return a member of an object; empty when it has none}
    public Node get(String name) {
      return value.orElse(null) instanceof Map<?, ?> map && map.get(name) instanceof Node node
          ? node
          : new Node(Optional.empty());
    }

    /// {@return the elements of an array; none when this is not one}
    public List<Node> list() {
      List<Node> nodes = new ArrayList<>();
      if (value.orElse(null) instanceof List<?> list) {
        list.forEach(element -> nodes.add((Node) element));
      }
      return nodes;
    }

    /// {@return the names of an object's members, in order}
    public List<String> names() {
      List<String> names = new ArrayList<>();
      if (value.orElse(null) instanceof Map<?, ?> map) {
        map.keySet().forEach(key -> names.add((String) key));
      }
      return names;
    }

    /// {@return a string's or a number's text}
    ///
    /// @throws IllegalStateException when this is neither
    public String text() {
      if (value.orElse(null) instanceof String s) {
        return s;
      }
      throw new IllegalStateException("not a text: " + value);
    }

    /// {@return a number, decimal or with 0x, unsigned}
    public long number() {
      String s = text();
      return s.startsWith("0x") ? Long.parseUnsignedLong(s.substring(2), 16) : Long.parseLong(s);
    }

    public boolean isTrue() {
      return value.orElse(null) instanceof Boolean b && b;
    }

    public boolean isPresent() {
      return value.isPresent();
    }
  }

  /// {@return the document}
  ///
  /// @throws IllegalArgumentException when the text is not one JSON document
  public static Node parse(String text) {
    Json json = new Json(text);
    Node node = json.value(0);
    json.blanks();
    if (json.at != text.length()) {
      throw json.wrong("more after the document");
    }
    return node;
  }

  private Node value(int depth) {
    blanks();
    if (depth > MOST_DEPTH || at == text.length()) {
      throw wrong("a value is missing or nested too deep");
    }
    return switch (text.charAt(at)) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> new Node(Optional.of(string()));
      default -> literal();
    };
  }

  private Node object(int depth) {
    Map<String, Node> members = new LinkedHashMap<>();
    at++;
    if (taken('}')) {
      return new Node(Optional.of(members));
    }
    do {
      blanks();
      String name = string();
      expect(':');
      members.put(name, value(depth + 1));
    } while (taken(','));
    expect('}');
    return new Node(Optional.of(members));
  }

  private Node array(int depth) {
    List<Node> elements = new ArrayList<>();
    at++;
    if (taken(']')) {
      return new Node(Optional.of(elements));
    }
    do {
      elements.add(value(depth + 1));
    } while (taken(','));
    expect(']');
    return new Node(Optional.of(elements));
  }

  private String string() {
    expect('"');
    StringBuilder out = new StringBuilder();
    while (at < text.length() && text.charAt(at) != '"') {
      char c = text.charAt(at++);
      out.append(c == '\\' ? escape() : c);
    }
    expect('"');
    return out.toString();
  }

  private char escape() {
    if (at == text.length()) {
      throw wrong("an escape ends early");
    }
    char c = text.charAt(at++);
    return switch (c) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'u' -> {
        at += 4;
        yield (char) Integer.parseInt(text.substring(at - 4, at), 16);
      }
      default -> c;
    };
  }

  private Node literal() {
    int start = at;
    while (at < text.length() && ",]} \n\r\t".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    String word = text.substring(start, at);
    return switch (word) {
      case "null" -> new Node(Optional.empty());
      case "true" -> new Node(Optional.of(true));
      case "false" -> new Node(Optional.of(false));
      case "" -> throw wrong("a value is missing");
      default -> new Node(Optional.of(word));
    };
  }

  private boolean taken(char c) {
    blanks();
    if (at < text.length() && text.charAt(at) == c) {
      at++;
      return true;
    }
    return false;
  }

  private void expect(char c) {
    if (!taken(c)) {
      throw wrong("expected " + c);
    }
  }

  private void blanks() {
    while (at < text.length() && " \n\r\t".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private IllegalArgumentException wrong(String why) {
    return new IllegalArgumentException("JSON at character " + at + ": " + why);
  }
}
