package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.address.Sizes;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.machine.FrameStore;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Ecam;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.SriovCapability;
import dev.doorbell.pci.SriovLayout;
import dev.doorbell.pci.setup.PciSetup;
import dev.doorbell.pci.setup.PciWindow;
import dev.doorbell.pci.setup.PlacedFunction;
import dev.doorbell.pci.setup.RootBus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/// A machine of QEMU's for seam B: its IOMMU, interrupt controllers and PCI devices, driven over qtest while its CPUs stand still. Its
/// description is read from the device tree (`virt`, of both architectures) or the ACPI tables (`q35`) that QEMU itself made, after its PCI functions were set up as
/// firmware would.
///
/// CPUs do not run, so that nothing acknowledges a GICv3's interrupts: {@link #cpuInterface} is empty there, and drivers find what has
/// arrived in the pending table. A GICv2's CPU interface is memory-mapped, and its driver acknowledges there. Of local APICs {@link #cpuInterface}
/// tells each vector once, until a reset.
///
/// **Threads**: safe.
public final class QemuMachine implements Machine {
  /// Where QEMU has its device tree, and a PC its firmware's memory and the holes in it.
  private static final long KEPT_CLEAR = 16 * Sizes.MIB;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Board board;
  private final QemuProcess qemu;
  private final List<Integer> extraRoots;
  private final Platform platform;
  private volatile MachineDescription description;
  private final HostBridge bridge;
  private final Ecam ecam;
  private volatile FrameStore frames;
  private volatile Map<Sbdf, PlacedFunction> placed = Map.of();
  private volatile Map<Sbdf, VirtualFunction> virtual = Map.of();
  private final Optional<QemuApics> apics;
  private final Optional<QemuHarts> harts;
  private final Map<Sbdf, Stimulus> stimuli = new ConcurrentHashMap<>();

  private QemuMachine(Board board, QemuProcess qemu, List<Integer> extraRoots) {
    this.board = board;
    this.extraRoots = extraRoots;
    this.qemu = qemu;
    platform = board.platform(qemu);
    platform.powerOn();
    MachineDescription bare;
    try (MachineSysroot sysroot = new MachineSysroot(qemu)) {
      platform.describe(sysroot);
      bare = sysroot.read();
    }
    bridge =
        bare.hostBridges().stream()
            .findFirst()
            .orElseThrow(
                () -> new QemuUnusable(qemu.name(), "its description has no PCI host bridge"));
    ecam =
        new Ecam(
            registers(
                bridge
                    .ecam()
                    .orElseThrow(
                        () -> new QemuUnusable(qemu.name(), "its description tells no ECAM"))),
            bridge.segment(),
            bridge.firstBus(),
            bridge.lastBus());
    frames = pool();
    setUp();
    if (platform.forgetUnnumbered()) {
      qemu.reset();
      platform.powerOn();
      setUp();
    }
    description = describe();
    apics = description.apic().map(a -> new QemuApics(qemu, a.ids()));
    harts =
        description
            .imsic()
            .filter(_ -> board.hasInterruptFiles())
            .map(i -> new QemuHarts(qemu, i.files().size(), PATIENCE));
  }

  private MachineDescription describe() {
    try (MachineSysroot sysroot = new MachineSysroot(qemu)) {
      platform.describe(sysroot);
      putFunctions(sysroot);
      return sysroot.read();
    }
  }

  /// {@return a machine that has been set up as firmware would leave it}
  ///
  /// @param devices values of `-device` and other arguments, as {@link Devices} has them
  /// @throws QemuException when QEMU cannot be started or does not answer as expected
  public static QemuMachine start(QemuBinary binary, Board board, Devices devices) {
    List<String> arguments = new ArrayList<>(board.first());
    arguments.addAll(devices.arguments());
    arguments.addAll(board.last());
    QemuProcess.Settings settings =
        new QemuProcess.Settings(binary, board.machine(), board.ram(), arguments, PATIENCE);
    QemuProcess qemu = process(board.runsFirmware() ? settings.withHaltedCpus() : settings, board);
    boolean done = false;
    try {
      QemuMachine machine = new QemuMachine(board, qemu, devices.extraRoots());
      done = true;
      return machine;
    } finally {
      if (!done) {
        qemu.close();
      }
    }
  }

  /// An older QEMU ends at a machine that it does not know.
  private static QemuProcess process(QemuProcess.Settings settings, Board board) {
    try {
      return QemuProcess.start(settings);
    } catch (QemuDied e) {
      QemuBinary binary = settings.binary();
      QemuVersion found = binary.version().orElse(board.least());
      if (found.compareTo(board.least()) >= 0) {
        throw e;
      }
      QemuTooOld tooOld = new QemuTooOld(binary, found, board.least());
      tooOld.addSuppressed(e);
      throw tooOld;
    }
  }

  public Board board() {
    return board;
  }

  /// {@return the process, to be observed or broken}
  public QemuProcess process() {
    return qemu;
  }

  /// Puts everything back to the state after {@link #start}. Drivers of before are of no use any more, and memory that they took is free.
  public void reset() {
    stopClock();
    qemu.reset();
    platform.powerOn();
    stimuli.clear();
    apics.ifPresent(QemuApics::reset);
    frames = pool();
    setUp();
    if (!virtual.isEmpty()) {
      virtual = Map.of();
      description = describe();
    }
  }

  /// Makes VFs of a PF exist, as an operating system does before their drivers start; the description has them from then on.
  ///
  /// {@return the VFs, in order}
  ///
  /// @param pf a function with the SR-IOV capability, its VFs' BARs placed
  /// @param count up to TotalVFs
  /// @throws IllegalArgumentException when the function cannot have so many
  public List<Sbdf> enableVfs(Sbdf pf, int count) {
    PlacedFunction room = placed.get(pf);
    if (room == null) {
      throw new IllegalArgumentException(pf + " is no function of this machine");
    }
    SriovCapability sriov =
        PciFunction.of(pf, ecam.config(pf), pf.toString())
            .sriov()
            .thing()
            .filter(s -> count > 0 && count <= s.totalVfs())
            .orElseThrow(
                () -> new IllegalArgumentException("%s cannot have %d VFs".formatted(pf, count)));
    ConfigAccess registers = new ConfigAccess(ecam.config(pf), sriov.offset());
    registers.write(SriovLayout.NUM_VFS, count);
    registers.set(SriovLayout.CONTROL, SriovLayout.VF_MSE, 1);
    registers.set(SriovLayout.CONTROL, SriovLayout.VF_ENABLE, 1);
    SriovCapability enabled = SriovCapability.at(ecam.config(pf), sriov.offset());
    Map<Sbdf, VirtualFunction> all = new LinkedHashMap<>(virtual);
    List<Sbdf> out = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Sbdf vf = Sbdf.of(pf.segment(), enabled.requesterId(pf, i).orElseThrow());
      all.put(vf, VirtualFunction.of(room, i, sriov.totalVfs()));
      out.add(vf);
    }
    virtual = Collections.unmodifiableMap(all);
    description = describe();
    return out;
  }

  /// Lets the machine's clock run, in real time; its CPUs stay off, or halt. Devices with timers need it. Stopped at start, and so after a reset.
  public void runClock() {
    qemu.qmp().execute("cont", Map.of());
  }

  /// Stops the clock.
  public void stopClock() {
    qemu.qmp().execute("stop", Map.of());
  }

  private static FrameStore pool(PhysicalMemory ram, AddressRange range) {
    return new FrameStore(ram, new AddressRange(range.start() + KEPT_CLEAR, range.last()));
  }

  private FrameStore pool() {
    return pool(qemu.ram(), qemu.ramRange());
  }

  private void setUp() {
    List<PciWindow> windows =
        bridge.windows().stream()
            .filter(w -> !w.io())
            .map(w ->
                new PciWindow(
                    "window of " + bridge.id(),
                    AddressRange.ofSize(w.pciStart(), w.cpu().bytes()),
                    w.prefetchable()))
            .toList();
    placed =
        PciSetup.run(ecam, roots(), windows).stream()
            .collect(Collectors.toUnmodifiableMap(PlacedFunction::sbdf, Function.identity()));
  }

  /// The root bus of the device tree, and those that it does not tell: firmware learns of them by scanning.
  private List<RootBus> roots() {
    List<RootBus> out = new ArrayList<>();
    int first = bridge.firstBus();
    for (int next : extraRoots) {
      out.add(new RootBus(first, next - 1));
      first = next;
    }
    out.add(new RootBus(first, bridge.lastBus()));
    return out;
  }

  /// {@return the machine as its ACPI tables describe it, which QEMU makes from other code than its device tree}
  public MachineDescription acpiDescription() {
    try (MachineSysroot sysroot = new MachineSysroot(qemu)) {
      platform.acpi(sysroot);
      putFunctions(sysroot);
      return sysroot.read();
    }
  }

  private void putFunctions(MachineSysroot sysroot) {
    placed.forEach((sbdf, f) -> sysroot.function(sbdf, ecam.config(sbdf), f.bars()));
    virtual.forEach((vf, v) -> sysroot.virtual(vf, ecam.config(vf), v.bars(), v.pf()));
  }

  @Override
  public MachineDescription description() {
    return description;
  }

  @Override
  public PhysicalMemory memory() {
    return qemu.ram();
  }

  @Override
  public Frames frames() {
    return frames;
  }

  @Override
  public RegisterBus registers(AddressRange window) {
    return new QtestWindow(qemu.qtest(), window);
  }

  @Override
  public ConfigSpace config(Sbdf function) {
    return bridge.owns(function.segment(), function.bus())
        ? ecam.config(function)
        : ConfigImage.of(new byte[0], function + ", where nothing answers");
  }

  @Override
  public RegisterBus bar(Sbdf function, int index) {
    return registers(
        bars(function).stream()
            .filter(b -> b.index() == index)
            .findFirst()
            .map(b -> cpuRange(b.range()))
            .orElseThrow(() ->
                new IllegalArgumentException(
                    "%s has no memory BAR %d".formatted(function, index))));
  }

  private List<PlacedFunction.Bar> bars(Sbdf function) {
    VirtualFunction vf = virtual.get(function);
    PlacedFunction f = placed.get(function);
    return vf != null ? vf.bars() : f != null ? f.bars() : List.of();
  }

  private AddressRange cpuRange(AddressRange pci) {
    for (HostBridge.Window w : bridge.windows()) {
      long at = pci.start() - w.pciStart();
      if (!w.io() && at >= 0 && at < w.cpu().bytes()) {
        return AddressRange.ofSize(w.cpu().start() + at, pci.bytes());
      }
    }
    throw new IllegalArgumentException(
        "no window of %s reaches PCI addresses %s".formatted(bridge.id(), pci));
  }

  @Override
  public Optional<CpuInterface> cpuInterface() {
    return apics.map(a -> a);
  }

  @Override
  public Optional<InterruptFiles> interruptFiles() {
    return harts.map(QemuHarts::supervisor);
  }

  @Override
  public Optional<InterruptFiles> firmwareFiles() {
    return harts.filter(_ -> description.firmwareImsic().isPresent()).map(QemuHarts::machine);
  }

  @Override
  public Firing fire(Sbdf function, int vector) {
    if (!placed.containsKey(function) && !virtual.containsKey(function)) {
      throw new IllegalArgumentException(function + " is no function of this machine");
    }
    return stimuli.computeIfAbsent(function, f -> Stimuli.of(this, f)).raise(vector);
  }

  @Override
  public long workBytes(Sbdf function, int vectors) {
    return Stimuli.memoryBytes(config(function), vectors);
  }

  @Override
  public void giveWork(Sbdf function, Iova iova, Pa memory, int vectors) {
    long bytes = workBytes(function, vectors);
    if (bytes == 0) {
      return;
    }
    DmaArea area = new DmaArea(qemu.ram(), iova, memory, bytes);
    Stimuli.over(config(function), function.toString(), bar(function, 0), area, vectors)
        .ifPresent(s -> stimulateBy(function, s));
  }

  /// Tells how to make a function raise its vectors, for one whose registers alone do not suffice. Until {@link #reset}.
  public void stimulateBy(Sbdf function, Stimulus stimulus) {
    stimuli.put(function, stimulus);
  }

  /// {@return an `edu`, which also moves data}
  ///
  /// @throws IllegalArgumentException when the function is none
  public EduStimulus edu(Sbdf function) {
    if (stimuli.computeIfAbsent(function, f -> Stimuli.of(this, f)) instanceof EduStimulus edu) {
      return edu;
    }
    throw new IllegalArgumentException(function + " is no edu");
  }

  @Override
  public void close() {
    try {
      harts.ifPresent(QemuHarts::close);
    } finally {
      qemu.close();
    }
  }
}
