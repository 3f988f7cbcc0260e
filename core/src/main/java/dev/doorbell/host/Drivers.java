package dev.doorbell.host;

import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.amdvi.AmdViDomains;
import dev.doorbell.hw.amdvi.AmdViDriver;
import dev.doorbell.hw.amdvi.AmdViSettings;
import dev.doorbell.hw.gicits.ItsDriver;
import dev.doorbell.hw.gicits.ItsHardware;
import dev.doorbell.hw.gicv3.GicV3Driver;
import dev.doorbell.hw.gicv3.GicV3Hardware;
import dev.doorbell.hw.imsic.ImsicDriver;
import dev.doorbell.hw.imsic.ImsicHardware;
import dev.doorbell.hw.lapic.LapicDriver;
import dev.doorbell.hw.lapic.LapicHardware;
import dev.doorbell.hw.phb.PhbDriver;
import dev.doorbell.hw.riscviommu.RiscvIommuDriver;
import dev.doorbell.hw.riscviommu.RiscvIommuSettings;
import dev.doorbell.hw.smmuv2.SmmuV2Driver;
import dev.doorbell.hw.smmuv2.SmmuV2Settings;
import dev.doorbell.hw.smmuv3.SmmuDriver;
import dev.doorbell.hw.smmuv3.SmmuSettings;
import dev.doorbell.hw.smmuv3.SmmuTags;
import dev.doorbell.hw.vtd.VtdDriver;
import dev.doorbell.hw.vtd.VtdHardware;
import dev.doorbell.hw.vtd.VtdSettings;
import dev.doorbell.hw.vtd.VtdTags;
import dev.doorbell.hw.vtd.VtdTranslation;
import dev.doorbell.hw.xive.XiveDriver;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.irq.InterruptRemapper;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.SpiController;
import dev.doorbell.machine.Machine;
import dev.doorbell.survey.SurveyedFunction;
import dev.doorbell.vmsa.Stage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The drivers of a machine, started. Adding a piece of hardware adds its line here.
final class Drivers {
  private final Machine machine;
  private final HostOptions options;
  private final MachineDescription description;
  private final Map<String, Iommu> iommus = new LinkedHashMap<>();
  private final Map<String, MsiController> controllers = new LinkedHashMap<>();
  private Optional<LapicDriver> lapics = Optional.empty();
  private Optional<XiveDriver> router = Optional.empty();
  private int cpus;

  private Drivers(Machine machine, HostOptions options) {
    this.machine = machine;
    this.options = options;
    this.description = machine.description();
    this.cpus = description.cpus();
  }

  /// {@return drivers of everything in the description that Doorbell drives}
  static Drivers start(Machine machine, HostOptions options) {
    Drivers d = new Drivers(machine, options);
    d.startInterrupts();
    d.startIommus();
    return d;
  }

  /// {@return CPUs that vectors can be routed to}
  int cpus() {
    return cpus;
  }

  /// {@return POWER's interrupt controller}
  Optional<XiveDriver> router() {
    return router;
  }

  Map<String, Iommu> iommus() {
    return iommus;
  }

  Map<String, MsiController> controllers() {
    return controllers;
  }

  /// {@return the driver of an MSI controller as a function reaches it: local APICs through whatever remaps its messages}
  @Nullable MsiController controllerFor(String id, SurveyedFunction f) {
    boolean apic =
        description
            .msiController(id)
            .filter(c -> c instanceof MsiControllerDescription.LocalApic)
            .isPresent();
    MsiController remapped =
        apic ? f.stream().map(s -> controllers.get(s.iommu())).orElse(null) : null;
    return remapped == null ? controllers.get(id) : remapped;
  }

  private void startIommus() {
    SmmuSettings usual = SmmuSettings.of(new SmmuTags());
    SmmuSettings settings = options.stage().map(usual::with).orElse(usual);
    AmdViDomains domains = new AmdViDomains();
    VtdTags tags = new VtdTags();
    RiscvIommuSettings first = RiscvIommuSettings.usual();
    RiscvIommuSettings riscv =
        options.stage().filter(s -> s == Stage.STAGE2).isPresent()
            ? first.withSecondStage()
            : first;
    for (IommuDescription i : description.iommus()) {
      switch (i) {
        case IommuDescription.AmdVi a -> startAmdVi(a, domains);
        case IommuDescription.Smmuv3 s ->
            iommus.put(
                s.id(),
                SmmuDriver.open(
                    s.id(),
                    machine.registers(s.window()),
                    machine.memory(),
                    machine.frames(),
                    settings));
        case IommuDescription.RiscvIommu r ->
            machine
                .registersOf(r)
                .ifPresent(registers ->
                    iommus.put(
                        r.id(),
                        RiscvIommuDriver.open(
                            r.id(), registers, machine.memory(), machine.frames(), riscv)));
        case IommuDescription.Smmuv2 s -> startSmmuv2(s);
        case IommuDescription.Pamu p -> iommus.put(p.id(), PowerPcStart.pamu(machine, p));
        case IommuDescription.VtD v -> startVtd(v, tags);
        case IommuDescription.VirtioIommu _,
            IommuDescription.Phb _,
            IommuDescription.PaprTce _,
            IommuDescription.Other _ -> {
          // Not driven, or started with the interrupts: functions behind what is not driven are
          // refused when they are asked for.
        }
      }
    }
  }

  /// A window that has no room for an SMMU leads to none: functions behind it are refused like those behind what is not driven.
  private void startSmmuv2(IommuDescription.Smmuv2 s) {
    if (s.window().bytes() < SmmuV2Driver.LEAST_WINDOW) {
      return;
    }
    SmmuV2Settings usual = SmmuV2Settings.USUAL.withStreamMask(s.streamMask());
    iommus.put(
        s.id(),
        SmmuV2Driver.open(
            s.id(),
            machine.registers(s.window()),
            machine.memory(),
            machine.frames(),
            options.stage().map(usual::with).orElse(usual)));
  }

  /// Remaps interrupts unless something says that the machine does not.
  private void startAmdVi(IommuDescription.AmdVi a, AmdViDomains domains) {
    boolean remapping = a.remapping().state() != InterruptRemapping.State.OFF && lapics.isPresent();
    AmdViDriver driver =
        AmdViDriver.open(
            a.id(),
            machine.registers(a.window()),
            machine.memory(),
            machine.frames(),
            AmdViSettings.of(domains)
                .with(AmdViSettings.Use.REMAPPING, remapping)
                .with(
                    AmdViSettings.Use.GUEST_TABLES,
                    options.stage().equals(Optional.of(Stage.STAGE1)))
                .with(AmdViSettings.Use.POSTING, true)
                .with(AmdViSettings.Use.X2APIC, lapics.map(LapicDriver::isX2Apic).orElse(false)));
    iommus.put(a.id(), driver);
    if (remapping) {
      remapped(driver);
    }
  }

  private void startVtd(IommuDescription.VtD v, VtdTags tags) {
    VtdDriver driver =
        VtdDriver.open(
            new VtdHardware(
                v.id(), machine.registers(v.window()), machine.memory(), machine.frames()),
            new VtdSettings(
                tags,
                v.remapping().state() != InterruptRemapping.State.OFF && lapics.isPresent(),
                lapics.map(LapicDriver::isX2Apic).orElse(false),
                options.stage().equals(Optional.of(Stage.STAGE1))
                    ? VtdTranslation.FIRST_STAGE
                    : VtdTranslation.LEGACY));
    iommus.put(v.id(), driver);
    driver.remapper().ifPresent(this::remapped);
  }

  /// Functions behind an IOMMU that remaps interrupts get their vectors through it.
  private void remapped(InterruptRemapper remapper) {
    lapics.ifPresent(l -> controllers.put(remapper.id(), l.behind(remapper)));
  }

  private void startInterrupts() {
    if (description.gic().isEmpty() && description.apic().isPresent()) {
      startApics(description.apic().get());
      return;
    }
    if (description.gic().isEmpty() && PowerPcStart.hasBanks(description)) {
      controllers.putAll(PowerPcStart.banks(machine));
      return;
    }
    if (description.gic().isEmpty() && PowerStart.hasBridges(description)) {
      startBridges();
      return;
    }
    if (description.gic().isEmpty() && PaprStart.isGuest(machine)) {
      startGuest();
      return;
    }
    if (description.gic().isEmpty() && machine.interruptFiles().isPresent()) {
      description.imsic().ifPresent(this::startImsic);
      return;
    }
    GicDescription gic =
        description
            .gic()
            .orElseThrow(() ->
                new NotAssignable(
                    "every function",
                    "interrupt controller",
                    "firmware describes neither a GIC nor local APICs",
                    Source.rule("MADT or device tree"),
                    "give a capture that has a MADT or a device tree"));
    boolean its =
        description.msiControllers().stream()
            .anyMatch(c -> c instanceof MsiControllerDescription.Its);
    if (gic.version() >= 3 || its || !gic.redistributors().isEmpty()) {
      startGicV3(gic);
    } else {
      startFrames(GicV2Start.open(machine, gic));
    }
  }

  /// The two sides of a bridge are two drivers over the same tables.
  private void startBridges() {
    PowerStart start = PowerStart.of(machine);
    cpus = start.cpus();
    router = start.xive();
    for (PhbDriver phb : start.bridges()) {
      iommus.put(phb.id(), phb);
      controllers.put(phb.messages().id(), phb.messages());
    }
  }

  /// A guest's windows and messages are its hypervisor's.
  private void startGuest() {
    PaprStart start = PaprStart.of(machine);
    cpus = start.cpus();
    start.windows().forEach(w -> iommus.put(w.id(), w));
    start.messages().forEach(m -> controllers.put(m.id(), m));
  }

  private void startApics(ApicDescription apic) {
    String id =
        description.msiControllers().stream()
            .filter(c -> c instanceof MsiControllerDescription.LocalApic)
            .map(MsiControllerDescription::id)
            .findFirst()
            .orElse("local APICs");
    LapicDriver driver =
        LapicDriver.open(
            new LapicHardware(
                id, apic.ids(), machine.cpuRegisters(), machine.cpuInterface(), apic.xApicOnly()));
    lapics = Optional.of(driver);
    controllers.put(id, driver.unremapped());
  }

  private void startImsic(MsiControllerDescription.Imsic imsic) {
    controllers.put(
        imsic.id(),
        ImsicDriver.open(
            new ImsicHardware(
                imsic.id(),
                imsic.files().stream().map(f -> f.page().start()).toList(),
                imsic.identities(),
                imsic.source(),
                machine.interruptFiles().orElseThrow())));
  }

  private void startGicV3(GicDescription gic) {
    GicV3Driver driver =
        GicV3Driver.open(
            new GicV3Hardware(
                "gic@0x" + Long.toHexString(gic.distributor().start()),
                machine.registers(gic.distributor()),
                gic.redistributors().stream()
                    .map(r -> new GicV3Hardware.Region(machine.registers(r), r.start(), r.bytes()))
                    .toList(),
                gic.cpus().isEmpty()
                    ? List.of(0L)
                    : gic.cpus().stream().map(GicDescription.Cpu::mpidr).toList(),
                machine.memory(),
                machine.frames(),
                machine.cpuInterface()));
    for (MsiControllerDescription c : description.msiControllers()) {
      if (c instanceof MsiControllerDescription.Its its) {
        controllers.put(
            its.id(),
            ItsDriver.open(
                new ItsHardware(
                    its.id(),
                    machine.registers(its.window()),
                    its.window().start(),
                    machine.memory(),
                    machine.frames()),
                driver));
      }
    }
    startFrames(driver);
  }

  private void startFrames(SpiController spis) {
    for (MsiControllerDescription c : description.msiControllers()) {
      if (c instanceof MsiControllerDescription.GicV2m v2m) {
        controllers.put(v2m.id(), GicV2Start.frame(machine, v2m, spis));
      }
    }
  }
}
