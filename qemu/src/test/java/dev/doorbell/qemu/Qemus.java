package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/// The QEMU that tests use. Without one they skip, and say which package is missing.
final class Qemus {
  static final AddressRange RAM = AddressRange.ofSize(0x4000_0000L, 256L << 20);
  static final Duration PATIENCE = Duration.ofSeconds(60);

  private Qemus() {}

  static QemuBinary orSkip() {
    try {
      return QemuBinary.arm();
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
  }

  static QemuProcess virt(String... devices) {
    return start(orSkip(), PATIENCE, devices);
  }

  static QemuProcess start(QemuBinary binary, Duration patience, String... devices) {
    return QemuProcess.start(
        new QemuProcess.Settings(
            binary, "virt,gic-version=3,its=on,iommu=smmuv3", RAM, arguments(devices), patience));
  }

  private static List<String> arguments(String... devices) {
    List<String> out =
        new java.util.ArrayList<>(List.of("-cpu", "cortex-a57,start-powered-off=on"));
    for (String device : devices) {
      out.addAll(List.of("-device", device));
    }
    return out;
  }
}
