package dev.doorbell.firmware;

import dev.doorbell.description.FirmwareStructure;
import dev.doorbell.firmware.Dmar.DeviceScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Spells the structures of a DMAR out, as they stand there: what they come to on the machine at hand is `DmarUnits`' to say.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 8.1 (flags) and 8.3 to 8.9.
final class DmarStructures {
  private final Dmar dmar;

  private DmarStructures(Dmar dmar) {
    this.dmar = dmar;
  }

  /// {@return the table's flags and all its structures of known types, in the table's order}
  static List<FirmwareStructure> of(Dmar dmar) {
    DmarStructures all = new DmarStructures(dmar);
    List<FirmwareStructure> out = new ArrayList<>();
    out.add(all.flags());
    dmar.units().forEach(u -> out.add(all.unit(u)));
    dmar.memory().forEach(m -> out.add(all.memory(m)));
    dmar.ports().forEach(p -> out.add(all.scoped(p)));
    dmar.proximities()
        .forEach(p ->
            out.add(
                new FirmwareStructure(
                    "RHSA",
                    "the unit at 0x%x is near proximity domain %d".formatted(p.base(), p.domain()),
                    p.source())));
    dmar.named()
        .forEach(n ->
            out.add(
                new FirmwareStructure(
                    "ANDD", "ACPI device %d is %s".formatted(n.number(), n.name()), n.source())));
    out.sort((a, b) -> Long.compare(a.source().offset(), b.source().offset()));
    return List.copyOf(out);
  }

  private FirmwareStructure flags() {
    List<String> names = new ArrayList<>();
    for (var f :
        List.of(DmarLayout.INTR_REMAP, DmarLayout.X2APIC_OPT_OUT, DmarLayout.DMA_CTRL_OPT_IN)) {
      if (f.isSet(dmar.flags())) {
        names.add(f.name());
      }
    }
    return new FirmwareStructure(
        "DMAR",
        "flags " + (names.isEmpty() ? "none" : String.join(", ", names)),
        dmar.table().source(DmarLayout.FLAGS_AT));
  }

  private FirmwareStructure unit(Dmar.Unit u) {
    String rest =
        u.includeAll() ? "all that no other unit of the segment has (INCLUDE_PCI_ALL)" : "";
    String named = scopes(u.segment(), u.scopes());
    return new FirmwareStructure(
        "DRHD",
        "the unit at 0x%x, for %s"
            .formatted(
                u.base(),
                rest.isEmpty() ? named : u.scopes().isEmpty() ? rest : rest + " and " + named),
        u.source());
  }

  private FirmwareStructure memory(Dmar.Memory m) {
    return new FirmwareStructure(
        "RMRR",
        "0x%x-0x%x, for %s".formatted(m.base(), m.limit(), scopes(m.segment(), m.scopes())),
        m.source());
  }

  private FirmwareStructure scoped(Dmar.Scoped s) {
    boolean set = DmarLayout.FIRST_FLAG.isSet(s.flags());
    String who = scopes(s.segment(), s.scopes());
    return switch (s.type()) {
      case Dmar.ATSR ->
          new FirmwareStructure(
              "ATSR",
              set
                  ? "all root ports of segment %d take ATS requests (ALL_PORTS)"
                      .formatted(s.segment())
                  : "root ports that take ATS requests: " + who,
              s.source());
      case Dmar.SATC ->
          new FirmwareStructure(
              "SATC",
              (set
                      ? "integrated devices that need ATS (ATC_REQUIRED): "
                      : "integrated devices with a translation cache: ")
                  + who,
              s.source());
      default ->
          new FirmwareStructure("SIDP", "devices with properties of their own: " + who, s.source());
    };
  }

  private String scopes(int segment, List<DeviceScope> scopes) {
    return scopes.isEmpty()
        ? "none"
        : scopes.stream().map(s -> scope(segment, s)).collect(Collectors.joining(", "));
  }

  /// A path through bridges keeps its steps: the buses behind them are not in the table.
  private String scope(int segment, DeviceScope s) {
    StringBuilder at =
        new StringBuilder(String.format(Locale.ROOT, "%04x:%02x:", segment, s.startBus()));
    for (int i = 0; i + 1 < s.path().size(); i += 2) {
      at.append(
          String.format(
              Locale.ROOT, i == 0 ? "%02x.%x" : "/%02x.%x", s.path().get(i), s.path().get(i + 1)));
    }
    return switch (s.type()) {
      case DeviceScope.ENDPOINT -> at.toString();
      case DeviceScope.SUB_HIERARCHY -> at + " and what is below it";
      case DeviceScope.IO_APIC -> "I/O APIC %d (%s)".formatted(s.enumerationId(), at);
      case DeviceScope.HPET -> "HPET %d (%s)".formatted(s.enumerationId(), at);
      case DeviceScope.ACPI_DEVICE ->
          "ACPI device %d%s (%s)".formatted(s.enumerationId(), name(s.enumerationId()), at);
      default -> "a scope of unknown type %d (%s)".formatted(s.type(), at);
    };
  }

  private String name(int number) {
    return dmar.named().stream()
        .filter(n -> n.number() == number)
        .findFirst()
        .map(n -> " " + n.name())
        .orElse("");
  }
}
