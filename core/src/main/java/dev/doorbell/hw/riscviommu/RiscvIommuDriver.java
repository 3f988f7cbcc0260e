package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Rollback;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Iommu;
import dev.doorbell.iommu.IommuCapabilities;
import dev.doorbell.iommu.StreamAttachments;
import dev.doorbell.iommu.StreamAttachments.Orders;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import java.util.ArrayList;
import java.util.List;

/// Drives one RISC-V IOMMU: domains are first-stage tables with the second stage Bare, or second-stage ones with the first stage Bare. Doorbells are
/// mapped like memory; MSI page tables, which guests' interrupt files need, are not used. Safe for use from many threads.
///
/// Locks are taken in the order devices of a driver, address space, queue.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.7, 4, 6, 7.2 (guidelines for software).
public final class RiscvIommuDriver implements Iommu, AutoCloseable {
  /// Above so many pages one command for the whole address space is cheaper than one a page.
  private static final int MOST_PAGES = 64;

  private static final int MOST_OUTPUT_BITS = 48;

  private final RiscvIommuPort port;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final RiscvIommuSettings settings;
  private final long capabilities;
  private final DeviceTable devices;
  private final CommandIssuer commands;
  private final FaultDrain faults;
  private final StreamAttachments<RiscvIommuDriver, long[], RiscvIommuAddressSpace> attachments =
      new StreamAttachments<>(this, new Entries());

  private RiscvIommuDriver(
      RiscvIommuPort port,
      PhysicalMemory memory,
      Frames frames,
      RiscvIommuSettings settings,
      Rollback rollback) {
    this.port = port;
    this.memory = memory;
    this.frames = frames;
    this.settings = settings;
    this.capabilities = port.read(CAPABILITIES);
    requireSupport();
    quiesce();
    this.commands = CommandIssuer.create(port, memory, frames);
    rollback.add(commands::free);
    this.faults = new FaultDrain(port, memory, frames);
    rollback.add(faults::free);
    commands.start();
    faults.start();
    // What caches hold from before must go before any device may pass.
    commands.run(
        List.of(
            RiscvIommuCommand.everyDevice(),
            RiscvIommuCommand.everyFirstStage(),
            RiscvIommuCommand.everySecondStage()));
    this.devices = directory(rollback);
  }

  /// {@return a driver of an IOMMU that it has reset, with every device blocked}
  ///
  /// @param id of the machine description
  /// @param registers 4 KiB
  /// @throws RiscvIommuUnsupported when the hardware lacks what is needed
  /// @throws RiscvIommuTimeout when a register does not follow
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory for tables and queues; nothing is kept then
  public static RiscvIommuDriver open(
      String id,
      RegisterBus registers,
      PhysicalMemory memory,
      Frames frames,
      RiscvIommuSettings settings) {
    try (Rollback rollback = new Rollback()) {
      RiscvIommuDriver driver =
          new RiscvIommuDriver(
              new RiscvIommuPort(id, registers, settings.polls()),
              memory,
              frames,
              settings,
              rollback);
      rollback.commit();
      return driver;
    }
  }

  private void requireSupport() {
    if (VERSION.getInt(capabilities) != VERSION_1_0) {
      throw new RiscvIommuUnsupported(
          id(), CAPABILITIES.name(), capabilities, "and its version is not 1.0");
    }
    if (settings.secondStage() && !SV39X4.isSet(capabilities)) {
      throw new RiscvIommuUnsupported(
          id(), CAPABILITIES.name(), capabilities, "which has no second stage Sv39x4");
    }
    if (!settings.secondStage() && !SV39.isSet(capabilities) && !SV48.isSet(capabilities)) {
      throw new RiscvIommuUnsupported(
          id(), CAPABILITIES.name(), capabilities, "which has neither Sv39 nor Sv48");
    }
    if (FCTL_BE.isSet(port.read(FCTL))) {
      throw new RiscvIommuUnsupported(
          id(), FCTL.name(), port.read(FCTL), "and its tables are big-endian");
    }
  }

  private void quiesce() {
    awaitDirectory();
    port.write(DDTP, DDTP_MODE.with(port.read(DDTP), MODE_OFF));
    awaitDirectory();
    CommandIssuer.stop(port);
    FaultDrain.stop(port);
  }

  private void awaitDirectory() {
    port.await(DDTP, "ddtp.busy = 0", v -> !DDTP_BUSY.isSet(v));
  }

  /// As many levels as the hardware takes: which it has, only a write of `ddtp` tells. In the directory no device is valid yet.
  private DeviceTable directory(Rollback rollback) {
    boolean extended = MSI_FLAT.isSet(capabilities);
    for (int mode = MODE_3LVL; mode >= MODE_1LVL; mode--) {
      DeviceTable table = new DeviceTable(memory, frames, mode - MODE_BARE, extended);
      long value =
          DDTP_MODE.place(mode) | DDTP_PPN.place(DirectoryLayout.ppn(table.root().value()));
      memory.publish();
      port.write(DDTP, value);
      awaitDirectory();
      if (port.read(DDTP) == value) {
        rollback.add(table::free);
        return table;
      }
      port.write(DDTP, DDTP_MODE.with(value, MODE_OFF));
      awaitDirectory();
      table.free();
    }
    throw new RiscvIommuUnsupported(
        id(), DDTP.name(), port.read(DDTP), "which takes no mode with a device directory");
  }

  @Override
  public String id() {
    return port.id();
  }

  @Override
  public IommuCapabilities capabilities() {
    // Of a first stage a sign bit less: only the lower half of the addresses is used.
    int more = settings.secondStage() ? SvPteLayout.WIDER_ROOT_BITS : -1;
    return new IommuCapabilities(
        "RISC-V IOMMU",
        List.of(Granule.K4),
        SvPteLayout.shift(SvPteLayout.levels(mode())) + more,
        outputBits(),
        devices.deviceIdBits(),
        true,
        false);
  }

  /// Tables for guests have three levels: one of four pages would begin above what the builder of tables knows.
  private int mode() {
    return SV48.isSet(capabilities) && !settings.secondStage()
        ? DirectoryLayout.SV48
        : DirectoryLayout.SV39;
  }

  /// {@return the widest width that tables can be built for}
  private int outputBits() {
    int most = Math.min(PAS.getInt(capabilities), MOST_OUTPUT_BITS);
    int bits = most;
    while (VmsaGeometry.encodeSize(bits) < 0 && bits > 0) {
      bits--;
    }
    return bits;
  }

  @Override
  public AddressSpace createAddressSpace(Granule granule) {
    if (!granule.equals(Granule.K4)) {
      throw new IllegalArgumentException("%s has pages of 4K, not %s".formatted(id(), granule));
    }
    return RiscvIommuAddressSpace.create(
        this,
        settings.tags(),
        memory,
        frames,
        new RiscvIommuAddressSpace.Shape(
            settings.secondStage() ? Stage.STAGE2 : Stage.STAGE1,
            mode(),
            outputBits(),
            SVPBMT.isSet(capabilities)));
  }

  @Override
  public void attach(int streamId, AddressSpace space) {
    RiscvIommuAddressSpace wanted = usable(space);
    checkDevice(streamId);
    attachments.attach(streamId, wanted);
  }

  @Override
  public void block(int streamId) {
    checkDevice(streamId);
    attachments.detach(streamId, devices.blocked());
  }

  @Override
  public void bypass(int streamId) {
    checkDevice(streamId);
    attachments.detach(streamId, devices.passing(0, 0, 0));
  }

  /// A device's entry is its context.
  private final class Entries
      implements StreamAttachments.Hardware<long[], RiscvIommuAddressSpace> {
    @Override
    public long[] entry(int deviceId) {
      return devices.read(devices.context(deviceId));
    }

    @Override
    public long[] leadingTo(RiscvIommuAddressSpace space) {
      long root = DirectoryLayout.ppn(space.root().value());
      if (space.isSecond()) {
        return devices.passing(
            DirectoryLayout.IOHGATP_MODE.place(space.mode())
                | DirectoryLayout.IOHGATP_GSCID.place(space.tag())
                | DirectoryLayout.IOHGATP_PPN.place(root),
            0,
            0);
      }
      return devices.passing(
          0,
          DirectoryLayout.TA_PSCID.place(space.tag()),
          DirectoryLayout.FSC_MODE.place(space.mode()) | DirectoryLayout.FSC_PPN.place(root));
    }

    @Override
    public void write(int deviceId, long[] words, Orders orders) {
      devices.write(
          devices.context(deviceId),
          words,
          () -> orders.run(() -> commands.run(List.of(RiscvIommuCommand.device(deviceId)))));
    }

    @Override
    public void forget(RiscvIommuAddressSpace space) {
      commands.run(List.of(everything(space)));
    }
  }

  /// Drops the translations of a range of an address space.
  void invalidate(RiscvIommuAddressSpace space, AddressRange range, boolean leafOnly) {
    long pages = (range.last() - range.start()) / DirectoryLayout.PAGE_BYTES + 1;
    // An address names leaf entries only: after a table was taken out, all must go.
    if (!leafOnly || pages > MOST_PAGES) {
      commands.run(List.of(everything(space)));
      return;
    }
    List<RiscvIommuCommand> batch = new ArrayList<>();
    for (long i = 0; i < pages; i++) {
      long at = range.start() + i * DirectoryLayout.PAGE_BYTES;
      batch.add(
          space.isSecond()
              ? RiscvIommuCommand.guestPage(space.tag(), at)
              : RiscvIommuCommand.page(space.tag(), at));
    }
    commands.run(batch);
  }

  private static RiscvIommuCommand everything(RiscvIommuAddressSpace space) {
    return space.isSecond()
        ? RiscvIommuCommand.guest(space.tag())
        : RiscvIommuCommand.all(space.tag());
  }

  /// {@return what was waiting in the fault queue}
  List<RiscvIommuFault> drainFaults() {
    return faults.drain();
  }

  /// Stops the IOMMU and gives its memory back. From then on every access of every device is aborted.
  ///
  /// @throws IllegalStateException when a device is still attached
  @Override
  public void close() {
    attachments.end(
        id(),
        () -> {
          quiesce();
          devices.free();
          commands.free();
          faults.free();
        });
  }

  private RiscvIommuAddressSpace usable(AddressSpace space) {
    if (!(space instanceof RiscvIommuAddressSpace own)) {
      throw new IllegalArgumentException(
          "%s cannot use %s: it is not a RISC-V IOMMU's".formatted(id(), space));
    }
    String why = "";
    if (own.tags() != settings.tags()) {
      why = "its number is not of this machine's set";
    } else if (own.isSecond() != settings.secondStage()) {
      why = "it is of the other stage";
    } else if (own.mode() > mode()) {
      why = "its mode is not implemented";
    } else if (own.outputBits() > outputBits()) {
      why = "its %d-bit output is wider than %d bits".formatted(own.outputBits(), outputBits());
    }
    if (!why.isEmpty()) {
      throw new IllegalArgumentException("%s cannot use %s: %s".formatted(id(), own, why));
    }
    return own;
  }

  private void checkDevice(int deviceId) {
    if (!SvPteLayout.fits(Integer.toUnsignedLong(deviceId), devices.deviceIdBits())) {
      throw new IllegalArgumentException(
          "device 0x%x is wider than the %d bits of %s"
              .formatted(deviceId, devices.deviceIdBits(), id()));
    }
  }
}
