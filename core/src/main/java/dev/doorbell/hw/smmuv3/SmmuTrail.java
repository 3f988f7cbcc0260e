package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.Decoded;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaStep;
import dev.doorbell.vmsa.VmsaWalk;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/// What a walk has seen so far.
final class SmmuTrail {
  private final String id;
  private final MemoryView memory;
  private final List<Hop> hops = new ArrayList<>();
  private final List<VmsaStep> steps = new ArrayList<>();
  private String stopped = "";

  SmmuTrail(String id, MemoryView memory) {
    this.id = id;
    this.memory = memory;
  }

  String id() {
    return id;
  }

  MemoryView memory() {
    return memory;
  }

  void add(Hop hop) {
    hops.add(hop);
  }

  /// {@return the word at an address; empty, with the break told, when it cannot be seen}
  Optional<Long> read(long at, String what) {
    OptionalLong word = memory.read64(at);
    if (word.isEmpty()) {
      stop(
          "0x" + Long.toHexString(at),
          "cannot see %s at 0x%x".formatted(what, at),
          memory.source(at));
      return Optional.empty();
    }
    return Optional.of(word.getAsLong());
  }

  /// Adds the descriptors that a table walk read.
  void add(Stage stage, long input, VmsaWalk walk) {
    String name = stage == Stage.STAGE1 ? "stage 1 level " : "stage 2 level ";
    for (VmsaStep step : walk.steps()) {
      steps.add(step);
      hops.add(
          new Hop(
              name + step.level(),
              "0x" + Long.toHexString(input),
              "0x" + Long.toHexString(step.descriptor()),
              step.why(),
              memory.source(step.entry().value()),
              Basis.OBSERVED));
    }
  }

  /// Ends the walk with a reason.
  SmmuWalk stop(String in, String why, Source source) {
    stopped = why;
    hops.add(new Hop(id, in, "stopped", why, source, Basis.OBSERVED));
    return stopped();
  }

  SmmuWalk stopped() {
    return new SmmuWalk(hops, Optional.empty(), Optional.of(stopped), steps);
  }

  SmmuWalk reached(Pa output) {
    return new SmmuWalk(hops, Optional.of(output), Optional.empty(), steps);
  }

  /// {@return the fields of a word that say something}
  static String print(Layout layout, long word) {
    return layout.decode(word).stream()
        .filter(d -> d.raw() != 0)
        .map(Decoded::toString)
        .collect(Collectors.joining(" "));
  }
}
