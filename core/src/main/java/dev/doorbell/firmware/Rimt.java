package dev.doorbell.firmware;

import static dev.doorbell.firmware.RimtLayout.*;

import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// RISC-V I/O Mapping Table: the IOMMUs, and which requester ids are behind which of them under which device_id.
///
/// **Source**: RISC-V IO Mapping Table (RIMT) Specification 1.0, 2.
///
/// @param units IOMMUs by offset of their node
record Rimt(Map<Integer, Unit> units, List<Complex> complexes, AcpiTable table) {
  /// An IOMMU.
  ///
  /// @param base its registers; 0 for a PCI function
  /// @param function the PCI function that it is
  record Unit(long base, Optional<Sbdf> function, Source source) {}

  /// A PCIe root complex.
  record Complex(int segment, List<Run> runs, Source source) {}

  /// Requester ids first to last, and the device_id of the first one.
  ///
  /// @param unit offset of the IOMMU's node
  record Run(int first, int last, long deviceId, int unit, Source source) {}

  private static final long RIDS = 0x1_0000;
  private static final long MOST_DEVICE_IDS = 0x100_0000L;

  static Rimt read(AcpiTable table, Findings findings) {
    Rimt rimt = new Rimt(new LinkedHashMap<>(), new ArrayList<>(), table);
    Blob b = table.blob();
    long stated = b.get(0, NODE_COUNT);
    long at = b.get(0, NODE_OFFSET);
    for (long i = 0; i < stated; i++) {
      if (at < TABLE_BYTES || at + NODE.size() > b.size()) {
        findings.odd(
            "the header states %d nodes; node %d at 0x%x lies outside the table"
                .formatted(stated, i, at),
            b.source(NODE_COUNT.offset()));
        break;
      }
      int length = b.getInt(at, LENGTH);
      if (length < NODE.size() || at + length > b.size()) {
        findings.odd(
            "node of type %d states length %d with %d bytes left"
                .formatted(b.getInt(at, TYPE), length, b.size() - at),
            b.source(at));
        break;
      }
      try {
        rimt.node((int) at, length, findings);
      } catch (MalformedException e) {
        findings.odd(e);
      }
      at += length;
    }
    rimt.check(findings);
    return rimt;
  }

  private void node(int at, int length, Findings findings) {
    Blob b = table.blob();
    switch (b.getInt(at, TYPE)) {
      case IOMMU -> {
        atLeast(IOMMU_NODE, at, length);
        boolean pci = IOMMU_IS_PCI.isSet(b.get(at, IOMMU_FLAGS));
        units.put(
            at,
            new Unit(
                b.get(at, BASE),
                pci
                    ? Optional.of(Sbdf.of(b.getInt(at, IOMMU_SEGMENT), b.getInt(at, IOMMU_BDF)))
                    : Optional.empty(),
                b.source(at)));
      }
      case ROOT_COMPLEX -> {
        atLeast(COMPLEX, at, length);
        complexes.add(new Complex(b.getInt(at, SEGMENT), runs(at, length, findings), b.source(at)));
      }
      case PLATFORM_DEVICE -> {
        // No PCI function: none of ours.
      }
      default ->
          findings.harmless(
              "node of the unknown type %d is passed over".formatted(b.getInt(at, TYPE)),
              b.source(at));
    }
  }

  private void atLeast(Structure wanted, int at, int length) {
    if (length < wanted.size()) {
      throw new MalformedException(
          "%s of %d bytes, less than %d; it is passed over"
              .formatted(wanted.name(), length, wanted.size()),
          table.blob().source(at));
    }
  }

  private List<Run> runs(int node, int length, Findings findings) {
    Blob b = table.blob();
    List<Run> out = new ArrayList<>();
    int offset = b.getInt(node, MAPPING_OFFSET);
    int count = b.getInt(node, MAPPINGS);
    for (int i = 0; i < count; i++) {
      int within = offset + i * MAPPING_BYTES;
      if (within < COMPLEX.size() || within + MAPPING_BYTES > length) {
        findings.odd(
            "the node states %d id mappings; mapping %d lies outside it".formatted(count, i),
            b.source(node));
        break;
      }
      int at = node + within;
      long first = b.get(at, SOURCE_BASE);
      long ids = b.get(at, IDS);
      long device = b.get(at, DEVICE_BASE);
      if (ids == 0 || first >= RIDS) {
        findings.odd(
            "id mapping of %d ids from 0x%x has no requester id".formatted(ids, first),
            b.source(at));
        continue;
      }
      long last = Math.min(first + ids, RIDS) - 1;
      if (device + (last - first) >= MOST_DEVICE_IDS) {
        findings.odd(
            "id mapping leads to device_id 0x%x; they have 24 bits"
                .formatted(device + (last - first)),
            b.source(at));
        continue;
      }
      out.add(
          new Run(
              (int) first,
              (int) last,
              device,
              (int) Math.min(Integer.MAX_VALUE, b.get(at, IOMMU_OFFSET)),
              b.source(at)));
    }
    return out;
  }

  private void check(Findings findings) {
    for (int c = 0; c < complexes.size(); c++) {
      Complex complex = complexes.get(c);
      List<Run> known = new ArrayList<>();
      for (Run r : complex.runs) {
        if (units.containsKey(r.unit)) {
          known.add(r);
        } else {
          findings.odd(
              "id mapping leads to offset 0x%x, where no IOMMU is".formatted(r.unit), r.source);
        }
      }
      complexes.set(c, new Complex(complex.segment, known, complex.source));
    }
  }
}
