package dev.doorbell.survey;

import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Oddity;
import dev.doorbell.pci.Groups;
import dev.doorbell.survey.SurveyedFunction.Stream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Which functions firmware gives the same identity, at an IOMMU or at an MSI controller. Immutable.
///
/// One stream table entry serves one StreamID: whoever shares it shares the translation, whatever group it is in.
///
/// **Source**: SMMUv3 (IHI 0070F.b), 3.3.1. Linux gives such a StreamID of an SMMUv3 to the function that comes up first; the next one gets neither
/// a group nor DMA (`arm_smmu_insert_master`: -EINVAL from 5.13 on, -ENODEV from 6.15 on). Behind an SMMUv1 or SMMUv2 both come into one group
/// (`arm_smmu_device_group`).
final class Identities {
  private record Key(String at, int id) {}

  private final Map<Key, List<SurveyedFunction>> streams = new LinkedHashMap<>();
  private final Map<Key, List<SurveyedFunction>> devices = new LinkedHashMap<>();

  Identities(Collection<SurveyedFunction> functions) {
    for (SurveyedFunction f : functions) {
      f.streams().stream()
          .map(s -> new Key(s.iommu(), s.streamId()))
          .distinct()
          .forEach(k -> streams.computeIfAbsent(k, _ -> new ArrayList<>()).add(f));
      f.msi()
          .ifPresent(m ->
              m.controllers().stream()
                  .map(c -> new Key(c, m.deviceId()))
                  .distinct()
                  .forEach(k -> devices.computeIfAbsent(k, _ -> new ArrayList<>()).add(f)));
    }
  }

  /// {@return every function with a stream, itself included}
  List<SurveyedFunction> at(Stream s) {
    return List.copyOf(streams.getOrDefault(new Key(s.iommu(), s.streamId()), List.of()));
  }

  /// {@return every function with a DeviceID at a controller}
  List<SurveyedFunction> at(String controller, int deviceId) {
    return List.copyOf(devices.getOrDefault(new Key(controller, deviceId), List.of()));
  }

  /// {@return what IOMMUs themselves hold together: a stream mapping entry of an SMMUv1 or SMMUv2, and a LIODN's entry of a PAMU, has one group}
  List<Groups.Tie> ties(MachineDescription machine) {
    List<Groups.Tie> out = new ArrayList<>();
    streams.forEach((key, sharers) -> {
      Optional<String> entry = entry(machine.iommu(key.at()).orElse(null), key);
      if (entry.isPresent()) {
        SurveyedFunction first = sharers.getFirst();
        for (SurveyedFunction o : sharers.subList(1, sharers.size())) {
          out.add(
              new Groups.Tie(
                  o.sbdf(),
                  first.sbdf(),
                  "%s and %s have %s serves both%s"
                      .formatted(
                          o.sbdf(), first.sbdf(), entry.get(), why(machine, key, o, first))));
        }
      }
    });
    return out;
  }

  /// {@return why the functions of one PCI Express controller of Freescale's have one LIODN}
  private static String why(
      MachineDescription machine, Key key, SurveyedFunction a, SurveyedFunction b) {
    boolean oneController = a.sbdf().segment() == b.sbdf().segment();
    return oneController && machine.iommu(key.at()).orElse(null) instanceof IommuDescription.Pamu
        ? ": a controller before revision 2.4 has one LIODN for all functions, a later one for all but its first eight endpoints"
        : "";
  }

  private static Optional<String> entry(@Nullable IommuDescription iommu, Key key) {
    return switch (iommu) {
      case IommuDescription.Smmuv2 v ->
          Optional.of(
              "StreamID 0x%x of %s, and one stream mapping entry".formatted(key.id(), v.id()));
      case IommuDescription.Pamu p ->
          Optional.of("LIODN 0x%x of %s, and one PAACE".formatted(key.id(), p.id()));
      case null, default -> Optional.empty();
    };
  }

  /// {@return an oddity for each StreamID that functions of several groups have}
  List<Oddity> oddities(Survey survey) {
    List<Oddity> out = new ArrayList<>();
    streams.forEach((key, sharers) -> {
      SurveyedFunction first = sharers.getFirst();
      Optional<SurveyedFunction> other =
          sharers.stream().filter(o -> survey.areApart(first, o)).findFirst();
      if (other.isPresent()) {
        out.add(
            new Oddity(
                "StreamID 0x%x of %s is given to %s: they share one stream table entry, and none of them can be assigned by itself%s"
                    .formatted(
                        key.id(),
                        key.at(),
                        String.join(", ", sharers.stream().map(f -> f.sbdf().toString()).toList()),
                        survey.machine().iommu(key.at()).orElse(null)
                                instanceof IommuDescription.Smmuv3
                            ? "; Linux gives it to the one that comes up first, and the others neither a group nor working DMA"
                            : ""),
                first.streams().stream()
                    .filter(s -> s.iommu().equals(key.at()) && s.streamId() == key.id())
                    .findFirst()
                    .orElseThrow()
                    .source(),
                Oddity.Effect.NONE));
      }
    });
    return out;
  }
}
