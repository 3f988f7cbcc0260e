package dev.doorbell.firmware;

import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Printable;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What was odd and what could not be seen while a machine was read. Not thread-safe.
///
/// **Shape**: at most {@link #MAX} oddities are kept, so that hostile input cannot fill the memory; the rest is counted.
final class Findings {
  static final int MAX = 2000;

  // By their parts: a record's own hash code is put together when it is asked for first, which
  // costs every start of the command line.
  private final Map<List<?>, Oddity> oddities = new LinkedHashMap<>();
  private final Map<List<?>, Unseen> unseen = new LinkedHashMap<>();
  private long dropped;

  void odd(String message, Source source) {
    add(new Oddity(Printable.of(message), source));
  }

  /// An oddity that keeps nothing from being read.
  void harmless(String message, Source source) {
    add(new Oddity(Printable.of(message), source, Oddity.Effect.NONE));
  }

  void odd(MalformedException e) {
    add(e.oddity());
  }

  private void add(Oddity oddity) {
    Source source = oddity.source();
    List<?> key = List.of(oddity.message(), source.where(), source.offset(), oddity.effect());
    if (oddities.size() < MAX || oddities.containsKey(key)) {
      oddities.putIfAbsent(key, oddity);
    } else {
      dropped++;
    }
  }

  void unseen(String what, String why, String consequence) {
    unseen(what, why, consequence, Set.of());
  }

  void unseen(String what, String why, String consequence, Set<Unseen.Hidden> hides) {
    if (unseen.size() < MAX) {
      Unseen one =
          new Unseen(Printable.of(what), Printable.of(why), Printable.of(consequence), hides);
      unseen.putIfAbsent(List.of(one.what(), one.why(), one.consequence(), one.hides()), one);
    }
  }

  void disabledIommu(FdtNode node) {
    unseen(
        "the IOMMU " + node.path(),
        "its node, or one above it, is not enabled (status); a boot loader may have enabled it",
        "functions mapped to it are taken to have no IOMMU");
  }

  List<Oddity> oddities() {
    List<Oddity> out = new ArrayList<>(oddities.values());
    if (dropped > 0) {
      out.add(
          new Oddity(dropped + " more oddities are not listed", Source.rule("Doorbell's limit")));
    }
    return out;
  }

  List<Unseen> unseen() {
    return List.copyOf(unseen.values());
  }
}
