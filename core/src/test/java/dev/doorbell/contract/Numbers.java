package dev.doorbell.contract;

import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiFunction;
import java.util.List;

/// The numbers by which controllers tell of vectors, where they are not the interrupts' own.
final class Numbers {
  private Numbers() {}

  /// {@return the interrupt that a controller tells of by a number; the number where no vector has it}
  static int intid(List<MsiFunction> live, MsiController controller, int number) {
    return live.stream()
        .flatMap(f -> f.vectors().stream())
        .filter(v -> v.controller().equals(controller.id()) && v.number() == number)
        .mapToInt(LiveVector::intid)
        .findFirst()
        .orElse(number);
  }
}
