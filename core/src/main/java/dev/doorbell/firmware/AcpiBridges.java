package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Root complexes of an ACPI machine with their id mappings, windows and reservations.
///
/// The namespace says which host bridges there are, and it is not interpreted. Root buses come from sysfs when it was captured, else
/// from the MCFG's ranges, else from the IORT's root complexes.
///
/// **Source**: DEN 0049 issue E.f; ACPI 6.5, 5.2.32 (VIOT); where tables are silent, Linux.
final class AcpiBridges {
  private static final int MASK = 0xffff;
  private static final long RIDS = 0x1_0000;

  private final Draft draft;
  private final Map<Long, String> itsById;
  private final Map<Integer, String> iommuByNode;
  private final Map<Integer, String> virtioByNode;
  private final List<String> v2mFrames;
  private final Map<Integer, Ids> idsBySegment = new TreeMap<>();

  /// What a segment's requester ids become.
  private record Ids(
      List<HostBridge.StreamMapping> streams,
      List<HostBridge.MsiMapping> msis,
      OptionalInt dmaBits,
      Source source) {}

  AcpiBridges(
      Draft draft,
      Map<Long, String> itsById,
      Map<Integer, String> iommuByNode,
      Map<Integer, String> virtioByNode,
      List<String> v2mFrames) {
    this.draft = draft;
    this.itsById = itsById;
    this.iommuByNode = iommuByNode;
    this.virtioByNode = virtioByNode;
    this.v2mFrames = v2mFrames;
  }

  void compose(Optional<Mcfg> mcfg, Optional<Iort> iort, Optional<Viot> viot) {
    iort.ifPresent(this::rootComplexes);
    iort.ifPresent(this::ungrouped);
    Map<Integer, List<Mcfg.Entry>> ecams = new TreeMap<>();
    mcfg.ifPresent(m ->
        m.entries()
            .forEach(e -> ecams.computeIfAbsent(e.segment(), s -> new ArrayList<>()).add(e)));
    TreeSet<Integer> segments = new TreeSet<>(ecams.keySet());
    segments.addAll(idsBySegment.keySet());
    segments.addAll(draft.pci.roots().keySet());
    draft.pci.functions().forEach(f -> segments.add(f.sbdf().segment()));
    for (int segment : segments) {
      for (Buses buses : buses(segment, ecams.getOrDefault(segment, List.of()))) {
        bridge(buses, iort, viot);
      }
    }
    iort.ifPresent(this::reservations);
  }

  /// Buses of one root.
  private record Buses(
      int segment, int first, int last, Optional<AddressRange> ecam, Source source) {}

  private List<Buses> buses(int segment, List<Mcfg.Entry> ecams) {
    List<Buses> out = new ArrayList<>();
    TreeSet<Integer> roots = draft.pci.roots().getOrDefault(segment, new TreeSet<>());
    for (int root : roots) {
      Integer next = roots.higher(root);
      int limit = next == null ? 255 : next - 1;
      Optional<Mcfg.Entry> entry =
          ecams.stream().filter(e -> e.firstBus() <= root && root <= e.lastBus()).findFirst();
      int window = entry.map(e -> Math.min(e.lastBus(), limit)).orElse(limit);
      int last = Math.max(window, highestBus(segment, root, limit));
      if (last > window) {
        draft.findings.harmless(
            "the window ends with bus 0x%x of segment %d, and there are functions on buses up to 0x%x; they are read as below root bus 0x%x all the same"
                .formatted(window, segment, last, root),
            entry.orElseThrow().source());
      }
      Source source =
          entry
              .map(Mcfg.Entry::source)
              .orElse(
                  Source.file(
                      String.format(Locale.ROOT, "sys/devices/pci%04x:%02x", segment, root)));
      out.add(new Buses(segment, root, last, entry.map(e -> ecam(e, root, window)), source));
    }
    if (!roots.isEmpty()) {
      return out;
    }
    for (Mcfg.Entry e : ecams) {
      out.add(
          new Buses(
              segment,
              e.firstBus(),
              e.lastBus(),
              Optional.of(ecam(e, e.firstBus(), e.lastBus())),
              e.source()));
    }
    if (out.isEmpty()) {
      Ids ids = idsBySegment.get(segment);
      out.add(
          new Buses(
              segment, 0, 255, Optional.empty(), ids == null ? functionOf(segment) : ids.source));
    }
    return out;
  }

  /// A window tells where configuration space is reached, not where a root's buses end.
  private int highestBus(int segment, int first, int last) {
    return draft.pci.functions().stream()
        .map(FunctionDescription::sbdf)
        .filter(f -> f.segment() == segment && f.bus() >= first && f.bus() <= last)
        .mapToInt(Sbdf::bus)
        .max()
        .orElse(first);
  }

  private static AddressRange ecam(Mcfg.Entry e, int first, int last) {
    return AddressRange.ofSize(e.ecamOf(first), (last - first + 1) * Mcfg.BUS_BYTES);
  }

  private Source functionOf(int segment) {
    return draft.pci.functions().stream()
        .filter(f -> f.sbdf().segment() == segment)
        .findFirst()
        .orElseThrow()
        .source();
  }

  /// Its source is what decides its ids and widths: its node, or the table that has none for it; where there is no such table, what tells
  /// of its buses.
  private void bridge(Buses b, Optional<Iort> iort, Optional<Viot> viot) {
    Ids ids = idsBySegment.get(b.segment);
    Source source =
        ids != null
            ? ids.source
            : iort.map(i -> Source.file(i.table().blob().file())).orElse(b.source);
    List<HostBridge.StreamMapping> streams = new ArrayList<>();
    List<HostBridge.MsiMapping> msis = new ArrayList<>();
    if (ids != null) {
      ids.streams.stream()
          .filter(m -> meets(b, m.ridMask(), m.firstRid(), m.count()))
          .forEach(streams::add);
      ids.msis.stream()
          .filter(m -> meets(b, m.ridMask(), m.firstRid(), m.count()))
          .forEach(msis::add);
    }
    viot.ifPresent(v -> streams.addAll(virtioStreams(v, b)));
    if (msis.isEmpty() && !v2mFrames.isEmpty()) {
      msis.add(
          new HostBridge.MsiMapping(
              MASK,
              0,
              RIDS,
              v2mFrames,
              0,
              draft.msiControllers.stream()
                  .filter(c -> c.id().equals(v2mFrames.getFirst()))
                  .findFirst()
                  .orElseThrow()
                  .source()));
    }
    List<HostBridge.Window> windows =
        draft.ioMemory.windows(b.segment, b.first).stream()
            .map(l -> new HostBridge.Window(l.range(), l.range().start(), false, false, l.source()))
            .toList();
    String id = String.format(Locale.ROOT, "pci%04x:%02x", b.segment, b.first);
    if (windows.isEmpty() && draft.ioMemory.seen()) {
      draft.findings.unseen(
          "PCI windows of " + id,
          IoMemory.PATH + " has no line for its root bus",
          "where BARs lie is known only from captured functions");
    }
    draft.hostBridges.add(
        new HostBridge(
            draft.unique(id),
            b.segment,
            b.first,
            b.last,
            b.ecam,
            streams,
            msis,
            windows,
            List.of(),
            ids == null ? OptionalInt.empty() : ids.dmaBits,
            source));
  }

  private static boolean meets(Buses b, int mask, int first, long count) {
    return mask == 0 || first < (b.last + 1) * 256L && first + count > b.first * 256L;
  }

  private void rootComplexes(Iort iort) {
    IdRuns runs = new IdRuns(iort, draft.findings);
    for (IortNode node : iort.ofType(IortNode.ROOT_COMPLEX)) {
      if (!(node.body() instanceof IortNode.RootComplex rc)) {
        continue;
      }
      if (idsBySegment.containsKey(rc.segment())) {
        draft.findings.harmless(
            "segment %d has a second root complex; the first counts, as it does for Linux"
                .formatted(rc.segment()),
            node.source());
        continue;
      }
      List<HostBridge.StreamMapping> streams = new ArrayList<>();
      List<HostBridge.MsiMapping> msis = new ArrayList<>();
      for (IdRuns.Run run : runs.from(node, RIDS - 1)) {
        int mask = run.single() ? 0 : MASK;
        int first = run.single() ? 0 : (int) run.first();
        long count = run.single() ? 1 : run.count();
        String iommu = iommuByNode.get(run.at().offset());
        if (iommu != null) {
          streams.add(
              new HostBridge.StreamMapping(mask, first, count, iommu, (int) run.out(), run.via()));
        } else if (run.at().body() instanceof IortNode.ItsGroup group) {
          List<String> its = itses(group, run.at().source());
          if (!its.isEmpty()) {
            msis.add(
                new HostBridge.MsiMapping(mask, first, count, its, (int) run.out(), run.via()));
          } else if (!group.ids().isEmpty() && v2mFrames.isEmpty()) {
            msis.add(
                new HostBridge.MsiMapping(
                    mask,
                    first,
                    count,
                    group.ids().stream().map(id -> "ITS " + id).toList(),
                    (int) run.out(),
                    run.at().source()));
          }
        }
      }
      idsBySegment.put(
          rc.segment(), new Ids(streams, msis, AcpiMachine.limit(rc.addressBits()), node.source()));
    }
  }

  private List<String> itses(IortNode.ItsGroup group, Source source) {
    List<String> out = new ArrayList<>();
    for (long id : group.ids()) {
      String its = itsById.get(id);
      if (its == null) {
        draft.findings.harmless(
            "the ITS group names ITS %d, which the MADT does not describe".formatted(id), source);
      } else {
        out.add(its);
      }
    }
    return out;
  }

  /// ITSes that exist and that no id can lead to. They stay in the description: they are there, and their doorbells can be rung.
  private void ungrouped(Iort iort) {
    Set<Long> named =
        iort.ofType(IortNode.ITS_GROUP).stream()
            .map(IortNode::body)
            .filter(IortNode.ItsGroup.class::isInstance)
            .flatMap(body -> ((IortNode.ItsGroup) body).ids().stream())
            .collect(Collectors.toSet());
    for (MsiControllerDescription c : draft.msiControllers) {
      if (c instanceof MsiControllerDescription.Its its
          && !named.contains(Integer.toUnsignedLong(its.itsId()))) {
        draft.findings.harmless(
            "no ITS group of the IORT names %s (MADT id %d): no device is mapped to it"
                .formatted(its.id(), its.itsId()),
            its.source());
      }
    }
  }

  private List<HostBridge.StreamMapping> virtioStreams(Viot viot, Buses b) {
    List<HostBridge.StreamMapping> out = new ArrayList<>();
    for (Viot.PciRange r : viot.ranges()) {
      String iommu = virtioByNode.get(r.output());
      if (iommu == null || b.segment < r.firstSegment() || b.segment > r.lastSegment()) {
        continue;
      }
      long endpoint = r.endpointOf(b.segment);
      // A virtio-iommu does not translate its own accesses (virtio 1.2, 5.13.3).
      int self =
          viot.iommus().get(r.output()) instanceof Viot.OverPci p && p.segment() == b.segment
              ? p.rid()
              : -1;
      boolean split = self >= r.firstRid() && self <= r.lastRid();
      virtio(r, r.firstRid(), split ? self - 1 : r.lastRid(), iommu, endpoint).ifPresent(out::add);
      if (split) {
        virtio(r, self + 1, r.lastRid(), iommu, endpoint).ifPresent(out::add);
      }
    }
    return out;
  }

  private static Optional<HostBridge.StreamMapping> virtio(
      Viot.PciRange r, int first, int last, String iommu, long endpoint) {
    return first > last
        ? Optional.empty()
        : Optional.of(
            new HostBridge.StreamMapping(
                MASK,
                first,
                last - first + 1L,
                iommu,
                (int) (endpoint + first - r.firstRid()),
                r.source()));
  }

  /// RMR nodes: ranges that are reserved for StreamIDs of SMMUs.
  private void reservations(Iort iort) {
    for (IortNode node : iort.ofType(IortNode.RMR)) {
      if (!(node.body() instanceof IortNode.ReservedMemory rmr)) {
        continue;
      }
      ReservedRegion.Kind kind =
          rmr.remapPermitted() ? ReservedRegion.Kind.DIRECT_RELAXABLE : ReservedRegion.Kind.DIRECT;
      Map<String, List<MachineDescription.StreamRange>> streams = streams(node, iort);
      if (streams.isEmpty()) {
        draft.findings.harmless("RMR is mapped to no SMMU", node.source());
      }
      for (IortNode.ReservedMemory.Range range : rmr.ranges()) {
        if (!Granule.K64.isAligned(range.range().start())
            || !Granule.K64.isAligned(range.range().bytes())) {
          draft.findings.harmless(
              "RMR %s is not whole pages of 64 KiB".formatted(range.range()), range.source());
        }
        streams.forEach((iommu, ids) ->
            draft.reserved.add(
                new MachineDescription.Reservation(
                    new ReservedRegion(range.range(), kind, range.source()),
                    List.of(),
                    Optional.of(iommu),
                    ids)));
      }
    }
  }

  /// An RMR node sends nothing and has no ids: of its mappings the outputs alone count, whatever inputs they state and whether they are
  /// single, as in Linux (`iort_node_get_rmr_info`).
  private Map<String, List<MachineDescription.StreamRange>> streams(IortNode rmr, Iort iort) {
    Map<String, List<MachineDescription.StreamRange>> out = new LinkedHashMap<>();
    for (IortNode.IdMapping m : rmr.mappings()) {
      int target = (int) Math.min(m.target(), Integer.MAX_VALUE);
      long last = m.firstOut() + m.count();
      String iommu = iommuByNode.get(target);
      if (!iort.nodes().containsKey(target)) {
        draft.findings.odd(
            "id mapping leads to offset 0x%x, where no node is".formatted(m.target()), m.source());
      } else if (last > 0xffff_ffffL) {
        draft.findings.odd("id mapping leads past 32 bits", m.source());
      } else if (iommu != null) {
        out.computeIfAbsent(iommu, i -> new ArrayList<>())
            .add(new MachineDescription.StreamRange((int) m.firstOut(), (int) last));
      }
    }
    return out;
  }
}
