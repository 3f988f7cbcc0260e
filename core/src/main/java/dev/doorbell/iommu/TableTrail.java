package dev.doorbell.iommu;

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

/// What a walk through an IOMMU's tables, as they stand in memory, has seen so far: a hop for each register and each entry that says
/// something, and why it ended early. Of one walk, and so of one thread.
public final class TableTrail {
  private final String id;
  private final MemoryView memory;
  private final List<Hop> hops = new ArrayList<>();
  private String stopped = "";

  /// @param id the IOMMU's name, for hops
  public TableTrail(String id, MemoryView memory) {
    this.id = id;
    this.memory = memory;
  }

  /// {@return the hops so far, in order}
  public List<Hop> hops() {
    return List.copyOf(hops);
  }

  /// {@return why the walk ended early; empty when it did not}
  public Optional<String> stopped() {
    return stopped.isEmpty() ? Optional.empty() : Optional.of(stopped);
  }

  /// A register that says something.
  public void register(String name, String in, String out, String why) {
    hops.add(new Hop(id, in, out, why, Source.rule(name + " of " + id), Basis.OBSERVED));
  }

  /// An entry that was read.
  public void entry(String at, String in, String out, String why, long pa) {
    hops.add(new Hop(at, in, out, why, memory.source(pa), Basis.OBSERVED));
  }

  /// {@return the 64-bit word at an address, a multiple of 8; empty, with the break told, when it cannot be seen}
  public OptionalLong read(long at, String what) {
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

  /// {@return the 32-bit word at an address, a multiple of 4; empty, with the break told, when it cannot be seen}
  public OptionalLong read32(long at, String what) {
    OptionalLong whole = read(at & -Long.BYTES, what);
    int shift = (int) (at & Integer.BYTES) * Byte.SIZE;
    return whole.isEmpty()
        ? whole
        : OptionalLong.of(Integer.toUnsignedLong((int) (whole.getAsLong() >>> shift)));
  }

  /// Ends the walk at an entry.
  public void stopAt(String at, String in, String why, long pa) {
    stop(at, in, "stopped", why, memory.source(pa));
  }

  /// Ends the walk at a register.
  public void stopRegister(String name, String in, String why) {
    stop(id, in, "stopped", why, Source.rule(name + " of " + id));
  }

  private void stop(String at, String in, String out, String why, Source source) {
    stopped = why;
    hops.add(new Hop(at, in, out, why, source, Basis.OBSERVED));
  }

  /// {@return the fields of a word that say something}
  public static String print(Layout layout, long word) {
    return layout.decode(word).stream()
        .filter(d -> d.raw() != 0)
        .map(Decoded::toString)
        .collect(Collectors.joining(" "));
  }
}
