package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;

/// What 64-bit words of memory held, and from when on. Time is the number of the step.
final class History {
  private record Version(int from, long value) {}

  private final Map<Long, List<Version>> words = new HashMap<>();
  private int present = Integer.MAX_VALUE;

  /// Answers from now on as at an earlier time.
  void goBack(int time) {
    present = time;
  }

  /// Notes words that are about to be stored.
  void store(PhysicalMemory memory, long address, List<Long> values, int time) {
    for (int i = 0; i < values.size(); i++) {
      long at = address + (long) i * Long.BYTES;
      words
          .computeIfAbsent(at, a -> new ArrayList<>(List.of(new Version(0, memory.read64(a)))))
          .add(new Version(time, values.get(i)));
    }
  }

  /// Forgets what a run of memory held: it was cleared before it was used.
  void clear(long address, long bytes) {
    words.keySet().removeIf(a -> a >= address && a < address + bytes);
  }

  /// {@return how many words between two addresses have ever held what is looked for}
  long places(long from, long to, LongPredicate wanted) {
    return words.entrySet().stream()
        .filter(e -> e.getKey() >= from && e.getKey() < to)
        .filter(e -> e.getValue().stream().anyMatch(v -> wanted.test(v.value)))
        .count();
  }

  /// {@return what the words between two addresses have ever held}
  Set<Long> values(long from, long to) {
    return words.entrySet().stream()
        .filter(e -> e.getKey() >= from && e.getKey() < to)
        .flatMap(e -> e.getValue().stream())
        .map(Version::value)
        .collect(Collectors.toSet());
  }

  /// {@return the different contents of a run of words since a time, newest first}
  List<long[]> since(PhysicalMemory memory, long address, int count, int time) {
    TreeSet<Integer> times = new TreeSet<>();
    times.add(time);
    for (int i = 0; i < count; i++) {
      for (Version v : words.getOrDefault(address + (long) i * Long.BYTES, List.of())) {
        if (v.from > time && v.from <= present) {
          times.add(v.from);
        }
      }
    }
    List<long[]> out = new ArrayList<>();
    for (int t : times.descendingSet()) {
      long[] content = new long[count];
      for (int i = 0; i < count; i++) {
        content[i] = at(memory, address + (long) i * Long.BYTES, t);
      }
      if (out.stream().noneMatch(o -> java.util.Arrays.equals(o, content))) {
        out.add(content);
      }
    }
    return out;
  }

  private long at(PhysicalMemory memory, long address, int time) {
    List<Version> versions = words.get(address);
    if (versions == null) {
      return memory.read64(address);
    }
    long value = versions.getFirst().value;
    for (Version v : versions) {
      value = v.from <= time ? v.value : value;
    }
    return value;
  }
}
