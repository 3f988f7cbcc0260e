package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostOptions;
import dev.doorbell.host.HostVfio;
import dev.doorbell.iommu.Protection;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.qemu.Board;
import dev.doorbell.qemu.Devices;
import dev.doorbell.qemu.DmaArea;
import dev.doorbell.qemu.EduStimulus;
import dev.doorbell.qemu.NvmeStimulus;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuMachine;
import dev.doorbell.qemu.Qemus;
import dev.doorbell.qemu.Stimulus;
import dev.doorbell.qemu.XhciStimulus;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Our own stack on QEMU's hardware: NVM Express controllers with MSI-X, a USB host controller with MSI of sixteen messages, an `edu` that
/// copies, and another `edu` that the host keeps.
///
/// Devices are driven as a program would, through the regions and the memory that the API gives it; memory for their queues and rings is of
/// the container that they are in.
final class QemuLab implements VfioLab {
  static final Devices DEVICES =
      Devices.of(
          "pcie-root-port,id=port1,chassis=1,addr=1",
          "nvme,serial=a,bus=port1,max_ioqpairs=8,msix_qsize=9",
          "pcie-root-port,id=port2,chassis=2,addr=2",
          "nvme,serial=b,bus=port2,max_ioqpairs=8,msix_qsize=9",
          "pcie-root-port,id=port3,chassis=3,addr=3",
          "nvme,serial=c,bus=port3,max_ioqpairs=8,msix_qsize=9",
          "pcie-root-port,id=port4,chassis=4,addr=4",
          "nec-usb-xhci,msi=on,msix=off,bus=port4",
          "pcie-root-port,id=port5,chassis=5,addr=5",
          "edu,bus=port5",
          "pcie-root-port,id=port6,chassis=6,addr=6",
          "edu,bus=port6");

  /// The same on the root bus: QEMU's RISC-V IOMMU takes a function's bus number before it is given one.
  private static final Devices ON_ROOT_BUS =
      Devices.of(
          "nvme,serial=a,addr=1,max_ioqpairs=8,msix_qsize=9",
          "nvme,serial=b,addr=2,max_ioqpairs=8,msix_qsize=9",
          "nvme,serial=c,addr=3,max_ioqpairs=8,msix_qsize=9",
          "nec-usb-xhci,msi=on,msix=off,addr=4",
          "edu,addr=5",
          "edu,addr=6");

  /// As many as the contract wants of each.
  private static final int VECTORS = 4;

  /// Above everything that the contract maps.
  private static final Iova WORK = new Iova(0x1_0000_0000L);

  private static final AddressRange WINDOW = AddressRange.ofSize(0x0800_0000L, 0x10_0000L);

  private final QemuMachine machine;
  private final Vfio vfio;
  private final Assignment kept;
  private final Map<Sbdf, DmaBuffer> work = new HashMap<>();
  private final Map<Sbdf, Stimulus> stimuli = new HashMap<>();

  private QemuLab(QemuMachine machine, HostOptions options) {
    this.machine = machine;
    machine.reset();
    Host host = Host.start(machine, options);
    kept =
        Assignment.of(
            host,
            List.of(usedByHost()),
            new Assignment.Request(
                Granule.K4,
                translatesMessages() ? Optional.of(WINDOW) : Optional.empty(),
                1,
                1,
                isFramed()));
    vfio = HostVfio.open(host);
  }

  static QemuMachine start(Board board, String... more) {
    QemuBinary binary =
        switch (board) {
          case Q35_VTD, Q35_AMDVI -> Qemus.x86OrSkip();
          case RISCV_IMSIC -> Qemus.riscvOrSkip();
          case GICV3, GICV3_STAGE2, GICV2M -> Qemus.orSkip();
        };
    return start(binary, board, more);
  }

  static QemuMachine start(QemuBinary binary, Board board, String... more) {
    Devices devices = board == Board.RISCV_IMSIC ? ON_ROOT_BUS : DEVICES;
    return QemuMachine.start(binary, board, devices.and(more));
  }

  /// {@return the function of a device, by its number in {@link #DEVICES}}
  private Sbdf function(int number) {
    return machine.board() == Board.RISCV_IMSIC ? Sbdf.of(0, number << 3) : Sbdf.of(0, number << 8);
  }

  /// {@return a lab on a machine that is reset for it}
  static QemuLab on(QemuMachine machine) {
    return on(machine, HostOptions.USUAL);
  }

  /// @param options how its drivers are started
  static QemuLab on(QemuMachine machine, HostOptions options) {
    return new QemuLab(machine, options);
  }

  /// {@return whether messages go to a GICv2m frame or an interrupt file, which tell no function from another}
  private boolean isFramed() {
    return machine.board() == Board.GICV2M || machine.board() == Board.RISCV_IMSIC;
  }

  @Override
  public Vfio vfio() {
    return vfio;
  }

  @Override
  public WindowAnswer windowAnswer() {
    return WindowAnswer.REGISTERED;
  }

  /// On a PC messages go to interrupt remapping, which no window leads to.
  @Override
  public boolean translatesMessages() {
    return machine.board() != Board.Q35_VTD;
  }

  @Override
  public boolean seesFirstAgain() {
    return machine.board() != Board.Q35_VTD;
  }

  @Override
  public List<Sbdf> msix() {
    return List.of(function(1), function(2), function(3));
  }

  @Override
  public Sbdf msi() {
    return function(4);
  }

  @Override
  public Sbdf copier() {
    return function(5);
  }

  @Override
  public Sbdf usedByHost() {
    return function(6);
  }

  @Override
  public Optional<Sbdf> notIsolated() {
    return isFramed() ? Optional.of(msix().getFirst()) : Optional.empty();
  }

  @Override
  public ContainerOptions options() {
    return isFramed() ? ContainerOptions.USUAL.withUnsafeInterrupts() : ContainerOptions.USUAL;
  }

  @Override
  public void start(Device device) {
    Sbdf f = device.function();
    RegisterBus bar0 = device.region(RegionType.BAR0);
    if (f.equals(copier())) {
      stimuli.put(f, new EduStimulus(f.toString(), bar0));
      return;
    }
    long bytes =
        f.equals(msi()) ? XhciStimulus.memoryBytes(VECTORS) : NvmeStimulus.memoryBytes(VECTORS);
    DmaBuffer memory = work.computeIfAbsent(f, s -> give(s, bytes));
    DmaArea area = new DmaArea(new BufferMemory(memory), WORK, new Pa(0), bytes);
    stimuli.put(
        f,
        f.equals(msi())
            ? XhciStimulus.open(f.toString(), bar0, area, VECTORS)
            : NvmeStimulus.open(f.toString(), bar0, area, VECTORS));
  }

  private DmaBuffer give(Sbdf function, long bytes) {
    Container c = vfio.group(function).container().orElseThrow();
    DmaBuffer memory = c.allocate(bytes);
    c.map(WORK, memory, Protection.READ_WRITE);
    return memory;
  }

  private Stimulus stimulus(Device device) {
    return Optional.ofNullable(stimuli.get(device.function())).orElseThrow();
  }

  @Override
  public void raise(Device device, int vector) {
    var unused = stimulus(device).raise(vector);
  }

  /// An edu's transfers take time of the machine's clock. It does not tell whether memory answered.
  @Override
  public boolean copy(Device device, Iova from, Iova to, int bytes) {
    EduStimulus edu = (EduStimulus) stimulus(device);
    machine.runClock();
    try {
      edu.fetch(from, 0, bytes);
      edu.store(0, to, bytes);
    } finally {
      machine.stopClock();
    }
    return true;
  }

  @Override
  public boolean isBusMaster(Sbdf function) {
    return ConfigAccess.header(machine.config(function))
        .isSet(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE);
  }

  @Override
  public void close() {
    work.values().forEach(DmaBuffer::close);
    vfio.close();
    kept.close();
  }
}
