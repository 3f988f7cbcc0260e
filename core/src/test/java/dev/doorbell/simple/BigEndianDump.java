package dev.doorbell.simple;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.doorbell.explain.MemoryView;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;

/// Registers by name, and words of 8 bytes of a big-endian machine's memory, as a resource lists them: a name or an address, and a value, a line.
///
/// @param values by name
/// @param words by address
public record BigEndianDump(Map<String, Long> values, Map<Long, Long> words) implements MemoryView {
  /// {@return what a resource beside a class lists}
  public static BigEndianDump of(Class<?> beside, String resource) throws IOException {
    Map<String, Long> values = new HashMap<>();
    Map<Long, Long> words = new HashMap<>();
    try (InputStream in = Objects.requireNonNull(beside.getResourceAsStream(resource))) {
      for (String line : new String(in.readAllBytes(), UTF_8).lines().toList()) {
        if (line.startsWith("#")) {
          continue;
        }
        String[] parts = line.split(" ");
        long value = Long.parseUnsignedLong(parts[1].substring(2), 16);
        if (parts[0].startsWith("0x")) {
          words.put(Long.decode(parts[0]), value);
        } else {
          values.put(parts[0], value);
        }
      }
    }
    return new BigEndianDump(values, words);
  }

  /// {@return a register}
  public long value(String name) {
    return Objects.requireNonNull(values.get(name), name);
  }

  /// {@return a word as the machine sees it}
  public long word(long pa) {
    return Objects.requireNonNull(words.get(pa), Long.toHexString(pa));
  }

  @Override
  public OptionalLong read64(long pa) {
    Long word = words.get(pa);
    return word == null ? OptionalLong.empty() : OptionalLong.of(Long.reverseBytes(word));
  }
}
