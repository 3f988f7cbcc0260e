package dev.doorbell.cli;

import dev.doorbell.description.ApicDescription;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostOptions;
import dev.doorbell.host.LiveState;
import dev.doorbell.host.WiredPin;
import dev.doorbell.machine.Machine;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.Survey;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// `doorbell trace` of a pin of an I/O APIC, whose number stands in the place of a vector's.
final class PinTrace {
  private static final Pattern NAME = Pattern.compile("ioapic:(\\d{1,3})");

  private PinTrace() {}

  /// {@return the id of the I/O APIC that an argument names, unless it names a function}
  static OptionalInt ioApic(String argument) {
    Matcher m = NAME.matcher(argument);
    return m.matches() ? OptionalInt.of(Integer.parseInt(m.group(1))) : OptionalInt.empty();
  }

  /// @param again options that name the machine
  /// @throws UnusableInput when the machine has no such I/O APIC
  static void require(ChosenMachine chosen, int ioApic, String again) {
    List<Integer> has =
        chosen.machine().apic().stream()
            .flatMap(a -> a.ioApics().stream())
            .map(ApicDescription.IoApic::apicId)
            .toList();
    if (!has.contains(ioApic)) {
      throw new UnusableInput(
          "NoSuchFunction",
          has.isEmpty()
              ? "firmware describes no I/O APIC"
              : "the machine has no I/O APIC %d; it has %s".formatted(ioApic, has),
          "see %s inspect%s".formatted(MachineOptions.program(), again));
    }
  }

  /// {@return the way of a pin: by the recorded tables, or as Doorbell would build it}
  ///
  /// @throws IndexOutOfBoundsException when the I/O APIC has no such pin
  static Route of(
      ChosenMachine chosen,
      HostOptions options,
      @Nullable OracleState recorded,
      int ioApic,
      int pin) {
    if (recorded != null) {
      return new RouteWalker(Survey.of(chosen.machine()), recorded).walkPin(ioApic, pin);
    }
    try (Machine hardware = chosen.hardware()) {
      Host host = Host.start(hardware, options);
      try (WiredPin _ = WiredPin.of(host, ioApic, pin)) {
        return new RouteWalker(host.survey(), new LiveState(host, List.of())).walkPin(ioApic, pin);
      }
    }
  }
}
