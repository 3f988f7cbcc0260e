package dev.doorbell.hw.gicits;

/// What a modelled ITS has.
///
/// @param deviceIdBits bits of a DeviceID, 1 to 32
/// @param eventIdBits bits of an EventID, 1 to 32
/// @param byAddress whether commands name a Redistributor by address (GITS_TYPER.PTA) or by processor number
/// @param indirect whether tables may have two levels
/// @param pageSizes bit n is set when GITS_BASER.Page_Size may be n; at least one of bits 0 to 2
/// @param hardwareCollections collections held without memory (GITS_TYPER.HCC), 0 to 255; no collection table then
public record ItsConfig(
    int deviceIdBits,
    int eventIdBits,
    boolean byAddress,
    boolean indirect,
    int pageSizes,
    int hardwareCollections) {
  /// An ITS as QEMU 7.2 to 11.1 emulates it.
  public static final ItsConfig QEMU = new ItsConfig(16, 16, false, true, 0b111, 0);

  public ItsConfig {
    if (deviceIdBits < 1
        || deviceIdBits > 32
        || eventIdBits < 1
        || eventIdBits > 32
        || pageSizes < 1
        || pageSizes > 0b111
        || hardwareCollections < 0
        || hardwareCollections > 255) {
      throw new IllegalArgumentException(
          "no ITS has %d DeviceID bits, %d EventID bits, page sizes %d and %d collections of its own"
              .formatted(deviceIdBits, eventIdBits, pageSizes, hardwareCollections));
    }
  }

  /// {@return the same with another number of DeviceID bits}
  public ItsConfig withDeviceIdBits(int bits) {
    return new ItsConfig(bits, eventIdBits, byAddress, indirect, pageSizes, hardwareCollections);
  }
}
