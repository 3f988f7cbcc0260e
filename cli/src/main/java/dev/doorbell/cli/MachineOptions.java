package dev.doorbell.cli;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.FirmwareException;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.qemu.Board;
import dev.doorbell.qemu.QemuMachine;
import dev.doorbell.survey.WhatIf;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which machine a command looks at.
final class MachineOptions {
  private static final String SAMPLE = "samples/arm64-its-acpi-switch-sriov";

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description =
          "A sysroot: a folder laid out as a Linux root (a capture, or / itself), an lspci -xxxx or acpidump text, or a folder of ACPI tables.")
  private @Nullable Path root;

  @Option(
      names = "--with",
      paramLabel = "SBDF,msix=N|msi=N[,addr64=no]",
      description =
          "Add a what-if function, for machines captured without PCI config space. May be given several times.")
  private List<String> with = new ArrayList<>();

  /// Whose hardware.
  enum On {
    EMBEDDED,
    QEMU,
    LINUX
  }

  @Option(
      names = "--on",
      paramLabel = "embedded|qemu|linux",
      description =
          "Whose hardware: our own models of a captured machine (the default), the devices of QEMU (Debian: qemu-system-arm), or this very host's, through its Linux kernel.")
  private On on = On.EMBEDDED;

  @Option(
      names = "--qemu",
      paramLabel = "gicv3|gicv3-stage2|gicv2m|q35-vtd|q35-amdvi|riscv-imsic",
      description =
          "With --on qemu, which machine: gicv3, with an ITS (the default); gicv3-stage2, the same with an SMMUv3 of stage 2 only (QEMU 9.1 or later); gicv2m, with a v2m frame; all three with an SMMUv3. Or a PC (Debian: qemu-system-x86): q35-vtd or q35-amdvi. Or a RISC-V machine (qemu-system-riscv64 of QEMU 10 or later): riscv-imsic.")
  private @Nullable Board board;

  /// What was found without being named: the root beside captured tables, or the bundled sample.
  private @Nullable Path found;

  /// As `--root` does.
  void lookAt(Path at) {
    root = at;
  }

  /// {@return the machine under `--root`, or the bundled sample}
  ChosenMachine orSample() {
    checkRoot();
    if (isQemu()) {
      return qemu();
    }
    if (isLinux()) {
      return live();
    }
    return root != null ? read(root, Optional.empty()) : sample(Optional.empty());
  }

  /// {@return the machine under `--root`; else the one whose captured tables are walked; else the bundled sample}
  ///
  /// @param tables a folder of tables beside a captured root, or null
  ChosenMachine orSample(@Nullable Path tables) {
    checkRoot();
    if (tables != null && (isQemu() || isLinux())) {
      throw contradiction("--tables", "leave one of them out");
    }
    Path beside = tables == null ? null : tables.toAbsolutePath().normalize().getParent();
    boolean captured =
        beside != null
            && (Files.isDirectory(beside.resolve("sys"))
                || Files.isDirectory(beside.resolve("proc")));
    if (root == null && beside != null && captured) {
      found = beside;
      return read(beside, Optional.empty());
    }
    return orSample();
  }

  /// {@return the machine under `--root`, or this very one; the sample where that has no PCI behind an IOMMU}
  ChosenMachine orHost() {
    checkRoot();
    if (isQemu()) {
      return qemu();
    }
    if (isLinux()) {
      return live();
    }
    if (root != null) {
      return read(root, Optional.empty());
    }
    ChosenMachine host = read(Path.of("/"), Optional.empty());
    if (host.machine().iommus().isEmpty() || host.machine().functions().isEmpty()) {
      return sample(
          Optional.of(
              "this machine has no PCI function behind an IOMMU; showing the bundled sample instead (--root / looks here all the same)"));
    }
    return host;
  }

  /// {@return whether the hardware is this host's own}
  boolean isLinux() {
    return on == On.LINUX;
  }

  /// {@return this host, with sysfs and procfs under `--root` where that is given}
  ChosenMachine live() {
    checkRoot();
    isQemu();
    if (!with.isEmpty()) {
      throw new UnusableInput(
          "BadArguments",
          "--on linux and --with name two machines",
          "leave one of them out; this host has the functions it has");
    }
    return read(liveRoot(), Optional.empty());
  }

  /// {@return where this host's sysfs and procfs are}
  Path liveRoot() {
    return root == null ? Path.of("/") : root;
  }

  /// {@return whether the hardware is QEMU's}
  private boolean isQemu() {
    if (on != On.QEMU && board != null) {
      throw new UnusableInput(
          "BadArguments",
          "--qemu chooses a machine of QEMU, and --on qemu is not given",
          "add --on qemu");
    }
    return on == On.QEMU;
  }

  private ChosenMachine qemu() {
    if (root != null) {
      throw contradiction("--root", "leave one of them out; QEMU's machine describes itself");
    }
    if (!with.isEmpty()) {
      throw contradiction("--with", "leave one of them out; QEMU's machine has the devices it has");
    }
    Board chosen = board == null ? Board.GICV3 : board;
    return ChosenMachine.of(QemuMachine.start(chosen.binary(), chosen, chosen.devices()));
  }

  UnusableInput contradiction(String other, String advice) {
    return new UnusableInput(
        "BadArguments", "--on %s and %s name two machines".formatted(Json.name(on), other), advice);
  }

  /// An empty name would be the folder that the command runs in, which an unset variable of a script does not mean.
  private void checkRoot() {
    if (root != null && root.toString().isEmpty()) {
      throw new UnusableInput(
          "BadArguments", "--root is empty", "give --root a folder laid out as a Linux root");
    }
  }

  /// {@return the arguments that lead any command to the same machine again, each with a blank before it; commands differ in what they look at
  /// when nothing is named}
  String again() {
    StringBuilder out = new StringBuilder();
    if (on == On.QEMU) {
      out.append(" --on qemu").append(board == null ? "" : " --qemu " + Json.name(board));
    }
    if (isLinux()) {
      out.append(" --on linux");
    }
    Path at = root == null ? found : root;
    if (at != null) {
      out.append(" --root ").append(quoted(at.toString()));
    }
    with.forEach(w -> out.append(" --with ").append(quoted(w)));
    return out.toString();
  }

  /// {@return whether the arguments named the machine}
  boolean isNamed() {
    return root != null || on != On.EMBEDDED || !with.isEmpty();
  }

  /// {@return how this program is called again, as it was called now}
  static String program() {
    return quoted(System.getProperty("doorbell.command", "doorbell"));
  }

  /// {@return a word as a shell takes it}
  private static String quoted(String word) {
    return word.matches("[-A-Za-z0-9_./:,=@%+]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }

  private ChosenMachine sample(Optional<String> note) {
    Path home = Path.of(System.getProperty("doorbell.home", "."));
    Path sample = home.resolve(SAMPLE);
    if (!Files.isDirectory(sample)) {
      throw new UnusableInput(
          "NoSample",
          "the bundled sample is not at " + sample,
          "start doorbell by the script in its own folder, or give --root");
    }
    found = sample;
    return read(sample, note);
  }

  private ChosenMachine read(Path at, Optional<String> note) {
    try {
      MachineDescription machine = Firmware.read(Sysroot.open(at));
      if (Files.isRegularFile(at) && tellsNothing(machine)) {
        throw nothingIn(at, machine);
      }
      for (String spec : with) {
        machine = whatIf(spec).addTo(machine);
      }
      return new ChosenMachine(machine, at.toString(), note, Optional.empty());
    } catch (FirmwareException e) {
      throw new UnusableInput(
          "UnusableSysroot",
          String.valueOf(e.getMessage()),
          "give --root a folder laid out as a Linux root");
    } catch (IllegalArgumentException e) {
      throw new UnusableInput(
          "BadArguments",
          String.valueOf(e.getMessage()),
          "write --with like 0000:01:00.0,msix=64 or 0000:01:00.0,msi=8,addr64=no");
    }
  }

  private static boolean tellsNothing(MachineDescription m) {
    return m.functions().isEmpty()
        && m.iommus().isEmpty()
        && m.msiControllers().isEmpty()
        && m.hostBridges().isEmpty()
        && m.gic().isEmpty();
  }

  /// A file that was named and says nothing cannot be what was meant; a folder may be a capture of little.
  private static UnusableInput nothingIn(Path at, MachineDescription m) {
    String odd =
        m.oddities().stream()
            .findFirst()
            .map(o -> "; first, %s (%s)".formatted(o.message(), o.source()))
            .orElse("");
    return new UnusableInput(
        "UnusableSysroot",
        "%s tells of no PCI function, IOMMU, MSI controller or host bridge%s".formatted(at, odd),
        "give --root a folder laid out as a Linux root, the output of lspci -xxxx or acpidump, an ACPI table or a flattened device tree");
  }

  private static WhatIf whatIf(String spec) {
    String[] parts = spec.split(",", -1);
    int msix = 0;
    int msi = 0;
    boolean address64 = true;
    java.util.Set<String> given = new java.util.HashSet<>();
    for (int i = 1; i < parts.length; i++) {
      String[] pair = parts[i].split("=", 2);
      String value = pair.length == 2 ? pair[1] : "";
      if (!given.add(pair[0])) {
        throw new IllegalArgumentException("--with %s gives %s twice".formatted(spec, pair[0]));
      }
      switch (pair[0]) {
        case "msix" -> msix = number(value, spec);
        case "msi" -> msi = number(value, spec);
        case "addr64" -> address64 = yes(value, spec);
        default ->
            throw new IllegalArgumentException(
                "'%s' in --with %s is none of msix=N, msi=N, addr64=yes|no"
                    .formatted(parts[i], spec));
      }
    }
    return new WhatIf(Sbdf.parse(parts[0]), msix, msi, address64);
  }

  private static int number(String value, String spec) {
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "'%s' in --with %s is not a number".formatted(value, spec), e);
    }
  }

  private static boolean yes(String value, String spec) {
    return switch (value) {
      case "yes" -> true;
      case "no" -> false;
      default ->
          throw new IllegalArgumentException(
              "addr64=%s in --with %s is neither yes nor no".formatted(value, spec));
    };
  }
}
