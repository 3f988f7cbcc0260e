package dev.doorbell.firmware;

import dev.doorbell.description.Arch;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Unseen;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/// Reads a sysroot into a machine description.
public final class Firmware {
  private static final String FDT = "sys/firmware/fdt";
  private static final String FDT_FOLDERS = "sys/firmware/devicetree/base";
  private static final int FDT_LIMIT = 16 * 1024 * 1024;
  private static final int TEXT_LIMIT = 1024 * 1024;

  private Firmware() {}

  /// {@return the machine that a sysroot describes}
  ///
  /// **Errors**: none for what the sysroot holds: what is malformed becomes an oddity, what depends on it is unseen.
  ///
  /// **Threads**: safe.
  public static MachineDescription read(Sysroot sysroot) {
    Draft draft = new Draft(sysroot);
    AcpiTables tables = acpi(sysroot, draft);
    if (!tables.present().isEmpty()) {
      AcpiMachine.compose(draft, tables);
    } else {
      Optional<FdtTree> tree =
          draft.guarded("the device tree", () -> tree(sysroot, draft), Optional.empty());
      tree.ifPresent(t -> FdtMachine.compose(draft, t));
      if (tree.isEmpty()) {
        draft.findings.unseen(
            "firmware tables",
            "there is neither a readable table in %s nor a readable tree %s"
                .formatted(AcpiTables.FOLDER, FDT),
            "IOMMUs, MSI controllers and id mappings are not known",
            EnumSet.allOf(Unseen.Hidden.class));
      }
    }
    BareBridges.compose(draft);
    if (draft.arch == Arch.UNKNOWN) {
      draft.arch = draft.log.arch().or(() -> arch(sysroot)).orElse(Arch.UNKNOWN);
    }
    if (draft.arch == Arch.X86) {
      X86Machine.compose(draft, tables);
    }
    if (draft.arch == Arch.RISCV64 && !tables.present().isEmpty()) {
      RiscvMachine.compose(draft, tables);
    }
    VirtioRegions.add(draft);
    memory(draft);
    abilities(draft);
    return draft.finish();
  }

  private static AcpiTables acpi(Sysroot sysroot, Draft draft) {
    return switch (sysroot.shape()) {
      case TABLES -> AcpiTables.read(sysroot, "", draft.findings);
      case ROOT ->
          sysroot.isFolder(AcpiTables.FOLDER)
              ? AcpiTables.read(sysroot, AcpiTables.FOLDER, draft.findings)
              : AcpiTables.ofDump(sysroot, draft.findings);
      case FILE -> AcpiTables.ofFile(draft.rootFile, draft.findings);
    };
  }

  private static Optional<FdtTree> tree(Sysroot sysroot, Draft draft) {
    if (sysroot.shape() == Sysroot.Shape.FILE) {
      return draft
          .rootFile
          .filter(b -> b.size() >= 4 && b.be32(0) == FdtTree.MAGIC)
          .flatMap(b -> FdtTree.read(b, draft.findings));
    }
    Optional<Blob> flattened =
        sysroot
            .read(FDT, FDT_LIMIT)
            .blob(why ->
                draft.findings.unseen("the device tree", why, "what it describes is not known"));
    if (flattened.isPresent()) {
      return FdtTree.read(flattened.get(), draft.findings);
    }
    return sysroot.isFolder(FDT_FOLDERS)
        ? FdtTree.readFolders(sysroot, FDT_FOLDERS, draft.findings)
        : Optional.empty();
  }

  private static void abilities(Draft draft) {
    unseen(
        draft,
        "address widths",
        a -> a.inputBits().isEmpty(),
        "where the aperture ends is not known");
    unseen(
        draft,
        "granules",
        a -> a.granules().isEmpty(),
        "which sizes of pages a domain may have is not known");
  }

  private static void unseen(
      Draft draft, String what, Predicate<IommuDescription.Abilities> missing, String consequence) {
    List<String> without =
        draft.iommus.stream()
            .filter(i -> !(i instanceof IommuDescription.Other) && missing.test(i.abilities()))
            .map(IommuDescription::id)
            .toList();
    if (!without.isEmpty()) {
      draft.findings.unseen(
          what + " of " + String.join(", ", without),
          "firmware does not tell them and there is no line of the kernel's log that does",
          consequence);
    }
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
    if (sysroot.text("proc/interrupts", TEXT_LIMIT).orElse("").contains("IO-APIC")) {
      return Optional.of(Arch.X86);
    }
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
