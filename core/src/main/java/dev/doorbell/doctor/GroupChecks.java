package dev.doorbell.doctor;

import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Groups;
import dev.doorbell.pci.Groups.Group;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Regions;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Who shares a group with a function and stands in its way, and which memory firmware keeps for the group.
final class GroupChecks implements Checks {
  private static final int MOST_LISTED = 8;

  @Override
  public void check(Evidence e, Chart chart) {
    Set<List<Sbdf>> done = new java.util.HashSet<>();
    Map<String, Source> regions = new LinkedHashMap<>();
    List<Group> derived = Groups.derive(e.survey().topology(), e.survey().assumption());
    for (SurveyedFunction f : e.endpoints()) {
      Optional<Members> members = members(e, f.sbdf(), derived);
      if (members.isPresent() && done.add(members.get().functions())) {
        mates(e, members.get(), chart);
        reserved(e, members.get(), regions, chart);
      }
    }
    keepClear(regions, chart);
  }

  /// A group, the kernel's own where it recorded one.
  ///
  /// @param name as the kernel numbers it, or `a group` where it did not
  record Members(String name, List<Sbdf> functions, List<String> because, Source source) {}

  static Optional<Members> members(Evidence e, Sbdf sbdf, List<Group> derived) {
    Optional<Group> reasons = e.survey().group(sbdf).or(() -> Groups.of(derived, sbdf));
    List<String> because = reasons.map(Group::because).orElse(List.of());
    Optional<Recorded.Group> recorded = e.recordedGroup(sbdf);
    if (recorded.isPresent()) {
      return recorded.map(
          g -> new Members("group " + g.number(), g.functions(), because, g.source()));
    }
    Optional<Group> own =
        e.isArm() ? e.survey().group(sbdf) : e.groups().isEmpty() ? reasons : Optional.empty();
    return own.map(
        g -> new Members("one group", g.functions(), because, Source.rule("PCIe 6.12 ACS")));
  }

  private static void mates(Evidence e, Members group, Chart chart) {
    List<SurveyedFunction> held =
        group.functions().stream()
            .flatMap(s -> e.survey().function(s).stream())
            .filter(f -> !f.pci().isBridge() && !e.asked().contains(f.sbdf()))
            .filter(f -> f.description().driver().isPresent() && !e.isHarmless(f.description()))
            .toList();
    List<Sbdf> stopped =
        group.functions().stream()
            .filter(s -> e.endpoints().stream().anyMatch(f -> f.sbdf().equals(s)))
            .filter(s -> held.stream().anyMatch(h -> !h.sbdf().equals(s)))
            .toList();
    if (stopped.isEmpty()) {
      return;
    }
    String who =
        held.stream()
            .limit(MOST_LISTED)
            .map(f -> f.sbdf() + " (" + f.description().driver().orElse("") + ")")
            .collect(Collectors.joining(", "));
    chart
        .about(stopped)
        .blocks(
            "group.not-viable",
            "%s is not viable while host drivers hold %s%s"
                .formatted(group.name(), who, because(group)),
            group.source(),
            bind(held.stream().map(SurveyedFunction::sbdf).toList()));
  }

  private static String because(Members group) {
    return group.because().isEmpty()
        ? ""
        : "; they are together because " + String.join("; ", group.because());
  }

  /// {@return the commands that give functions to vfio-pci}
  static String bind(List<Sbdf> functions) {
    String names = functions.stream().map(Sbdf::toString).collect(Collectors.joining(" "));
    return "modprobe vfio-pci; for d in %s; do echo vfio-pci > /sys/bus/pci/devices/$d/driver_override; [ -e /sys/bus/pci/devices/$d/driver ] && echo $d > /sys/bus/pci/devices/$d/driver/unbind; echo $d > /sys/bus/pci/drivers_probe; done"
        .formatted(names);
  }

  /// Memory that firmware goes on using must stay mapped one to one, so that Linux hands no such group to a user
  /// (`__iommu_device_set_domain` refuses with `require_direct`, Linux 6.6; the VT-d driver before).
  private static void reserved(
      Evidence e, Members group, Map<String, Source> regions, Chart chart) {
    Survey survey = e.survey();
    Regions all = new Regions(survey);
    List<ReservedRegion> known = new ArrayList<>(all.recorded(group.functions()));
    if (known.isEmpty()) {
      known.addAll(all.derived(group.functions()));
    }
    for (ReservedRegion r : known) {
      String named = "%s (%s)".formatted(r.range(), r.kind().printed());
      if (r.kind() == ReservedRegion.Kind.DIRECT) {
        chart
            .about(group.functions())
            .blocks(
                "group.direct-region",
                "firmware goes on using memory %s through functions of %s, and Linux refuses to hand them out"
                    .formatted(r.range(), group.name()),
                r.source(),
                "turn off what uses it in the firmware's setup (RMRR or RMR: USB legacy support, graphics stolen memory, the management controller's shared memory)");
      } else if (r.kind() != ReservedRegion.Kind.DIRECT_RELAXABLE) {
        regions.putIfAbsent(named, r.source());
      }
    }
  }

  private static void keepClear(Map<String, Source> regions, Chart chart) {
    if (regions.isEmpty()) {
      return;
    }
    chart.fine(
        "group.keep-clear",
        "guest memory and peers' BARs must keep clear of %s; plan lays guest memory out around it"
            .formatted(String.join(", ", regions.keySet())),
        regions.values().iterator().next());
  }
}
