package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Printable;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.stream.Stream;

/// I/O Remapping Table: which ids devices have at SMMUs and ITSes.
///
/// **Source**: DEN 0049 issue E.f.
///
/// @param nodes by offset
/// @param countIsNumber whether "number of IDs" words hold the number itself, as on boards known for it
record Iort(AcpiTable table, SequencedMap<Integer, IortNode> nodes, boolean countIsNumber) {
  /// Boards whose firmware wrote the number of ids where one less belongs (Linux `drivers/acpi/arm64/iort.c`,
  /// `wa_info`): OEM id HISI, table ids HIP07 and HIP08, OEM revision 0.
  private static boolean countsWrongly(AcpiTable table) {
    return table.oemId().equals("HISI  ")
        && (table.oemTableId().equals("HIP07   ") || table.oemTableId().equals("HIP08   "))
        && table.blob().u32(24) == 0;
  }

  /// {@return nodes of one type, in the table's order}
  List<IortNode> ofType(int type) {
    return nodes.values().stream().filter(n -> n.type() == type).toList();
  }

  static Iort read(AcpiTable table, Findings findings) {
    Blob b = table.blob();
    SequencedMap<Integer, IortNode> nodes = new LinkedHashMap<>();
    boolean countIsNumber = countsWrongly(table);
    if (countIsNumber) {
      findings.harmless(
          "id mappings of %s/%s state the number of ids where one less belongs; it is read so"
              .formatted(table.oemId().strip(), table.oemTableId().strip()),
          b.source(16));
    }
    long stated = b.get(0, IortLayout.NODE_COUNT);
    long at = b.get(0, IortLayout.NODE_OFFSET);
    long read = 0;
    for (; read < stated; read++) {
      if (at < IortLayout.TABLE_BYTES || at > b.size() - IortLayout.NODE.size()) {
        findings.odd(
            "the header states %d nodes; node %d at 0x%x lies outside the table"
                .formatted(stated, read, at),
            b.source(IortLayout.NODE_COUNT.offset()));
        break;
      }
      int length = b.getInt(at, IortLayout.LENGTH);
      if (length < IortLayout.NODE.size() || at + length > b.size()) {
        findings.odd(
            "node of type %d states length %d with %d bytes left; what follows cannot be found"
                .formatted(b.getInt(at, IortLayout.TYPE), length, b.size() - at),
            b.source(at));
        break;
      }
      try {
        nodes.put((int) at, node(b, (int) at, length, findings));
      } catch (MalformedException e) {
        findings.odd(e);
      }
      at += length;
    }
    return new Iort(table, Collections.unmodifiableSequencedMap(nodes), countIsNumber);
  }

  private static IortNode node(Blob b, int at, int length, Findings findings) {
    int type = b.getInt(at, IortLayout.TYPE);
    int revision = revision(b, at);
    List<IortNode.IdMapping> mappings = mappings(b, at, length, findings);
    Source source = b.source(at);
    IortNode.Body body =
        switch (type) {
          case IortNode.ITS_GROUP -> itsGroup(b, at, length);
          case IortNode.NAMED_COMPONENT -> namedComponent(b, at, length);
          case IortNode.ROOT_COMPLEX -> rootComplex(b, at, length);
          case IortNode.SMMU -> smmu(b, at, length);
          case IortNode.SMMU3 -> smmu3(b, at, length, mappings.size(), findings);
          case IortNode.PMCG -> {
            need(IortLayout.PMCG, length, b, at);
            yield new IortNode.Pmcg(b.get(at, IortLayout.PMCG_BASE), b.get(at, IortLayout.PMCG_OF));
          }
          case IortNode.RMR -> reservedMemory(b, at, length, findings);
          default -> {
            findings.odd("node of unknown type %d is passed over".formatted(type), source);
            yield new IortNode.Unknown();
          }
        };
    return new IortNode(at, type, revision, body, mappings, source);
  }

  private static List<IortNode.IdMapping> mappings(Blob b, int at, int length, Findings findings) {
    long count = b.get(at, IortLayout.MAPPING_COUNT);
    long offset = b.get(at, IortLayout.MAPPING_OFFSET);
    List<IortNode.IdMapping> out = new ArrayList<>();
    if (count == 0) {
      return out;
    }
    if (offset < IortLayout.NODE.size()) {
      findings.odd(
          "node has %d id mappings at offset %d, inside its header".formatted(count, offset),
          b.source(at));
      return out;
    }
    for (long i = 0; i < count; i++) {
      long m = at + offset + i * IortLayout.MAPPING.size();
      if (m + IortLayout.MAPPING.size() > b.size()) {
        findings.odd(
            "node states %d id mappings; mapping %d lies outside the table".formatted(count, i),
            b.source(at + IortLayout.MAPPING_COUNT.offset()));
        break;
      }
      if (m + IortLayout.MAPPING.size() > at + length) {
        findings.odd(
            "node states %d id mappings; mapping %d lies outside the node".formatted(count, i),
            b.source(at + IortLayout.MAPPING_COUNT.offset()));
        break;
      }
      out.add(
          new IortNode.IdMapping(
              b.get(m, IortLayout.INPUT_BASE),
              b.get(m, IortLayout.ID_COUNT),
              b.get(m, IortLayout.OUTPUT_BASE),
              b.get(m, IortLayout.OUTPUT_REFERENCE),
              AcpiLayout.MAPPING_SINGLE.isSet(b.get(m, IortLayout.MAPPING_FLAGS)),
              b.source(m)));
    }
    return out;
  }

  private static IortNode.Body itsGroup(Blob b, int at, int length) {
    need(IortLayout.ITS_GROUP, length, b, at);
    long count = b.get(at, IortLayout.ITS_COUNT);
    int first = IortLayout.ITS_GROUP.size();
    if (count > (length - first) / IortLayout.ITS_ID_BYTES) {
      throw new MalformedException(
          "ITS group states %d ids over %d bytes".formatted(count, length - first),
          b.source(at + IortLayout.ITS_COUNT.offset()));
    }
    List<Long> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(b.u32(at + first + (long) IortLayout.ITS_ID_BYTES * i));
    }
    return new IortNode.ItsGroup(List.copyOf(ids));
  }

  private static IortNode.Body namedComponent(Blob b, int at, int length) {
    int name = IortLayout.COMPONENT.size();
    need(name + 1, "named component", length, b, at);
    return new IortNode.NamedComponent(
        Printable.of(b.zeroTerminated(at + name, length - name)),
        AcpiLayout.CCA.isSet(b.get(at, IortLayout.COMPONENT_CCA)),
        b.getInt(at, IortLayout.COMPONENT_LIMIT));
  }

  /// Revision 0 ends after the segment; the address limit came with revision 1.
  private static IortNode.Body rootComplex(Blob b, int at, int length) {
    need(IortLayout.ROOT_BYTES, "root complex", length, b, at);
    long ats = b.get(at, IortLayout.ROOT_ATS);
    long segment = b.get(at, IortLayout.ROOT_SEGMENT);
    if (segment > 0xffff) {
      throw new MalformedException(
          "root complex of segment 0x%x".formatted(segment),
          b.source(at + IortLayout.ROOT_SEGMENT.offset()));
    }
    boolean limited = revision(b, at) >= 1 && length >= IortLayout.ROOT_COMPLEX.size();
    return new IortNode.RootComplex(
        (int) segment,
        AcpiLayout.CCA.isSet(b.get(at, IortLayout.ROOT_CCA)),
        AcpiLayout.ATS_SUPPORTED.isSet(ats),
        AcpiLayout.PRI_SUPPORTED.isSet(ats),
        limited ? b.getInt(at, IortLayout.ROOT_LIMIT) : 0);
  }

  private static IortNode.Body smmu(Blob b, int at, int length) {
    need(IortLayout.SMMU, length, b, at);
    return new IortNode.Smmu(
        b.get(at, IortLayout.SMMU_BASE),
        b.get(at, IortLayout.SMMU_SPAN),
        b.get(at, IortLayout.SMMU_MODEL),
        AcpiLayout.SMMU_COHERENT.isSet(b.get(at, IortLayout.SMMU_FLAGS)));
  }

  private static IortNode.Body smmu3(Blob b, int at, int length, int mappings, Findings findings) {
    need(IortLayout.SMMU3_BYTES, "SMMUv3", length, b, at);
    long flags = b.get(at, IortLayout.SMMU3_FLAGS);
    return new IortNode.Smmu3(
        b.get(at, IortLayout.SMMU3_BASE),
        b.get(at, IortLayout.SMMU3_MODEL),
        AcpiLayout.SMMU3_COHACC_OVERRIDE.isSet(flags),
        ownMapping(b, at, length, mappings, findings));
  }

  /// From node revision 1 one mapping may be for the SMMU's own MSIs. It is in force when not all four interrupts are wired;
  /// from revision 5 a flag says so (Linux `iort_get_id_mapping_index`).
  private static OptionalInt ownMapping(
      Blob b, int at, int length, int mappings, Findings findings) {
    int revision = revision(b, at);
    if (revision < 1 || length < IortLayout.SMMU3.size() || mappings == 0) {
      return OptionalInt.empty();
    }
    boolean wired =
        Stream.of(
                IortLayout.SMMU3_EVENT,
                IortLayout.SMMU3_PRI,
                IortLayout.SMMU3_GERR,
                IortLayout.SMMU3_SYNC)
            .allMatch(interrupt -> b.get(at, interrupt) != 0);
    boolean inForce =
        revision < 5
            ? !wired
            : AcpiLayout.SMMU3_DEVICEID_VALID.isSet(b.get(at, IortLayout.SMMU3_FLAGS));
    if (!inForce) {
      return OptionalInt.empty();
    }
    long index = b.get(at, IortLayout.SMMU3_OWN_MAPPING);
    if (index >= mappings) {
      findings.odd(
          "SMMUv3's own mapping %d is none of its %d".formatted(index, mappings),
          b.source(at + IortLayout.SMMU3_OWN_MAPPING.offset()));
      return OptionalInt.empty();
    }
    return OptionalInt.of((int) index);
  }

  private static IortNode.Body reservedMemory(Blob b, int at, int length, Findings findings) {
    need(IortLayout.RMR, length, b, at);
    long count = b.get(at, IortLayout.RMR_COUNT);
    long offset = b.get(at, IortLayout.RMR_OFFSET);
    List<IortNode.ReservedMemory.Range> ranges = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      long r = at + offset + i * IortLayout.RANGE.size();
      if (offset < IortLayout.RMR.size() || r + IortLayout.RANGE.size() > at + length) {
        findings.odd(
            "RMR states %d ranges; range %d lies outside the node".formatted(count, i),
            b.source(at + IortLayout.RMR_COUNT.offset()));
        break;
      }
      long start = b.get(r, IortLayout.RANGE_START);
      long bytes = b.get(r, IortLayout.RANGE_BYTES);
      if (bytes == 0 || Long.compareUnsigned(bytes - 1, -1L - start) > 0) {
        findings.odd(
            "RMR range of 0x%x bytes at 0x%x is none".formatted(bytes, start), b.source(r));
        continue;
      }
      ranges.add(new IortNode.ReservedMemory.Range(AddressRange.ofSize(start, bytes), b.source(r)));
    }
    return new IortNode.ReservedMemory(
        AcpiLayout.RMR_REMAP_PERMITTED.isSet(b.get(at, IortLayout.RMR_FLAGS)), List.copyOf(ranges));
  }

  private static int revision(Blob b, int at) {
    return b.getInt(at, IortLayout.REVISION);
  }

  private static void need(Structure structure, int length, Blob b, int at) {
    need(structure.size(), structure.name(), length, b, at);
  }

  private static void need(int wanted, String name, int length, Blob b, int at) {
    if (length < wanted) {
      throw new MalformedException(
          "%s node of %d bytes, less than %d; it is passed over".formatted(name, length, wanted),
          b.source(at));
    }
  }

  /// {@return how many nodes of each type there are}
  Map<Integer, Integer> counts() {
    Map<Integer, Integer> out = new java.util.TreeMap<>();
    nodes.values().forEach(n -> out.merge(n.type(), 1, Integer::sum));
    return out;
  }
}
