package dev.doorbell.doctor;

import dev.doorbell.description.Arch;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.Recorded;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Contents;
import dev.doorbell.firmware.DeviceNodes;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import dev.doorbell.survey.VfioDrivers;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Everything that the checks look at, read once.
///
/// @param asked the functions that the user named; empty for all
/// @param groups the kernel's real groups: those that VFIO makes up in no-IOMMU mode are left out
/// @param iommus names in `sys/class/iommu`
/// @param iommusSeen whether that folder, or the whole of `sys/kernel`, was there to be seen
/// @param allowsUnsafe whether VFIO is told to accept interrupts that are not isolated
record Evidence(
    Sysroot sysroot,
    MachineDescription machine,
    Survey survey,
    List<Sbdf> asked,
    KernelConfig config,
    CommandLine commandLine,
    BootLog log,
    Modules modules,
    DeviceNodes nodes,
    Tables tables,
    List<Recorded.Group> groups,
    List<String> iommus,
    boolean iommusSeen,
    boolean allowsUnsafe) {
  private static final String CMDLINE = "proc/cmdline";

  /// Drivers that let a user's group be, beside VFIO's own (`driver_managed_dma`, Linux 6.12).
  private static final Set<String> HARMLESS = Set.of("pci-stub", "pcieport");

  /// Whose parameter it is: of containers, and of devices' own files.
  private static final List<String> INTERFACES = List.of("vfio_iommu_type1", "iommufd");

  static final String UNSAFE = "allow_unsafe_interrupts";

  /// What kernels say of an IOMMU that they use: of each function from 5.3 on and before, and of the whole.
  private static final List<String> RUNNING =
      List.of(
          "Adding to iommu group",
          "iommu: Adding device ",
          "DMAR: Intel(R) Virtualization Technology for Directed I/O");

  private static final Pattern NOIOMMU =
      Pattern.compile("(\\S+): Adding kernel taint for vfio-noiommu group on device");

  private static final int LIMIT = 64 * 1024;
  private static final int MOST = 4096;

  private static final Sbdf FIRST = Sbdf.parse("0000:00:00.0");

  private static final int BASE_CLASS = 0x1_0000;
  private static final int BRIDGES = 0x06;

  Evidence {
    asked = List.copyOf(asked);
    groups = List.copyOf(groups);
    iommus = List.copyOf(iommus);
  }

  static Evidence gather(Sysroot sysroot, Survey survey, List<Sbdf> asked) {
    MachineDescription machine = survey.machine();
    BootLog log = BootLog.read(sysroot);
    CommandLine line = commandLine(sysroot, log);
    Modules modules = Modules.read(sysroot);
    Optional<List<String>> iommus = sysroot.list("sys/class/iommu");
    boolean kernelSeen = sysroot.isLive() && sysroot.isFolder("sys/kernel");
    boolean unsafe = INTERFACES.stream().anyMatch(m -> isOn(modules, line, m));
    return new Evidence(
        sysroot,
        machine,
        survey,
        asked,
        KernelConfig.read(sysroot),
        line,
        log,
        modules,
        DeviceNodes.read(sysroot),
        Tables.read(sysroot, log),
        machine.recorded().groups().stream()
            .filter(g -> !g.functions().isEmpty() && !isMadeUp(sysroot, g))
            .toList(),
        iommus.orElse(List.of()),
        iommus.isPresent() || kernelSeen,
        unsafe);
  }

  /// {@return what to do where files are not in the input that a running host has}
  static String give(String files) {
    return "run doctor on the host itself, or give a sysroot that has " + files;
  }

  /// {@return what to do about what only root may read: who looks at a capture gains nothing by being root}
  ///
  /// @param why what privilege changes; lower case, no period
  String asRoot(String why) {
    return sysroot.isLive()
        ? "run doctor as root (sudo ./doorbell doctor): " + why
        : "capture the host again as root (sudo ./doorbell capture): " + why;
  }

  private static boolean isOn(Modules modules, CommandLine line, String module) {
    return modules
        .parameter(module, UNSAFE)
        .map(v -> v.equals("Y") || v.equals("1"))
        .orElseGet(() -> line.isOn(module + "." + UNSAFE));
  }

  /// VFIO's no-IOMMU groups carry this name.
  private static boolean isMadeUp(Sysroot sysroot, Recorded.Group g) {
    return sysroot
        .text("sys/kernel/iommu_groups/" + g.number() + "/name", LIMIT)
        .map(n -> n.strip().equals("vfio-noiommu"))
        .orElse(false);
  }

  private static CommandLine commandLine(Sysroot sysroot, BootLog log) {
    if (sysroot.read(CMDLINE, LIMIT) instanceof Contents.Present(var blob)) {
      return CommandLine.parse(blob.latin1(), Source.file(CMDLINE));
    }
    Optional<BootLog.Hit> said =
        log.first("Kernel command line: ").or(() -> log.first("Command line: "));
    return said.map(hit ->
            CommandLine.parse(
                hit.text()
                    .substring(hit.text().indexOf("ommand line: ") + "ommand line: ".length()),
                hit.source()))
        .orElseGet(() -> CommandLine.unseen(Source.file(CMDLINE)));
  }

  /// {@return the functions that the answer is about: those that were asked for, else all endpoints; bridges are not assigned}
  List<SurveyedFunction> endpoints() {
    return survey.functions().stream()
        .filter(f -> asked.isEmpty() ? isEndpoint(f) : asked.contains(f.sbdf()))
        .toList();
  }

  private static boolean isEndpoint(SurveyedFunction f) {
    return !f.pci().isBridge() && f.pci().classCode() / BASE_CLASS != BRIDGES;
  }

  /// {@return the kernel's group of a function}
  Optional<Recorded.Group> recordedGroup(Sbdf sbdf) {
    return groups.stream().filter(g -> g.functions().contains(sbdf)).findFirst();
  }

  /// {@return whether VFIO holds a function: the kernel made it a device of VFIO's, or its driver is known to}
  boolean isHeldByVfio(FunctionDescription f) {
    boolean shown =
        sysroot
            .list("sys/bus/pci/devices/" + f.sbdf() + "/vfio-dev")
            .filter(devices -> !devices.isEmpty())
            .isPresent();
    return shown || f.driver().filter(VfioDrivers::has).isPresent();
  }

  /// {@return whether what holds a function gives it no DMA address, so that its group stays viable}
  boolean isHarmless(FunctionDescription f) {
    return f.driver().filter(HARMLESS::contains).isPresent() || isHeldByVfio(f);
  }

  /// {@return the vendor of what is at 00:00.0, usually the chipset's or the processor's; 0 where it is not seen}
  int rootVendor() {
    return machine.functions().stream()
        .filter(f -> f.sbdf().equals(FIRST))
        .findFirst()
        .flatMap(f -> survey.function(f.sbdf()))
        .map(f -> f.pci().vendor())
        .orElse(0);
  }

  boolean isX86() {
    return machine.arch() == Arch.X86;
  }

  boolean isArm() {
    return machine.arch() == Arch.ARM64;
  }

  /// {@return whether the kernel runs an IOMMU; empty when that could not be seen}
  Optional<Boolean> iommuRuns() {
    if (!groups.isEmpty() || !iommus.isEmpty() || saidToRun().isPresent()) {
      return Optional.of(true);
    }
    boolean seen = iommusSeen || machine.recorded().groupsSeen();
    return seen ? Optional.of(false) : Optional.empty();
  }

  /// {@return a line by which the kernel tells that it uses an IOMMU; groups that VFIO makes up without one are passed over}
  Optional<BootLog.Hit> saidToRun() {
    Set<String> madeUp =
        log.all("vfio-noiommu group on device", MOST).stream()
            .map(h -> NOIOMMU.matcher(h.text()))
            .filter(Matcher::find)
            .map(m -> m.group(1))
            .collect(Collectors.toSet());
    return RUNNING.stream()
        .flatMap(line -> log.all(line, MOST).stream())
        .filter(h -> madeUp.stream().noneMatch(f -> h.text().contains(f + ":")))
        .findFirst();
  }

  /// {@return the module whose parameter allows unsafe interrupts, or would: iommufd where there are no containers of type 1}
  String unsafeModule() {
    return INTERFACES.stream()
        .filter(m -> isOn(modules, commandLine, m))
        .findFirst()
        .or(() ->
            INTERFACES.stream().filter(m -> modules.parameter(m, UNSAFE).isPresent()).findFirst())
        .orElse(INTERFACES.getFirst());
  }

  /// {@return where a parameter that allows unsafe interrupts is told}
  Source unsafeSource() {
    String module = unsafeModule();
    boolean onLine =
        modules.parameter(module, UNSAFE).isEmpty()
            && commandLine.value(module + "." + UNSAFE).isPresent();
    return onLine ? commandLine.source() : Source.file(Modules.path(module, UNSAFE));
  }

  /// {@return the command that sets it}
  String unsafe(int value) {
    return "echo %d > /%s".formatted(value, Modules.path(unsafeModule(), UNSAFE));
  }
}
