package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SequencedMap;

/// I/O Remapping Table: which ids devices have at SMMUs and ITSes.
///
/// **Source**: DEN 0049 issue E.f.
///
/// @param nodes by offset
/// @param countIsNumber whether "number of IDs" words hold the number itself, as on boards known for it
record Iort(AcpiTable table, SequencedMap<Integer, IortNode> nodes, boolean countIsNumber) {
  private static final int NODE_HEADER = 16;
  private static final int MAPPING = 20;
  private static final int RMR_RANGE = 20;

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
    long stated = b.u32(36);
    long at = b.u32(40);
    long read = 0;
    for (; read < stated; read++) {
      if (at < AcpiTable.HEADER || at > b.size() - NODE_HEADER) {
        findings.odd(
            "the header states %d nodes; node %d at 0x%x lies outside the table"
                .formatted(stated, read, at),
            b.source(36));
        break;
      }
      int length = b.u16(at + 1);
      if (length < NODE_HEADER || at + length > b.size()) {
        findings.odd(
            "node of type %d states length %d with %d bytes left; what follows cannot be found"
                .formatted(b.u8(at), length, b.size() - at),
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
    int type = b.u8(at);
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
            need(36, length, "PMCG", b, at);
            yield new IortNode.Pmcg(b.u64(at + 16), b.u32(at + 28));
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
    long count = b.u32(at + 8);
    long offset = b.u32(at + 12);
    List<IortNode.IdMapping> out = new ArrayList<>();
    if (count == 0) {
      return out;
    }
    if (offset < NODE_HEADER) {
      findings.odd(
          "node has %d id mappings at offset %d, inside its header".formatted(count, offset),
          b.source(at));
      return out;
    }
    for (long i = 0; i < count; i++) {
      long m = at + offset + i * MAPPING;
      if (m + MAPPING > b.size()) {
        findings.odd(
            "node states %d id mappings; mapping %d lies outside the table".formatted(count, i),
            b.source(at + 8));
        break;
      }
      if (m + MAPPING > at + length) {
        findings.odd(
            "node states %d id mappings; mapping %d lies outside the node".formatted(count, i),
            b.source(at + 8));
        break;
      }
      out.add(
          new IortNode.IdMapping(
              b.u32(m),
              b.u32(m + 4),
              b.u32(m + 8),
              b.u32(m + 12),
              AcpiLayout.MAPPING_SINGLE.isSet(b.u32(m + 16)),
              b.source(m)));
    }
    return out;
  }

  private static IortNode.Body itsGroup(Blob b, int at, int length) {
    need(20, length, "ITS group", b, at);
    long count = b.u32(at + 16);
    if (count > (length - 20) / 4) {
      throw new MalformedException(
          "ITS group states %d ids over %d bytes".formatted(count, length - 20), b.source(at + 16));
    }
    List<Long> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(b.u32(at + 20 + 4L * i));
    }
    return new IortNode.ItsGroup(List.copyOf(ids));
  }

  private static IortNode.Body namedComponent(Blob b, int at, int length) {
    need(30, length, "named component", b, at);
    return new IortNode.NamedComponent(
        Findings.printable(b.zeroTerminated(at + 29, length - 29)),
        AcpiLayout.CCA.isSet(b.u32(at + 20)),
        b.u8(at + 28));
  }

  /// Revision 0 ends after the segment; the address limit came with revision 1.
  private static IortNode.Body rootComplex(Blob b, int at, int length) {
    need(32, length, "root complex", b, at);
    long ats = b.u32(at + 24);
    long segment = b.u32(at + 28);
    if (segment > 0xffff) {
      throw new MalformedException(
          "root complex of segment 0x%x".formatted(segment), b.source(at + 28));
    }
    boolean limited = revision(b, at) >= 1 && length >= 33;
    return new IortNode.RootComplex(
        (int) segment,
        AcpiLayout.CCA.isSet(b.u32(at + 16)),
        AcpiLayout.ATS_SUPPORTED.isSet(ats),
        AcpiLayout.PRI_SUPPORTED.isSet(ats),
        limited ? b.u8(at + 32) : 0);
  }

  private static IortNode.Body smmu(Blob b, int at, int length) {
    need(40, length, "SMMU", b, at);
    return new IortNode.Smmu(
        b.u64(at + 16),
        b.u64(at + 24),
        b.u32(at + 32),
        AcpiLayout.SMMU_COHERENT.isSet(b.u32(at + 36)));
  }

  private static IortNode.Body smmu3(Blob b, int at, int length, int mappings, Findings findings) {
    need(60, length, "SMMUv3", b, at);
    long flags = b.u32(at + 24);
    return new IortNode.Smmu3(
        b.u64(at + 16),
        b.u32(at + 40),
        AcpiLayout.SMMU3_COHACC_OVERRIDE.isSet(flags),
        ownMapping(b, at, length, mappings, findings));
  }

  /// From node revision 1 one mapping may be for the SMMU's own MSIs. It is in force when not all four interrupts are wired;
  /// from revision 5 a flag says so (Linux `iort_get_id_mapping_index`).
  private static OptionalInt ownMapping(
      Blob b, int at, int length, int mappings, Findings findings) {
    int revision = revision(b, at);
    if (revision < 1 || length < 68 || mappings == 0) {
      return OptionalInt.empty();
    }
    boolean wired =
        b.u32(at + 44) != 0 && b.u32(at + 48) != 0 && b.u32(at + 52) != 0 && b.u32(at + 56) != 0;
    boolean inForce = revision < 5 ? !wired : AcpiLayout.SMMU3_DEVICEID_VALID.isSet(b.u32(at + 24));
    if (!inForce) {
      return OptionalInt.empty();
    }
    long index = b.u32(at + 64);
    if (index >= mappings) {
      findings.odd(
          "SMMUv3's own mapping %d is none of its %d".formatted(index, mappings),
          b.source(at + 64));
      return OptionalInt.empty();
    }
    return OptionalInt.of((int) index);
  }

  private static IortNode.Body reservedMemory(Blob b, int at, int length, Findings findings) {
    need(28, length, "RMR", b, at);
    long count = b.u32(at + 20);
    long offset = b.u32(at + 24);
    List<IortNode.ReservedMemory.Range> ranges = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      long r = at + offset + i * RMR_RANGE;
      if (offset < 28 || r + RMR_RANGE > at + length) {
        findings.odd(
            "RMR states %d ranges; range %d lies outside the node".formatted(count, i),
            b.source(at + 20));
        break;
      }
      long start = b.u64(r);
      long bytes = b.u64(r + 8);
      if (bytes == 0 || Long.compareUnsigned(bytes - 1, -1L - start) > 0) {
        findings.odd(
            "RMR range of 0x%x bytes at 0x%x is none".formatted(bytes, start), b.source(r));
        continue;
      }
      ranges.add(new IortNode.ReservedMemory.Range(AddressRange.ofSize(start, bytes), b.source(r)));
    }
    return new IortNode.ReservedMemory(
        AcpiLayout.RMR_REMAP_PERMITTED.isSet(b.u32(at + 16)), List.copyOf(ranges));
  }

  private static int revision(Blob b, int at) {
    return b.u8(at + 3);
  }

  private static void need(int wanted, int length, String name, Blob b, int at) {
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
