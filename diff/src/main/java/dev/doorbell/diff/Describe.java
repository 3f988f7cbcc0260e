package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import java.util.List;

/// Says in the manuals' words what a step does.
final class Describe {
  private Describe() {}

  /// {@return a few words, or the empty string}
  static String step(Hardware hardware, Step step) {
    Family<?> family = hardware.family();
    return switch (step) {
      case Step.Store(long address, _) -> family.stored(address);
      case Step.Write(long address, _, _) -> family.register(address);
      case Step.Read(long address, _) -> family.register(address);
      case Step.Command(List<Long> words) -> command(hardware, words);
      case Step.Clear _, Step.Message _, Step.Fetch _, Step.Drain _, Step.Acknowledge _ -> "";
    };
  }

  /// {@return a command's name, or its number}
  static String command(Hardware hardware, List<Long> words) {
    return words.isEmpty() ? "" : hardware.family().command(words);
  }

  /// {@return a register's name}
  static String register(Hardware hardware, long address) {
    return hardware.family().register(address);
  }

  /// {@return the name of the register at an offset of a map, or the empty string}
  static String in(RegisterMap map, long offset) {
    if (offset < 0 || offset >= map.bytes()) {
      return "";
    }
    return map.find(offset).map(h -> name(h.register(), h.index())).orElse("");
  }

  private static String name(Register register, int index) {
    return register.count() == 1 ? register.name() : register.name() + index;
  }
}
