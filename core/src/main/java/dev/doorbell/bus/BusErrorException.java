package dev.doorbell.bus;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// Nothing answers at a physical address, or not with that size.
public final class BusErrorException extends BusException {
  private static final long serialVersionUID = 1L;

  public BusErrorException(String operation, long address, int bytes) {
    super(
        new Refusal(
            "BusErrorException",
            "%s of %d bytes at 0x%x is answered by nothing".formatted(operation, bytes, address),
            Optional.empty(),
            Optional.empty(),
            List.of("address 0x" + Long.toHexString(address)),
            Source.rule("memory and registers that the machine's firmware describes"),
            "check that the firmware's description fits the machine; a device that answered before has failed"));
  }
}
