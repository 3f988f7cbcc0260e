package dev.doorbell.vfio;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Memory cannot be reached by devices of this machine.
public final class NotMachineMemory extends VfioException {
  private static final long serialVersionUID = 1L;

  public NotMachineMemory(String memory, String machine) {
    super(
        new Refusal(
            "NotMachineMemory",
            "%s is no memory of %s, and its devices cannot reach it".formatted(memory, machine),
            Optional.empty(),
            Optional.empty(),
            List.of(memory, machine),
            Source.rule("devices of an embedded machine reach its memory, not this process"),
            "take a buffer from the container"));
  }
}
