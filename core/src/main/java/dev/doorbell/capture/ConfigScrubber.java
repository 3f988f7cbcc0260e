package dev.doorbell.capture;

import dev.doorbell.pci.Capability;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.Arrays;

/// Blanks serial numbers in configuration space: the Device Serial Number capability, and the last word read through the VPD capability.
///
/// **Source**: PCI Express Base 6.0, 7.9.3 (Device Serial Number) and 7.9.18 (VPD).
final class ConfigScrubber {
  private static final int DEVICE_SERIAL_NUMBER = 0x0003;
  private static final int VPD = 0x03;
  private static final int REGISTERS_AT = 4;
  private static final int SERIAL_BYTES = 8;
  private static final int VPD_DATA_BYTES = 4;
  private static final int LARGEST = 4096;
  private static final Sbdf ANY = Sbdf.parse("0000:00:00.0");

  private ConfigScrubber() {}

  /// Blanks in place.
  ///
  /// @return how many places were blanked
  static int scrub(byte[] config) {
    if (config.length > LARGEST) {
      return 0;
    }
    PciFunction function = PciFunction.of(ANY, ConfigImage.of(config, "config"), "config");
    int count = 0;
    for (Capability c : function.capabilities().all()) {
      if (c.extended() && c.id() == DEVICE_SERIAL_NUMBER) {
        count += blank(config, c.offset() + REGISTERS_AT, SERIAL_BYTES);
      } else if (!c.extended() && c.id() == VPD) {
        count += blank(config, c.offset() + REGISTERS_AT, VPD_DATA_BYTES);
      }
    }
    return count;
  }

  private static int blank(byte[] config, int from, int bytes) {
    int last = Math.min(config.length, from + bytes);
    boolean some = false;
    for (int i = from; i < last; i++) {
      some |= config[i] != 0;
    }
    if (from < last) {
      Arrays.fill(config, from, last, (byte) 0);
    }
    return some ? 1 : 0;
  }
}
