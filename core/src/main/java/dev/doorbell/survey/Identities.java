package dev.doorbell.survey;

import dev.doorbell.explain.Oddity;
import dev.doorbell.survey.SurveyedFunction.Stream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Which functions firmware gives the same identity, at an IOMMU or at an MSI controller. Immutable.
///
/// One stream table entry serves one StreamID: whoever shares it shares the translation, whatever group it is in.
///
/// **Source**: SMMUv3 (IHI 0070F.b), 3.3.1; Linux 6.12 `arm_smmu_insert_master` refuses a function whose StreamID another one has.
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
                "StreamID 0x%x of %s is given to %s: they share one stream table entry, and none of them can be assigned by itself"
                    .formatted(
                        key.id(),
                        key.at(),
                        String.join(", ", sharers.stream().map(f -> f.sbdf().toString()).toList())),
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
