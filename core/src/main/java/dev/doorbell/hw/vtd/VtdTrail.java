package dev.doorbell.hw.vtd;

import dev.doorbell.bits.Decoded;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/// What a walk through a remapping unit has seen so far.
final class VtdTrail {
  private final String id;
  private final MemoryView memory;
  private final List<Hop> hops = new ArrayList<>();
  private String stopped = "";

  VtdTrail(String id, MemoryView memory) {
    this.id = id;
    this.memory = memory;
  }

  List<Hop> hops() {
    return List.copyOf(hops);
  }

  Optional<String> stopped() {
    return stopped.isEmpty() ? Optional.empty() : Optional.of(stopped);
  }

  /// A register that says something.
  void register(String name, String in, String out, String why) {
    hops.add(new Hop(id, in, out, why, Source.rule(name + " of " + id), Basis.OBSERVED));
  }

  /// An entry that was read.
  void entry(String at, String in, String out, String why, long pa) {
    hops.add(new Hop(at, in, out, why, memory.source(pa), Basis.OBSERVED));
  }

  /// {@return the word at an address; empty, with the break told, when it cannot be seen}
  OptionalLong read(long at, String what) {
    OptionalLong word = memory.read64(at);
    if (word.isEmpty()) {
      stop(
          what,
          "0x" + Long.toHexString(at),
          "cannot see",
          "cannot see %s at 0x%x".formatted(what, at),
          memory.source(at));
    }
    return word;
  }

  /// Ends the walk at an entry.
  void stopAt(String at, String in, String why, long pa) {
    stop(at, in, "stopped", why, memory.source(pa));
  }

  /// Ends the walk at a register.
  void stopRegister(String name, String in, String why) {
    stop(id, in, "stopped", why, Source.rule(name + " of " + id));
  }

  private void stop(String at, String in, String out, String why, Source source) {
    stopped = why;
    hops.add(new Hop(at, in, out, why, source, Basis.OBSERVED));
  }

  /// {@return the fields of a word that say something}
  static String print(Layout layout, long word) {
    return layout.decode(word).stream()
        .filter(d -> d.raw() != 0)
        .map(Decoded::toString)
        .collect(Collectors.joining(" "));
  }
}
