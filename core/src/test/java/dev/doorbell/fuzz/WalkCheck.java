package dev.doorbell.fuzz;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.MemoryView;
import java.util.Optional;
import java.util.OptionalLong;

/// What a walker says of an access, held against what a model did with it.
public final class WalkCheck {
  private static final String NOT_FOLLOWED = "cannot ";

  private WalkCheck() {}

  /// {@return memory as a walker sees it: nothing where there is none}
  public static MemoryView view(PhysicalMemory memory) {
    return pa -> {
      try {
        return OptionalLong.of(memory.read64(pa & -8L));
      } catch (BusErrorException e) {
        return OptionalLong.empty();
      }
    };
  }

  /// @param modelled what the model's `translate` answered
  /// @param output where the walker says the access leaves
  /// @param stoppedAt why it ends, by the walker
  /// @param way all that the walker says, for the message
  /// @throws IllegalStateException when the walker says both or nothing, or other than the model did
  public static void agree(
      long modelled, Optional<Pa> output, Optional<String> stoppedAt, Object way) {
    if (output.isPresent() == stoppedAt.isPresent()) {
      throw new IllegalStateException("the walk ends twice, or not: " + way);
    }
    boolean followed = !stoppedAt.orElse("").contains(NOT_FOLLOWED);
    if (followed && output.map(Pa::value).orElse(Translator.FAULT) != modelled) {
      throw new IllegalStateException(
          "the model says 0x%x, the walker %s".formatted(modelled, way));
    }
  }
}
