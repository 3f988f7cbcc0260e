package dev.doorbell.firmware;

import dev.doorbell.description.FirmwareStructure;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// Spells the blocks of an IVRS out, as they stand there: what they come to on the machine at hand is `IvrsUnits`' to say.
///
/// **Source**: AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 5.2.
final class IvrsStructures {
  private IvrsStructures() {}

  /// {@return all blocks of known types, in the table's order; of several that describe one IOMMU each}
  static List<FirmwareStructure> of(Ivrs ivrs) {
    List<FirmwareStructure> out = new ArrayList<>();
    ivrs.units().forEach(u -> out.add(unit(u)));
    ivrs.memory().forEach(m -> out.add(memory(m)));
    out.sort((a, b) -> Long.compare(a.source().offset(), b.source().offset()));
    return List.copyOf(out);
  }

  private static FirmwareStructure unit(Ivrs.Unit u) {
    String entries =
        u.entries().isEmpty()
            ? "nothing"
            : u.entries().stream().map(IvrsStructures::entry).collect(Collectors.joining(", "));
    return new FirmwareStructure(
        "IVHD %02Xh".formatted(u.type()),
        "the IOMMU %s with registers at 0x%x, for %s"
            .formatted(Sbdf.of(u.segment(), u.deviceId()), u.base(), entries),
        u.source());
  }

  private static String entry(Ivrs.Entry entry) {
    return switch (entry) {
      case Ivrs.All _ -> "all devices";
      case Ivrs.Range r ->
          ids(r.first(), r.last()) + (r.alias() < 0 ? "" : " as 0x%x".formatted(r.alias()));
      case Ivrs.Special s ->
          "%s %d as 0x%x"
              .formatted(
                  switch (s.variety()) {
                    case Ivrs.Special.IO_APIC -> "I/O APIC";
                    case Ivrs.Special.HPET -> "HPET";
                    default -> "a special device of unknown variety " + s.variety() + ", handle";
                  },
                  s.handle(),
                  s.deviceId());
      case Ivrs.AcpiDevice a -> "ACPI device %s as 0x%x".formatted(a.hid(), a.deviceId());
    };
  }

  private static FirmwareStructure memory(Ivrs.Memory m) {
    List<String> asks = new ArrayList<>();
    if (IvrsLayout.UNITY.isSet(m.flags())) {
      asks.add(
          "mapped to itself (Unity) for "
              + (IvrsLayout.READ.isSet(m.flags()) ? "reads" : "no reads")
              + (IvrsLayout.WRITE.isSet(m.flags()) ? " and writes" : " and no writes"));
    }
    if (IvrsLayout.EXCLUSION.isSet(m.flags())) {
      asks.add("not translated (ExclusionRange)");
    }
    return new FirmwareStructure(
        "IVMD",
        "0x%x bytes at 0x%x, for %s of segment %d: %s"
            .formatted(
                m.bytes(),
                m.start(),
                ids(m.first(), m.last()),
                m.segment(),
                asks.isEmpty() ? "asks for nothing" : String.join(", ", asks)),
        m.source());
  }

  private static String ids(int first, int last) {
    return first == last ? "0x%x".formatted(first) : "0x%x-0x%x".formatted(first, last);
  }
}
