package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Follows ids through an IORT: a root complex's requester ids to StreamIDs at SMMUs, and on to DeviceIDs at ITS groups.
///
/// **Source**: DEN 0049 issue E.f, 3.1.2; where the document is silent, as Linux does (`iort_id_map`): the first mapping of
/// an id counts, except that the last id of a mapping yields to one that begins there, since many tables state
/// the number of ids where one less belongs.
final class IdRuns {
  private static final int MAX_DEPTH = 8;
  private static final int MAX_RUNS = 16_384;

  /// A run of ids that arrive at a node.
  ///
  /// @param first first input id of the node that was asked for
  /// @param count how many; when `single`, of any input id there is one output
  /// @param single whether every input id becomes `out`
  /// @param at the node that they arrive at
  /// @param via the mapping that leads out of the asked node
  record Run(long first, long count, long out, boolean single, IortNode at, Source via) {}

  private final Iort iort;
  private final Findings findings;
  private final Set<Integer> complained = new HashSet<>();

  IdRuns(Iort iort, Findings findings) {
    this.iort = iort;
    this.findings = findings;
  }

  /// {@return every node that a node's ids pass or reach, in path order}
  ///
  /// @param lastId highest id that the node can send
  List<Run> from(IortNode node, long lastId) {
    List<Run> out = new ArrayList<>();
    follow(node, new Input(0, lastId, 0, false, null), 0, out);
    return out;
  }

  /// Ids that arrive at a node: `firstIn` to `lastIn` there, `origin` at the node that was asked for.
  private record Input(
      long firstIn,
      long lastIn,
      long origin,
      boolean single,
      @org.jspecify.annotations.Nullable Source via) {}

  private void follow(IortNode node, Input in, int depth, List<Run> out) {
    if (depth >= MAX_DEPTH) {
      findings.odd(
          "id mappings lead through more than %d nodes, or in a circle".formatted(MAX_DEPTH),
          node.source());
      return;
    }
    for (Span span : spans(node)) {
      long first = Math.max(span.first, in.firstIn);
      long last = Math.min(span.last, in.lastIn);
      if (first > last) {
        continue;
      }
      if (out.size() >= MAX_RUNS) {
        findings.odd(
            "more than %d runs of ids; the rest is not read".formatted(MAX_RUNS), node.source());
        return;
      }
      IortNode target = iort.nodes().get((int) Math.min(span.mapping.target(), Integer.MAX_VALUE));
      if (target == null) {
        odd(
            span.mapping,
            "id mapping leads to offset 0x%x, where no node is".formatted(span.mapping.target()));
        continue;
      }
      Source via = in.via == null ? span.mapping.source() : in.via;
      boolean single = in.single || span.mapping.single();
      long firstOut =
          span.mapping.single()
              ? span.mapping.firstOut()
              : span.mapping.firstOut() + (first - span.mapping.firstIn());
      long count = last - first + 1;
      if (firstOut > 0xffff_ffffL || !single && firstOut + count - 1 > 0xffff_ffffL) {
        odd(span.mapping, "id mapping leads past 32 bits");
        continue;
      }
      long origin = in.origin + (first - in.firstIn);
      out.add(new Run(origin, count, firstOut, single, target, via));
      if (target.type() != IortNode.ITS_GROUP) {
        follow(
            target,
            new Input(firstOut, single ? firstOut : firstOut + count - 1, origin, single, via),
            depth + 1,
            out);
      }
    }
  }

  /// Input ids of a node that one mapping has to itself.
  private record Span(long first, long last, IortNode.IdMapping mapping) {}

  private List<Span> spans(IortNode node) {
    List<Span> out = new ArrayList<>();
    int own =
        node.body() instanceof IortNode.Smmu3 s
            ? s.ownMapping().orElse(-1)
            : node.type() == IortNode.PMCG ? 0 : -1;
    for (int i = 0; i < node.mappings().size(); i++) {
      IortNode.IdMapping m = node.mappings().get(i);
      if (i == own) {
        continue;
      }
      if (m.single()) {
        if (node.type() == IortNode.ROOT_COMPLEX || node.type() == IortNode.NAMED_COMPONENT) {
          claim(out, 0, 0xffff_ffffL, m, false);
        } else {
          odd(
              m,
              "single-mapping flag on a node of type %d, which maps ids; the mapping is passed over"
                  .formatted(node.type()));
        }
        continue;
      }
      if (m.firstIn() + m.count() > 0xffff_ffffL) {
        odd(m, "input ids from 0x%x on pass 32 bits".formatted(m.firstIn()));
      }
      boolean number = iort.countIsNumber() && m.count() > 0;
      claim(
          out,
          m.firstIn(),
          m.firstIn() + m.count() - (number ? 1 : 0),
          m,
          !number && m.count() > 0);
    }
    return out;
  }

  /// Adds ids to the spans, leaving out what an earlier mapping has.
  private void claim(
      List<Span> spans, long first, long last, IortNode.IdMapping m, boolean mayShrink) {
    List<Span> before = List.copyOf(spans);
    long from = first;
    for (int i = 0; i < before.size(); i++) {
      Span s = before.get(i);
      if (s.last == first && s.first < first && !s.mapping.single() && s.mapping.count() > 0) {
        twice(
            m,
            "id 0x%x is mapped twice: the earlier mapping, at +0x%x, is read as one id shorter"
                .formatted(first, s.mapping.source().offset()));
        spans.set(i, new Span(s.first, s.last - 1, s.mapping));
      } else if (mayShrink && last == s.first && first < last && !s.mapping.single()) {
        twice(m, "id 0x%x is mapped twice: this mapping is read as one id shorter".formatted(last));
        last--;
      }
    }
    for (Span s : spans.stream().sorted(java.util.Comparator.comparingLong(Span::first)).toList()) {
      if (s.last < from || s.first > last) {
        continue;
      }
      twice(
          m,
          "ids 0x%x to 0x%x are mapped twice; the earlier mapping, at +0x%x, counts"
              .formatted(
                  Math.max(from, s.first), Math.min(last, s.last), s.mapping.source().offset()));
      if (s.first > from) {
        spans.add(new Span(from, s.first - 1, m));
      }
      from = s.last + 1;
    }
    if (from <= last) {
      spans.add(new Span(from, last, m));
    }
  }

  /// Every id has one mapping all the same.
  private void twice(IortNode.IdMapping m, String what) {
    if (complained.add((int) m.source().offset())) {
      findings.harmless(what, m.source());
    }
  }

  private void odd(IortNode.IdMapping m, String what) {
    if (complained.add((int) m.source().offset())) {
      findings.odd(what, m.source());
    }
  }
}
