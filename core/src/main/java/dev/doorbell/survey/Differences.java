package dev.doorbell.survey;

import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.Recorded;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Groups;
import dev.doorbell.pci.Groups.Group;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Where the captured kernel's record and the derivation do not say the same, and what explains it.
public final class Differences {
  /// What VFIO names the groups that it makes itself for functions without an IOMMU (`vfio_noiommu_group_alloc`, drivers/vfio).
  private static final String NO_IOMMU = "vfio-noiommu";

  private final List<String> differences = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final boolean agrees;

  private Differences(Survey survey) {
    List<Recorded.Group> formed = new ArrayList<>();
    for (Recorded.Group g : survey.machine().recorded().groups()) {
      if (g.name().equals(NO_IOMMU)) {
        standIn(survey, g);
      } else {
        formed.add(g);
      }
    }
    compareGroups(survey, formed);
    Regions regions = new Regions(survey);
    List<Recorded.Group> blind = new ArrayList<>();
    for (Recorded.Group g : formed) {
      if (isUnseen(survey, g)) {
        blind.add(g);
      } else {
        compareRegions(survey, regions, g);
      }
    }
    if (!blind.isEmpty()) {
      notes.add(
          "what firmware would make of the kernel's group%s %s cannot be seen"
              .formatted(
                  blind.size() == 1 ? "" : "s",
                  blind.stream()
                      .map(g -> Integer.toString(g.number()))
                      .collect(Collectors.joining(", "))));
    }
    leftOut(survey, formed);
    agrees = !formed.isEmpty() && differences.isEmpty() && notes.isEmpty();
    notProbed(survey, formed);
  }

  /// {@return both kinds of sentences; none when the record and the derivation agree or nothing was recorded}
  public static Differences of(Survey survey) {
    return new Differences(survey);
  }

  /// {@return sentences, one for each difference}
  public List<String> differences() {
    return List.copyOf(differences);
  }

  /// {@return sentences, one for each thing that the record has otherwise than the derivation, and that is explained}
  public List<String> notes() {
    return List.copyOf(notes);
  }

  /// {@return whether the groups that the kernel recorded, and their regions, are those that are derived, with nothing to explain}
  public boolean agrees() {
    return agrees;
  }

  private static boolean isUnseen(Survey survey, Recorded.Group g) {
    return g.functions().stream()
        .flatMap(s -> survey.function(s).stream())
        .anyMatch(f -> survey.streamDoubt(f).isPresent());
  }

  private void standIn(Survey survey, Recorded.Group g) {
    boolean translated = g.functions().stream().anyMatch(s -> survey.group(s).isPresent());
    String told =
        "the kernel's group %d (%s) is named %s: VFIO made it for want of an IOMMU, nothing keeps its functions from memory and from others' vectors"
            .formatted(g.number(), names(g.functions()), NO_IOMMU);
    if (translated) {
      differences.add(
          told + "; firmware has an IOMMU in their path, which that kernel did not use");
    } else {
      notes.add(told + "; firmware, too, has no IOMMU in their path");
    }
  }

  private void compareGroups(Survey survey, List<Recorded.Group> formed) {
    Set<Sbdf> known =
        formed.stream().flatMap(g -> g.functions().stream()).collect(Collectors.toSet());
    Set<Set<Sbdf>> recorded = sets(formed.stream().map(Recorded.Group::functions), known);
    boolean byAcs = formed.stream().flatMap(g -> g.functions().stream()).allMatch(byAcs(survey));
    if (recorded.equals(sets(survey.groups().stream().map(Group::functions), known))) {
      return;
    }
    List<Sbdf> order = formed.stream().flatMap(g -> g.functions().stream()).toList();
    List<Group> inOrder = Groups.deriveInOrder(survey.topology(), survey.assumption(), order);
    boolean explained =
        byAcs && recorded.equals(sets(inOrder.stream().map(Group::functions), known));
    for (Group g : survey.groups()) {
      List<Recorded.Group> parts =
          formed.stream()
              .filter(r -> r.functions().stream().anyMatch(g.functions()::contains))
              .toList();
      if (explained && parts.size() > 1) {
        notes.add(probeOrder(g, parts));
      }
    }
    if (!explained) {
      formed.forEach(r -> compare(survey, r, known));
    }
  }

  /// Linux gives a function a group of its own when the port above it, which does not isolate, has come up later.
  private static String probeOrder(Group derived, List<Recorded.Group> parts) {
    return "the kernel's groups %s are as it formed them in its probe order, told by their numbers: a function that comes up before the port above it finds no group to join there; they do not isolate, together they are %s, because %s"
        .formatted(
            parts.stream()
                .map(r -> "%d (%s)".formatted(r.number(), names(r.functions())))
                .collect(Collectors.joining(", ")),
            names(derived.functions()),
            String.join("; ", derived.because()));
  }

  private void compare(Survey survey, Recorded.Group g, Set<Sbdf> known) {
    Set<Sbdf> recorded = new TreeSet<>(g.functions());
    Set<Sbdf> derived =
        recorded.stream()
            .findFirst()
            .flatMap(survey::group)
            .map(Group::functions)
            .<Set<Sbdf>>map(TreeSet::new)
            .orElseGet(TreeSet::new);
    derived.retainAll(known);
    if (!derived.equals(recorded)) {
      differences.add(
          "the kernel's group %d holds %s; derived from ACS and aliases it holds %s"
              .formatted(
                  g.number(), names(recorded), derived.isEmpty() ? "nothing" : names(derived)));
    }
  }

  /// Kernels form a function's group when a driver comes to it: functions in no recorded group are left out.
  private static Set<Set<Sbdf>> sets(Stream<List<Sbdf>> groups, Set<Sbdf> known) {
    return groups
        .map(g -> g.stream().filter(known::contains).collect(Collectors.toSet()))
        .filter(g -> !g.isEmpty())
        .collect(Collectors.toSet());
  }

  /// Order explains nothing where groups do not come of ACS, nor where nothing was derived.
  private static Predicate<Sbdf> byAcs(Survey survey) {
    return sbdf ->
        survey.group(sbdf).isPresent()
            && survey
                .function(sbdf)
                .flatMap(survey::iommu)
                .filter(i ->
                    !(i instanceof IommuDescription.Phb || i instanceof IommuDescription.PaprTce))
                .isPresent();
  }

  /// Linux reports no reserved region of an IBM host bridge: `spapr_tce_iommu_ops` has no `get_resv_regions` (6.12).
  private void compareRegions(Survey survey, Regions regions, Recorded.Group g) {
    Set<String> recorded = printed(regions.recorded(g.functions()));
    Set<String> derived = printed(regions.derived(g.functions()));
    boolean power =
        g.functions().stream()
            .flatMap(f -> survey.function(f).stream())
            .flatMap(f -> survey.iommu(f).stream())
            .anyMatch(i -> i instanceof IommuDescription.Phb);
    if (power && recorded.isEmpty()) {
      notes.add(
          "the kernel's group %d (%s) has no reserved regions in its record, as that kernel never reports any of an IBM host bridge; derived are %s"
              .formatted(g.number(), names(g.functions()), derived));
    } else if (!recorded.equals(derived)) {
      differences.add(
          "the kernel's group %d has reserved regions %s; derived are %s"
              .formatted(g.number(), recorded, derived));
    }
  }

  private static Set<String> printed(List<ReservedRegion> regions) {
    return regions.stream()
        .map(r -> r.range() + " " + r.kind().printed())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /// A function that no driver came to has no group in the records of older kernels (Linux bcb81ac6ae3c, 6.15, probes all).
  private void notProbed(Survey survey, List<Recorded.Group> formed) {
    List<Sbdf> without = withoutRecord(survey, formed, Differences::lazy);
    if (!without.isEmpty()) {
      notes.add(
          "the kernel has no group for %s in its record: before Linux 6.15 a function behind an IOMMU of this kind gets one when a driver comes to it; what is derived is the group that it gets then"
              .formatted(names(without)));
    }
  }

  /// Kernels with VT-d's units or AMD's IOMMUs give every function behind one its group when they start, or when it is plugged in.
  private void leftOut(Survey survey, List<Recorded.Group> formed) {
    List<Sbdf> without =
        withoutRecord(
            survey,
            formed,
            i -> i instanceof IommuDescription.VtD || i instanceof IommuDescription.AmdVi);
    if (!without.isEmpty()) {
      differences.add(
          "the kernel has no group for %s in its record, which firmware has behind an IOMMU whose functions all get one when the kernel starts: that kernel left the IOMMU out (by a quirk or its command line), or the record is not whole"
              .formatted(names(without)));
    }
  }

  /// {@return functions behind an IOMMU of some kind that have a derived group and no recorded one; none where no group was recorded}
  private static List<Sbdf> withoutRecord(
      Survey survey, List<Recorded.Group> formed, Predicate<IommuDescription> kind) {
    if (formed.isEmpty()) {
      return List.of();
    }
    Set<Sbdf> recorded =
        formed.stream().flatMap(g -> g.functions().stream()).collect(Collectors.toSet());
    return survey.machine().functions().stream()
        .filter(f -> !f.hypothetical() && survey.group(f.sbdf()).isPresent())
        .map(FunctionDescription::sbdf)
        .filter(s -> !recorded.contains(s))
        .filter(s -> survey.function(s).flatMap(survey::iommu).filter(kind).isPresent())
        .sorted()
        .toList();
  }

  /// {@return whether Linux before 6.15 learns from firmware only at a driver's coming that a function is behind it}
  private static boolean lazy(IommuDescription iommu) {
    return switch (iommu) {
      case IommuDescription.Smmuv3 _,
          IommuDescription.Smmuv2 _,
          IommuDescription.VirtioIommu _,
          IommuDescription.RiscvIommu _ ->
          true;
      case IommuDescription.VtD _,
          IommuDescription.AmdVi _,
          IommuDescription.Pamu _,
          IommuDescription.Phb _,
          IommuDescription.PaprTce _,
          IommuDescription.Other _ ->
          false;
    };
  }

  private static String names(Collection<Sbdf> functions) {
    return functions.stream().map(Sbdf::toString).collect(Collectors.joining(", "));
  }
}
