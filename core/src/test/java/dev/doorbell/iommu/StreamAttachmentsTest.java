package dev.doorbell.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "design 4, 5: a stream moves between tables whole or not at all, and never meets closed ones")
class StreamAttachmentsTest {
  private static final String BLOCKED = "blocked";
  private static final String PASSING = "passing";

  private static final class Space extends SharedAddressSpace<Hardware> {
    private final String name;
    private boolean released;

    Space(String name) {
      this.name = name;
    }

    @Override
    protected void change(Iova iova, Pa pa, long bytes, Protection protection) {
      throw new UnsupportedOperationException();
    }

    @Override
    protected long remove(Iova iova, long bytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    protected Optional<Pa> look(Iova iova) {
      throw new UnsupportedOperationException();
    }

    @Override
    protected void release() {
      released = true;
    }

    @Override
    protected String name(Hardware iommu) {
      return "hardware";
    }

    @Override
    public Granule granule() {
      return Granule.K4;
    }

    @Override
    public long pageSizes() {
      return Granule.K4.bytes();
    }

    @Override
    public AddressRange aperture() {
      return new AddressRange(0, 0xffff);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /// Entries in memory, copies of them that stay until they are forgotten, and translations that stay until their tables are.
  private static final class Hardware implements StreamAttachments.Hardware<String, Space> {
    final Map<String, Space> spaces = new HashMap<>();
    final Map<Integer, String> memory = new HashMap<>();
    final Map<Integer, Set<String>> copies = new HashMap<>();
    final Set<String> translations = new HashSet<>();
    final Set<Integer> failing = new HashSet<>();
    int steps;

    Space space(String name) {
      return spaces.computeIfAbsent(name, Space::new);
    }

    void failAt(Set<Integer> which) {
      steps = 0;
      failing.clear();
      failing.addAll(which);
    }

    private void step() {
      if (failing.contains(steps++)) {
        throw new IllegalStateException("step " + (steps - 1) + " fails");
      }
    }

    /// Every stream accesses memory now.
    void access() {
      memory.forEach(
          (stream, entry) -> copies.computeIfAbsent(stream, _ -> new HashSet<>()).add(entry));
      copies
          .values()
          .forEach(met -> met.forEach(e -> translations.addAll(List.of(e.split("\\+")))));
      translations.removeAll(Set.of(BLOCKED, PASSING));
      for (String met : translations) {
        assertFalse(space(met).released, () -> "tables that are gone are met: " + met);
      }
    }

    @Override
    public String entry(int stream) {
      return memory.getOrDefault(stream, BLOCKED);
    }

    @Override
    public String leadingTo(Space space) {
      step();
      return space.name;
    }

    /// {@return an entry that leads to two spaces}
    String composed(Space one, List<Space> open) {
      step();
      return one.name + "+" + open.getFirst().name;
    }

    @Override
    public void write(int stream, String entry, StreamAttachments.Orders orders) {
      step();
      access();
      memory.put(stream, entry);
      access();
      orders.run(() -> {
        step();
        copies.put(stream, new HashSet<>());
      });
      access();
    }

    @Override
    public void forget(Space space) {
      step();
      translations.remove(space.name);
    }
  }

  private final Hardware hardware = new Hardware();
  private final StreamAttachments<Hardware, String, Space> streams =
      new StreamAttachments<>(hardware, hardware);

  @Test
  @DisplayName(
      "the last stream of an IOMMU takes the translations along, and only then can tables be closed")
  void last() {
    Space a = hardware.space("a");
    streams.attach(1, a);
    streams.attach(2, a);
    hardware.access();
    streams.detach(1, BLOCKED);
    assertEquals(Set.of("a"), hardware.translations);
    assertThrows(IllegalStateException.class, a::close);
    streams.detach(2, PASSING);
    assertEquals(Set.of(), hardware.translations);
    a.close();
    assertTrue(a.released);
    assertThrows(IllegalArgumentException.class, () -> streams.attach(1, a));
  }

  @Test
  @DisplayName(
      "a move that fails once, at any step, leaves everything as before, and works when it is repeated")
  void once() {
    for (int step = 0; ; step++) {
      Hardware hw = new Hardware();
      StreamAttachments<Hardware, String, Space> s = new StreamAttachments<>(hw, hw);
      Space a = hw.space("a");
      Space b = hw.space("b");
      s.attach(1, a);
      hw.failAt(Set.of(step));
      boolean failed = false;
      try {
        s.attach(1, b);
      } catch (IllegalStateException expected) {
        failed = true;
      }
      hw.failAt(Set.of());
      if (!failed) {
        assertTrue(step > 3, "a move has its entry, its order, and what is forgotten");
        return;
      }
      assertEquals("a", hw.entry(1));
      assertEquals(Optional.of(a), s.of(1));
      b.close();
      hw.access();
      Space c = hw.space("c");
      s.attach(1, c);
      a.close();
      hw.access();
    }
  }

  @Test
  @DisplayName("where taking back fails as well, both tables stay until a later change succeeds")
  void twice() {
    Space a = hardware.space("a");
    Space b = hardware.space("b");
    streams.attach(1, a);
    hardware.failAt(Set.of(2, 3));
    IllegalStateException failed =
        assertThrows(IllegalStateException.class, () -> streams.attach(1, b));
    assertEquals(1, failed.getSuppressed().length);
    assertEquals(Optional.of(a), streams.of(1));
    assertThrows(IllegalStateException.class, a::close);
    assertThrows(IllegalStateException.class, b::close);
    assertThrows(IllegalStateException.class, () -> streams.end("hardware", () -> {}));
    hardware.failAt(Set.of());
    hardware.access();
    streams.attach(1, a);
    b.close();
    hardware.access();
    streams.detach(1, BLOCKED);
    a.close();
    assertEquals(Optional.empty(), streams.of(1));
    streams.end("hardware", () -> {});
  }

  @Test
  @DisplayName(
      "where taking back failed as well, the same change once more is made, and not taken for done")
  void again() {
    Space a = hardware.space("a");
    hardware.failAt(Set.of(2, 3));
    assertThrows(IllegalStateException.class, () -> streams.attach(1, a));
    hardware.failAt(Set.of());
    streams.attach(1, a);
    assertEquals("a", hardware.entry(1));
    assertEquals(Optional.of(a), streams.of(1));
    hardware.failAt(Set.of(1, 2));
    assertThrows(IllegalStateException.class, () -> streams.detach(1, BLOCKED));
    hardware.failAt(Set.of());
    hardware.copies.put(1, new HashSet<>(Set.of(BLOCKED)));
    streams.attach(1, a);
    assertEquals(Set.of("a"), hardware.copies.get(1));
    hardware.access();
    streams.detach(1, BLOCKED);
    streams.end("hardware", () -> {});
  }

  @Test
  @DisplayName(
      "an entry that leads to more than what a stream is attached to holds all of it, and attaching the stream there again ends that")
  void composed() {
    Space a = hardware.space("a");
    Space b = hardware.space("b");
    streams.attach(1, a);
    streams.compose(1, Set.of(a, b), () -> "a+b");
    hardware.access();
    assertEquals(Optional.of(a), streams.of(1));
    assertThrows(IllegalStateException.class, b::close);
    streams.compose(1, Set.of(a), () -> "a");
    assertEquals(Set.of("a"), hardware.translations);
    streams.compose(1, Set.of(a), () -> "a, by a way of its own");
    streams.attach(1, a);
    assertEquals("a", hardware.entry(1));
    b.close();
    assertThrows(
        IllegalArgumentException.class, () -> streams.compose(1, Set.of(a, b), () -> "a+b"));
    assertThrows(
        UnsupportedOperationException.class,
        () ->
            streams.compose(
                2,
                Set.of(a),
                () -> {
                  throw new UnsupportedOperationException("no room");
                }));
    streams.detach(1, BLOCKED);
    a.close();
    streams.end("hardware", () -> {});
  }

  @Test
  @DisplayName("whatever fails, and however often, no stream meets tables that were closed")
  void always() {
    Property.check("streams meet no closed tables", 300, StreamAttachmentsTest::history);
  }

  private static Set<Space> composed(Space one, List<Space> open) {
    return new HashSet<>(List.of(one, open.getFirst()));
  }

  private static void history(SeededRandom dice) {
    Hardware hw = new Hardware();
    StreamAttachments<Hardware, String, Space> s = new StreamAttachments<>(hw, hw);
    List<Space> open = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      if (open.size() < 3) {
        open.add(hw.space("space " + i));
      }
      Set<Integer> failing = new HashSet<>();
      for (int step = 0; step < 8; step++) {
        if (dice.below(5) == 0) {
          failing.add(step);
        }
      }
      hw.failAt(dice.below(2) == 0 ? failing : Set.of());
      int stream = dice.below(3);
      Space space = open.get(dice.below(open.size()));
      try {
        switch (dice.below(5)) {
          case 0 -> s.detach(stream, dice.below(2) == 0 ? BLOCKED : PASSING);
          case 1 -> {
            space.close();
            open.remove(space);
          }
          case 2 -> s.compose(stream, composed(space, open), () -> hw.composed(space, open));
          default -> s.attach(stream, space);
        }
      } catch (IllegalStateException failed) {
        assertFalse(space.released);
      }
      hw.failAt(Set.of());
      hw.access();
    }
    for (int stream = 0; stream < 3; stream++) {
      s.detach(stream, BLOCKED);
    }
    open.forEach(Space::close);
    hw.access();
    s.end("hardware", () -> {});
  }
}
