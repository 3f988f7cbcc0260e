package dev.doorbell.linux;

import dev.doorbell.pci.Seen;
import java.util.Optional;
import java.util.OptionalLong;

/// How many interrupts of a vector the kernel took between two looks.
///
/// @param taken empty when that cannot be told
/// @param unknown why it cannot; empty when it can, and when there is nothing to count
/// @param moved the number that the vector had at the first look, where it has another now
record LiveCount(OptionalLong taken, Optional<String> unknown, Optional<Integer> moved) {
  static LiveCount between(Seen<KernelInterrupt> before, Seen<KernelInterrupt> now) {
    return switch (now) {
      case Seen.There<KernelInterrupt>(KernelInterrupt k) -> of(before, k);
      case Seen.NotThere<KernelInterrupt> n ->
          new LiveCount(OptionalLong.empty(), Optional.empty(), Optional.empty());
      case Seen.NotVisible<KernelInterrupt>(String why) -> unknown(why);
    };
  }

  private static LiveCount of(Seen<KernelInterrupt> before, KernelInterrupt now) {
    return switch (before) {
      case Seen.There<KernelInterrupt>(KernelInterrupt was) -> since(was, now);
      // Made meanwhile, and its counter with it.
      case Seen.NotThere<KernelInterrupt> n -> known(now.count());
      case Seen.NotVisible<KernelInterrupt>(String why) ->
          unknown("its counter was not seen at the first look: " + why);
    };
  }

  private static LiveCount since(KernelInterrupt was, KernelInterrupt now) {
    if (was.irq() != now.irq()) {
      String why = "it was IRQ %d at the first look and is IRQ %d".formatted(was.irq(), now.irq());
      return new LiveCount(OptionalLong.empty(), Optional.of(why), Optional.of(was.irq()));
    }
    // A smaller count is that of a new interrupt with the old one's number.
    return known(now.count() < was.count() ? now.count() : now.count() - was.count());
  }

  private static LiveCount known(long taken) {
    return new LiveCount(OptionalLong.of(taken), Optional.empty(), Optional.empty());
  }

  private static LiveCount unknown(String why) {
    return new LiveCount(OptionalLong.empty(), Optional.of(why), Optional.empty());
  }
}
