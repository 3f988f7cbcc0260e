package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.IommuDescription;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/// Finds what the capture tells of an IOMMU's abilities: firmware does not, the kernel's log may.
final class Abilities {
  private static final String CLASS = "sys/class/iommu";

  private Abilities() {}

  /// {@return the address widths that the kernel logged for the IOMMU whose registers are there}
  ///
  /// The log names the kernel's device. A device tree's is `9050000.iommu`; an ACPI one's (`arm-smmu-v3.0.auto`) is
  /// found through the links of `sys/class/iommu`, whose names hold the address, or through `proc/iomem`.
  static IommuDescription.Abilities of(Draft draft, long registers) {
    Optional<KernelLog.Widths> widths =
        draft.log.widths().entrySet().stream()
            .filter(e -> isAt(draft, e.getKey(), registers))
            .map(java.util.Map.Entry::getValue)
            .findFirst();
    return widths
        .map(w ->
            new IommuDescription.Abilities(
                OptionalInt.of(w.input()),
                OptionalInt.of(w.output()),
                List.of(),
                Optional.of(w.source())))
        .orElse(IommuDescription.Abilities.UNSEEN);
  }

  private static boolean isAt(Draft draft, String device, long registers) {
    if (device.startsWith(Long.toHexString(registers) + ".")) {
      return true;
    }
    if (draft
        .ioMemory
        .named(device)
        .map(IoMemory.Line::range)
        .map(AddressRange::start)
        .equals(Optional.of(registers))) {
      return true;
    }
    String suffix = String.format(Locale.ROOT, ".0x%016x", registers);
    for (String name : draft.sysroot.list(CLASS).orElse(List.of())) {
      if (name.endsWith(suffix)
          && draft
              .sysroot
              .linkText(CLASS + "/" + name)
              .filter(t -> t.contains("/" + device + "/"))
              .isPresent()) {
        return true;
      }
    }
    return false;
  }
}
