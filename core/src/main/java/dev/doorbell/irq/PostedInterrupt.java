package dev.doorbell.irq;

/// Where a message is posted: to a guest's processor, which finds it in a descriptor in memory.
///
/// @param descriptor physical address of the {@link PostedDescriptor}
/// @param vector the guest's own, 0 to 255
/// @param urgent whether the processor is notified though the descriptor suppresses it
public record PostedInterrupt(long descriptor, int vector, boolean urgent) {
  private static final int LAST_VECTOR = 255;

  public PostedInterrupt {
    if (vector < 0 || vector > LAST_VECTOR) {
      throw new IllegalArgumentException(
          "a guest's processor has vectors 0 to %d, not %d".formatted(LAST_VECTOR, vector));
    }
  }

  @Override
  public String toString() {
    return "guest vector %d in the descriptor at 0x%x%s"
        .formatted(vector, descriptor, urgent ? ", urgent" : "");
  }
}
