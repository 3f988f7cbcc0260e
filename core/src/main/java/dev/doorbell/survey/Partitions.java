package dev.doorbell.survey;

import dev.doorbell.description.IommuDescription;
import dev.doorbell.pci.BridgeRegisters;
import dev.doorbell.pci.Groups;
import dev.doorbell.pci.Groups.Group;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PortType;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Groups of machines whose IOMMUs tell functions apart by something other than requester ids and ACS.
///
/// - An IBM host bridge gives each bus a partitionable endpoint (PE), and each virtual function one of its own. Bridges stay with the host.
/// - A PAPR guest has one window for all functions of a host bridge: they are one PE to the hypervisor.
///
/// **Source**: Linux 6.12 `pnv_ioda_setup_bus_PE`, `pnv_ioda_setup_vf_PE`; LoPAPR 1.1, 4.2 (partitionable endpoints).
final class Partitions {
  private record Cell(Set<Sbdf> functions, Set<String> because, boolean certain) {
    Sbdf first() {
      return Collections.min(functions);
    }
  }

  private final Survey survey;
  private final List<Groups.Tie> ties;

  /// @param ties what IOMMUs hold together
  Partitions(Survey survey, List<Groups.Tie> ties) {
    this.survey = survey;
    this.ties = ties;
  }

  /// {@return the groups of a machine}
  List<Group> groups() {
    List<Group> byAcs =
        Groups.derive(survey.topology(), survey.assumption(), this::keptApartByAcs, ties);
    Map<String, Cell> cells = new LinkedHashMap<>();
    for (Group g : byAcs) {
      join(cells, "group " + g.id(), cell(g));
    }
    for (SurveyedFunction f : survey.functions()) {
      partition(f)
          .ifPresent(p ->
              join(
                  cells,
                  p.name(),
                  new Cell(
                      new LinkedHashSet<>(Set.of(f.sbdf())),
                      new LinkedHashSet<>(Set.of(p.because())),
                      true)));
    }
    List<Cell> inOrder =
        cells.values().stream().sorted((a, b) -> a.first().compareTo(b.first())).toList();
    List<Group> out = new ArrayList<>();
    for (Cell c : inOrder) {
      out.add(
          new Group(
              out.size(),
              c.functions().stream().sorted().toList(),
              List.copyOf(c.because()),
              c.certain()));
    }
    return out;
  }

  private static Cell cell(Group g) {
    return new Cell(
        new LinkedHashSet<>(g.functions()), new LinkedHashSet<>(g.because()), g.certain());
  }

  private static void join(Map<String, Cell> cells, String name, Cell more) {
    Cell have = cells.get(name);
    if (have == null) {
      cells.put(name, more);
      return;
    }
    have.functions().addAll(more.functions());
    have.because().addAll(more.because());
    cells.put(name, new Cell(have.functions(), have.because(), have.certain() && more.certain()));
  }

  private boolean keptApartByAcs(Sbdf sbdf) {
    return survey
        .function(sbdf)
        .filter(survey::isTranslated)
        .filter(f -> !isPartitioned(survey.iommu(f)))
        .isPresent();
  }

  private static boolean isPartitioned(Optional<IommuDescription> iommu) {
    return iommu
        .filter(i -> i instanceof IommuDescription.Phb || i instanceof IommuDescription.PaprTce)
        .isPresent();
  }

  private record Partition(String name, String because) {}

  private Optional<Partition> partition(SurveyedFunction f) {
    if (f.pci().isBridge()) {
      return Optional.empty();
    }
    IommuDescription iommu = survey.iommu(f).orElse(null);
    if (iommu instanceof IommuDescription.Phb p) {
      return Optional.of(pe(f, p));
    }
    return iommu instanceof IommuDescription.PaprTce t
        ? Optional.of(
            new Partition(
                t.id(),
                "%s is the DMA window of every function below its host bridge (LIOBN 0x%x): they are one PE"
                    .formatted(t.id(), t.liobn())))
        : Optional.empty();
  }

  private Partition pe(SurveyedFunction f, IommuDescription.Phb p) {
    if (f.description().physicalFunction().isPresent()) {
      return new Partition(
          p.id() + " " + f.sbdf(), "%s is a virtual function, a PE of its own".formatted(f.sbdf()));
    }
    for (PciFunction above : survey.topology().path(f.pci())) {
      if (above.portType().thing().filter(t -> t == PortType.PCIE_TO_PCI_BRIDGE).isPresent()) {
        return new Partition(
            p.id() + " below " + above.sbdf(),
            "everything below %s, a bridge to a conventional bus, sends under the id of its secondary bus 0x%02x: one PE of %s"
                .formatted(above, BridgeRegisters.of(above.config()).secondary(), p.id()));
      }
    }
    int bus = f.sbdf().bus();
    return new Partition(
        "%s bus 0x%02x".formatted(p.id(), bus),
        "bus %04x:%02x is one PE of %s: OPAL and Linux give each bus one"
            .formatted(f.sbdf().segment(), bus, p.id()));
  }
}
