package dev.doorbell.firmware;

import dev.doorbell.description.Arch;
import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Reads a sysroot into a machine description.
public final class Firmware {
  private static final int TEXT_LIMIT = 1024 * 1024;

  private Firmware() {}

  /// {@return the machine that a sysroot describes}
  ///
  /// **Errors**: none for what the sysroot holds: what is malformed becomes an oddity, what depends on it is unseen.
  ///
  /// **Threads**: safe.
  public static MachineDescription read(Sysroot sysroot) {
    Draft draft = new Draft(sysroot);
    AcpiTables tables = acpi(sysroot, draft.findings);
    if (!tables.present().isEmpty()) {
      AcpiMachine.compose(draft, tables);
    } else {
      draft.findings.unseen(
          "firmware tables",
          "there is neither %s nor sys/firmware/fdt".formatted(AcpiTables.FOLDER),
          "IOMMUs, MSI controllers and id mappings are not known");
    }
    memory(draft);
    if (draft.arch == Arch.UNKNOWN) {
      draft.arch = draft.log.arch().or(() -> arch(sysroot)).orElse(Arch.UNKNOWN);
    }
    if (draft.firmware == FirmwareKind.NONE) {
      BareBridges.compose(draft);
    }
    widths(draft);
    return draft.finish();
  }

  private static void widths(Draft draft) {
    List<String> without =
        draft.iommus.stream()
            .filter(
                i -> !(i instanceof IommuDescription.Other) && i.abilities().inputBits().isEmpty())
            .map(IommuDescription::id)
            .toList();
    if (!without.isEmpty()) {
      draft.findings.unseen(
          "address widths of " + String.join(", ", without),
          "firmware does not tell them and there is no line of the kernel's log that does",
          "where the aperture ends is not known");
    }
  }

  private static AcpiTables acpi(Sysroot sysroot, Findings findings) {
    return switch (sysroot.shape()) {
      case TABLES -> AcpiTables.read(sysroot, "", findings);
      case ROOT -> AcpiTables.read(sysroot, AcpiTables.FOLDER, findings);
      case FILE -> new AcpiTables(java.util.Map.of(), List.of());
    };
  }

  private static void memory(Draft draft) {
    if (draft.ioMemory.seen()) {
      draft.memory.clear();
      draft
          .ioMemory
          .ram()
          .forEach(l -> draft.memory.add(new MachineDescription.Memory(l.range(), l.source())));
    }
    if (draft.memory.isEmpty()) {
      draft.findings.unseen(
          "RAM",
          "nothing in the capture tells where it is",
          "a memory map cannot be checked against it");
    }
  }

  private static Optional<Arch> arch(Sysroot sysroot) {
    String cpus = sysroot.text("proc/cpuinfo", TEXT_LIMIT).orElse("").toLowerCase(Locale.ROOT);
    if (cpus.contains("cpu implementer")) {
      return Optional.of(Arch.ARM64);
    }
    if (cpus.contains("vendor_id") || cpus.contains("genuineintel")) {
      return Optional.of(Arch.X86);
    }
    if (cpus.contains("rv64")) {
      return Optional.of(Arch.RISCV64);
    }
    return cpus.contains("timebase") ? Optional.of(Arch.PPC64) : Optional.empty();
  }
}
