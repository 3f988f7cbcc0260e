package dev.doorbell.survey;

import dev.doorbell.description.Recorded;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Groups.Group;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Where the captured kernel's record and the derivation do not say the same.
public final class Differences {
  private Differences() {}

  /// {@return sentences, one for each difference; empty when both agree or nothing was recorded}
  public static List<String> of(Survey survey) {
    List<String> out = new ArrayList<>();
    Regions regions = new Regions(survey);
    for (Recorded.Group g : survey.machine().recorded().groups()) {
      Set<Sbdf> recorded = new TreeSet<>(g.functions());
      for (Sbdf first : recorded.stream().limit(1).toList()) {
        Set<Sbdf> derived =
            survey
                .group(first)
                .map(Group::functions)
                .<Set<Sbdf>>map(TreeSet::new)
                .orElseGet(TreeSet::new);
        if (!derived.equals(recorded)) {
          out.add(
              "the kernel's group %d holds %s; derived from ACS and aliases it holds %s"
                  .formatted(
                      g.number(), names(recorded), derived.isEmpty() ? "nothing" : names(derived)));
        }
        compareRegions(regions, g, out);
      }
    }
    return out;
  }

  private static void compareRegions(Regions regions, Recorded.Group g, List<String> out) {
    Set<String> recorded = printed(regions.recorded(g.functions()));
    Set<String> derived = printed(regions.derived(g.functions()));
    if (!recorded.equals(derived)) {
      out.add(
          "the kernel's group %d has reserved regions %s; derived are %s"
              .formatted(g.number(), recorded, derived));
    }
  }

  private static Set<String> printed(List<ReservedRegion> regions) {
    return regions.stream()
        .map(r -> r.range() + " " + r.kind().printed())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String names(Set<Sbdf> functions) {
    return functions.stream().map(Sbdf::toString).collect(Collectors.joining(", "));
  }
}
