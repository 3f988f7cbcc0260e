package dev.doorbell.cli;

import dev.doorbell.description.HostBridge;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Functions named on the command line.
final class Functions {
  private static final Pattern COMMA = Pattern.compile(",");

  private Functions() {}

  /// {@return the functions that some arguments name, each once; an argument may hold several, with commas}
  ///
  /// @throws UnusableInput when one is not a function, or the machine has it not
  static List<Sbdf> parse(Survey survey, List<String> arguments) {
    List<Sbdf> out = named(arguments);
    out.forEach(f -> require(survey, f));
    return out;
  }

  /// {@return the functions that some arguments name, each once, whether or not a machine has them}
  ///
  /// @throws UnusableInput when one is not a function
  static List<Sbdf> named(List<String> arguments) {
    Set<Sbdf> out = new LinkedHashSet<>();
    for (String text : arguments.stream().flatMap(a -> Stream.of(COMMA.split(a, -1))).toList()) {
      out.add(one(text));
    }
    return new ArrayList<>(out);
  }

  /// {@return the first endpoint with MSI-X}
  ///
  /// @throws UnusableInput when the machine shows none
  static Sbdf firstWithMsix(Survey survey) {
    return survey.functions().stream()
        .filter(f -> !f.pci().isBridge() && f.pci().msix().isThere())
        .map(SurveyedFunction::sbdf)
        .findFirst()
        .orElseThrow(() ->
            new UnusableInput(
                "NoSuchFunction",
                survey.functions().isEmpty()
                    ? "the capture has no PCI functions"
                    : "no endpoint of the capture shows an MSI-X capability",
                "name a function, or add a what-if function with --with %s,msix=8"
                    .formatted(free(survey))));
  }

  /// {@return an address that no function has, on a bus that the machine has}
  private static Sbdf free(Survey survey) {
    Sbdf at = Sbdf.parse("0000:01:00.0");
    List<HostBridge> bridges = survey.machine().hostBridges();
    if (!bridges.isEmpty()) {
      HostBridge b = bridges.getFirst();
      at = Sbdf.of(b.segment(), Math.min(b.firstBus() + 1, b.lastBus()) << Byte.SIZE);
    }
    while (survey.function(at).isPresent()) {
      at = Sbdf.of(at.segment(), at.requesterId() + 1);
    }
    return at;
  }

  /// {@return the function that a word names}
  ///
  /// @throws UnusableInput when it names none
  static Sbdf one(String text) {
    try {
      return Sbdf.parse(text);
    } catch (IllegalArgumentException e) {
      throw new UnusableInput(
          "BadArguments", String.valueOf(e.getMessage()), "write functions as 0000:01:00.0");
    }
  }

  private static void require(Survey survey, Sbdf sbdf) {
    if (survey.function(sbdf).isEmpty()) {
      List<Sbdf> known = survey.functions().stream().map(SurveyedFunction::sbdf).toList();
      throw new UnusableInput(
          "NoSuchFunction",
          known.isEmpty()
              ? "%s is not in this machine, which has no PCI functions at all".formatted(sbdf)
              : "%s is not in this machine; it has %s".formatted(sbdf, known),
          survey.machine().hostBridges().isEmpty() || survey.machine().hostBridge(sbdf).isPresent()
              ? "name one that is there; --with %s,msix=8 adds a what-if function to a captured machine"
                  .formatted(sbdf)
              : "name one that is there; no root complex of this machine has bus %04x:%02x"
                  .formatted(sbdf.segment(), sbdf.bus()));
    }
  }
}
