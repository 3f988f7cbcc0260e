package dev.doorbell.firmware;

import static dev.doorbell.firmware.ViotLayout.BDF_END;
import static dev.doorbell.firmware.ViotLayout.BDF_START;
import static dev.doorbell.firmware.ViotLayout.ENDPOINT_BASE;
import static dev.doorbell.firmware.ViotLayout.ENDPOINT_BYTES;
import static dev.doorbell.firmware.ViotLayout.ENDPOINT_ID;
import static dev.doorbell.firmware.ViotLayout.ENDPOINT_OUTPUT;
import static dev.doorbell.firmware.ViotLayout.ENDPOINT_START;
import static dev.doorbell.firmware.ViotLayout.LENGTH;
import static dev.doorbell.firmware.ViotLayout.MMIO_BASE;
import static dev.doorbell.firmware.ViotLayout.NODE;
import static dev.doorbell.firmware.ViotLayout.NODE_COUNT;
import static dev.doorbell.firmware.ViotLayout.NODE_OFFSET;
import static dev.doorbell.firmware.ViotLayout.OVER_MMIO_BYTES;
import static dev.doorbell.firmware.ViotLayout.OVER_PCI_BYTES;
import static dev.doorbell.firmware.ViotLayout.PCI_BDF;
import static dev.doorbell.firmware.ViotLayout.PCI_RANGE_BYTES;
import static dev.doorbell.firmware.ViotLayout.PCI_SEGMENT;
import static dev.doorbell.firmware.ViotLayout.RANGE_OUTPUT;
import static dev.doorbell.firmware.ViotLayout.SEGMENT_END;
import static dev.doorbell.firmware.ViotLayout.SEGMENT_START;
import static dev.doorbell.firmware.ViotLayout.TABLE_BYTES;
import static dev.doorbell.firmware.ViotLayout.TYPE;

import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Virtual I/O Translation table: which functions are behind a virtio-iommu.
///
/// **Source**: ACPI 6.5, 5.2.32.
///
/// @param iommus by offset of their node
record Viot(List<PciRange> ranges, List<MmioEndpoint> endpoints, Map<Integer, VirtioIommu> iommus) {
  /// Functions of some segments and the endpoint ids that the virtio-iommu knows them by.
  record PciRange(
      long firstEndpoint,
      int firstSegment,
      int lastSegment,
      int firstRid,
      int lastRid,
      int output,
      Source source) {
    /// {@return the endpoint id of the first requester id of a segment}
    long endpointOf(int segment) {
      return firstEndpoint + (long) (segment - firstSegment) * 0x10000;
    }

    long lastEndpoint() {
      return endpointOf(lastSegment) + (lastRid - firstRid);
    }
  }

  /// A device that is not a PCI function.
  record MmioEndpoint(long endpoint, long base, int output, Source source) {}

  /// A virtio-iommu.
  sealed interface VirtioIommu {
    Source source();
  }

  record OverPci(int segment, int rid, Source source) implements VirtioIommu {}

  record OverMmio(long base, Source source) implements VirtioIommu {}

  private static final long MAX_ENDPOINT = 0xffff_ffffL;
  private static final int PCI_RANGE = 1;
  private static final int MMIO_ENDPOINT = 2;
  private static final int OVER_PCI = 3;
  private static final int OVER_MMIO = 4;
  private static final Map<Integer, Integer> LENGTHS =
      Map.of(
          PCI_RANGE,
          PCI_RANGE_BYTES,
          MMIO_ENDPOINT,
          ENDPOINT_BYTES,
          OVER_PCI,
          OVER_PCI_BYTES,
          OVER_MMIO,
          OVER_MMIO_BYTES);

  static Viot read(AcpiTable table, Findings findings) {
    Viot viot = new Viot(new ArrayList<>(), new ArrayList<>(), new LinkedHashMap<>());
    Blob b = table.blob();
    int stated = b.getInt(0, NODE_COUNT);
    int at = b.getInt(0, NODE_OFFSET);
    Map<Integer, Integer> unknown = new HashMap<>();
    for (int i = 0; i < stated; i++) {
      if (at < TABLE_BYTES || at + NODE.size() > b.size()) {
        findings.odd(
            "the header states %d nodes; node %d at 0x%x lies outside the table"
                .formatted(stated, i, at),
            b.source(NODE_COUNT.offset()));
        break;
      }
      int type = b.getInt(at, TYPE);
      int length = b.getInt(at, LENGTH);
      if (length < NODE.size() || at + length > b.size()) {
        findings.odd(
            "node of type %d states length %d with %d bytes left"
                .formatted(type, length, b.size() - at),
            b.source(at));
        break;
      }
      Integer wanted = LENGTHS.get(type);
      if (wanted == null) {
        unknown.merge(type, 1, Integer::sum);
      } else if (length < wanted) {
        findings.odd(
            "node of type %d has %d bytes, less than %d".formatted(type, length, wanted),
            b.source(at));
      } else {
        viot.node(b, type, at);
      }
      at += length;
    }
    unknown.forEach((type, count) ->
        findings.odd(
            "%d nodes of unknown type %d".formatted(count, type), b.source(NODE_COUNT.offset())));
    viot.check(findings);
    return new Viot(
        List.copyOf(viot.ranges),
        List.copyOf(viot.endpoints),
        Collections.unmodifiableMap(viot.iommus));
  }

  private void node(Blob b, int type, int at) {
    Source source = b.source(at);
    switch (type) {
      case PCI_RANGE ->
          ranges.add(
              new PciRange(
                  b.get(at, ENDPOINT_START),
                  b.getInt(at, SEGMENT_START),
                  b.getInt(at, SEGMENT_END),
                  b.getInt(at, BDF_START),
                  b.getInt(at, BDF_END),
                  b.getInt(at, RANGE_OUTPUT),
                  source));
      case MMIO_ENDPOINT ->
          endpoints.add(
              new MmioEndpoint(
                  b.get(at, ENDPOINT_ID),
                  b.get(at, ENDPOINT_BASE),
                  b.getInt(at, ENDPOINT_OUTPUT),
                  source));
      case OVER_PCI ->
          iommus.put(at, new OverPci(b.getInt(at, PCI_SEGMENT), b.getInt(at, PCI_BDF), source));
      default -> iommus.put(at, new OverMmio(b.get(at, MMIO_BASE), source));
    }
  }

  private void check(Findings findings) {
    Set<Integer> known = iommus.keySet();
    ranges.removeIf(r -> {
      boolean backwards = r.lastSegment < r.firstSegment || r.lastRid < r.firstRid;
      boolean bad = backwards || r.lastEndpoint() > MAX_ENDPOINT;
      if (backwards) {
        findings.odd("PCI range ends before it begins", r.source);
      } else if (bad) {
        findings.odd(
            "PCI range's endpoint ids 0x%x to 0x%x pass 32 bits"
                .formatted(r.firstEndpoint, r.lastEndpoint()),
            r.source);
      } else if (!known.contains(r.output)) {
        findings.odd(
            "PCI range leads to offset 0x%x, where no virtio-iommu is".formatted(r.output),
            r.source);
      }
      return bad || !known.contains(r.output);
    });
    endpoints.removeIf(e -> {
      boolean bad = !known.contains(e.output);
      if (bad) {
        findings.odd(
            "MMIO endpoint leads to offset 0x%x, where no virtio-iommu is".formatted(e.output),
            e.source);
      }
      return bad;
    });
  }
}
