package dev.doorbell.cli;

import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostOptions;
import dev.doorbell.host.LiveState;
import dev.doorbell.host.WiredPin;
import dev.doorbell.host.WiredTimer;
import dev.doorbell.machine.Machine;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.Survey;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// `doorbell trace` of a pin of an I/O APIC, a source of an APLIC or a timer of an HPET, whose number stands in the place of a vector's.
///
/// @param id the one that firmware gives the I/O APIC, APLIC or HPET
record WiredTrace(Kind kind, int id) {
  private static final Pattern NAME = Pattern.compile("(ioapic|aplic|hpet):(\\d{1,3})");

  /// What sends.
  enum Kind {
    IOAPIC("I/O APIC", "pin"),
    APLIC("APLIC", "source"),
    HPET("HPET", "timer");

    private final String what;
    private final String part;

    Kind(String what, String part) {
      this.what = what;
      this.part = part;
    }
  }

  /// {@return what an argument names, unless it names a function}
  static Optional<WiredTrace> named(String argument) {
    Matcher m = NAME.matcher(argument);
    return m.matches()
        ? Optional.of(
            new WiredTrace(
                Kind.valueOf(m.group(1).toUpperCase(Locale.ROOT)), Integer.parseInt(m.group(2))))
        : Optional.empty();
  }

  /// {@return what it is, for messages}
  String what() {
    return kind.what;
  }

  /// {@return what of it is traced}
  String part(int number) {
    return kind.part + " " + number;
  }

  /// @param again options that name the machine
  /// @throws UnusableInput when the machine has none of that id
  void require(ChosenMachine chosen, String again) {
    List<Integer> has = has(chosen.machine());
    if (!has.contains(id)) {
      throw new UnusableInput(
          "NoSuchFunction",
          has.isEmpty()
              ? "firmware describes no %s".formatted(kind.what)
              : "the machine has no %s %d; it has %s".formatted(kind.what, id, has),
          "see %s inspect%s".formatted(MachineOptions.program(), again));
    }
  }

  private List<Integer> has(MachineDescription machine) {
    return switch (kind) {
      case IOAPIC ->
          machine.apic().stream()
              .flatMap(a -> a.ioApics().stream())
              .map(ApicDescription.IoApic::apicId)
              .toList();
      case APLIC ->
          machine.imsic().stream()
              .flatMap(i -> i.aplics().stream())
              .map(AplicDescription::number)
              .toList();
      case HPET ->
          machine.apic().stream()
              .flatMap(a -> a.hpets().stream())
              .map(ApicDescription.Hpet::number)
              .toList();
    };
  }

  /// {@return the way of a pin, source or timer: by the recorded tables, or as Doorbell would build it}
  ///
  /// @throws IndexOutOfBoundsException when there is no such pin, source or timer
  Route route(
      ChosenMachine chosen, HostOptions options, @Nullable OracleState recorded, int number) {
    if (recorded != null) {
      return walk(new RouteWalker(Survey.of(chosen.machine()), recorded), number);
    }
    try (Machine hardware = chosen.hardware()) {
      Host host = Host.start(hardware, options);
      return switch (kind) {
        case IOAPIC -> {
          try (WiredPin _ = WiredPin.of(host, id, number)) {
            yield walk(host, number);
          }
        }
        case APLIC -> {
          try (WiredPin _ = WiredPin.ofAplic(host, id, number)) {
            yield walk(host, number);
          }
        }
        case HPET -> {
          ApicDescription.Hpet hpet = hpet(chosen.machine(), number);
          if (chosen.machine().isRemapperUntold(hpet)) {
            yield walker(host).untoldTimer(hpet, number);
          }
          try (WiredTimer _ = WiredTimer.of(host, id, number)) {
            yield walk(host, number);
          }
        }
      };
    }
  }

  /// {@return the HPET, whose timers firmware may have counted}
  private ApicDescription.Hpet hpet(MachineDescription machine, int timer) {
    ApicDescription.Hpet hpet =
        machine.apic().stream()
            .flatMap(a -> a.hpets().stream())
            .filter(h -> h.number() == id)
            .findFirst()
            .orElseThrow();
    if (hpet.timers().isPresent() && timer >= hpet.timers().getAsInt()) {
      throw new IndexOutOfBoundsException(
          "hpet:%d has %d timers and no timer %d".formatted(id, hpet.timers().getAsInt(), timer));
    }
    return hpet;
  }

  private static RouteWalker walker(Host host) {
    return new RouteWalker(host.survey(), new LiveState(host, List.of()));
  }

  private Route walk(Host host, int number) {
    return walk(walker(host), number);
  }

  private Route walk(RouteWalker walker, int number) {
    return switch (kind) {
      case IOAPIC -> walker.walkPin(id, number);
      case APLIC -> walker.walkSource(id, number);
      case HPET -> walker.walkTimer(id, number);
    };
  }
}
