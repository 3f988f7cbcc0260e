package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.description.WireSignal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What holds for APLICs of device trees and of ACPI tables alike.
final class Aplics {
  private Aplics() {}

  /// An APLIC as firmware has it.
  ///
  /// @param sources its wires, as stated
  record Found(int number, String name, long sources, Source source) {}

  /// {@return the description of one; empty, with the reason among the findings, when it cannot be driven}
  static Optional<AplicDescription> describe(
      Draft draft, Found found, @Nullable AddressRange registers, Map<Integer, WireSignal> told) {
    String why = "";
    if (registers == null || registers.bytes() < AplicDescription.REGISTER_BYTES) {
      why = "has less than 16 KiB of registers that CPUs can reach";
    } else if (found.sources() < 1 || found.sources() > AplicDescription.MOST_SOURCES) {
      why =
          "has %d sources, and 1 to %d are possible"
              .formatted(found.sources(), AplicDescription.MOST_SOURCES);
    }
    if (registers == null || !why.isEmpty()) {
      draft.findings.odd("%s %s: it is passed over".formatted(found.name(), why), found.source());
      return Optional.empty();
    }
    return Optional.of(
        new AplicDescription(
            found.number(), registers, (int) found.sources(), told, found.source()));
  }

  /// {@return whether each file has a hart index of its own}
  static boolean canTellApart(List<Imsic.File> files, Imsic.Index index) {
    return files.stream().mapToInt(f -> AplicDescription.hartIndex(f, index)).distinct().count()
        == files.size();
  }

  static void cannotTellApart(Draft draft, String imsic, Source source) {
    draft.findings.odd(
        "pages of %s are alike in the bits of hart and group: no APLIC could tell them apart, and those that send there are passed over"
            .formatted(imsic),
        source);
  }
}
