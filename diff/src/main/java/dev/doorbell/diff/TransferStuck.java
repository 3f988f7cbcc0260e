package dev.doorbell.diff;

/// A device's transfer does not end.
public final class TransferStuck extends DiffException {
  private static final long serialVersionUID = 1L;

  TransferStuck(String version, long source, long destination) {
    super(
        "an edu of QEMU %s does not finish its transfer of 4 bytes from 0x%x to 0x%x"
            .formatted(version, source, destination));
  }
}
