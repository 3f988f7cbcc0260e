package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Rollback;
import java.util.List;

/// Brings an IOMMU from any state to one where the driver's directory and queues rule and every device is blocked.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 7.2 (guidelines for initialization).
///
/// @param capabilities the register
record RiscvIommuStart(
    long capabilities, DeviceTable devices, CommandIssuer commands, FaultDrain faults) {
  static RiscvIommuStart run(
      RiscvIommuPort port, PhysicalMemory memory, Frames frames, RiscvIommuSettings settings) {
    long capabilities = port.read(CAPABILITIES);
    requireSupport(port, capabilities, settings);
    quiesce(port);
    try (Rollback rollback = new Rollback()) {
      CommandIssuer commands = CommandIssuer.create(port, memory, frames);
      rollback.add(commands::free);
      FaultDrain faults = new FaultDrain(port, memory, frames);
      rollback.add(faults::free);
      commands.start();
      faults.start();
      // What caches hold from before must go before any device may pass.
      commands.run(
          List.of(
              RiscvIommuCommand.everyDevice(),
              RiscvIommuCommand.everyFirstStage(),
              RiscvIommuCommand.everySecondStage()));
      DeviceTable devices = directory(port, capabilities, memory, frames);
      rollback.commit();
      return new RiscvIommuStart(capabilities, devices, commands, faults);
    }
  }

  private static void requireSupport(
      RiscvIommuPort port, long capabilities, RiscvIommuSettings settings) {
    String lacks = "";
    if (VERSION.getInt(capabilities) != VERSION_1_0) {
      lacks = "and its version is not 1.0";
    } else if (widest(capabilities, settings.secondStage()) == DirectoryLayout.BARE) {
      lacks =
          settings.secondStage()
              ? "which has no second stage (Sv39x4, Sv48x4, Sv57x4)"
              : "which has none of Sv39, Sv48 and Sv57";
    }
    if (!lacks.isEmpty()) {
      throw new RiscvIommuUnsupported(port.id(), CAPABILITIES.name(), capabilities, lacks);
    }
    long control = port.read(FCTL);
    if (FCTL_BE.isSet(control)) {
      throw new RiscvIommuUnsupported(
          port.id(), FCTL.name(), control, "and its tables are big-endian");
    }
  }

  /// {@return the mode of the widest tables of a stage; Bare where there are none}
  static int widest(long capabilities, boolean second) {
    for (int mode = DirectoryLayout.SV57; mode >= DirectoryLayout.SV39; mode--) {
      if (offers(capabilities, mode, second)) {
        return mode;
      }
    }
    return DirectoryLayout.BARE;
  }

  /// {@return whether an IOMMU has tables of a mode that is not Bare}
  static boolean offers(long capabilities, int mode, boolean second) {
    return switch (mode) {
      case DirectoryLayout.SV39 -> (second ? SV39X4 : SV39).isSet(capabilities);
      case DirectoryLayout.SV48 -> (second ? SV48X4 : SV48).isSet(capabilities);
      case DirectoryLayout.SV57 -> (second ? SV57X4 : SV57).isSet(capabilities);
      default -> false;
    };
  }

  /// Blocks every device, and turns the queues off.
  static void quiesce(RiscvIommuPort port) {
    awaitDirectory(port);
    port.write(DDTP, DDTP_MODE.with(port.read(DDTP), MODE_OFF));
    awaitDirectory(port);
    CommandIssuer.stop(port);
    FaultDrain.stop(port);
  }

  private static void awaitDirectory(RiscvIommuPort port) {
    port.await(DDTP, "ddtp.busy = 0", v -> !DDTP_BUSY.isSet(v));
  }

  /// As many levels as the hardware takes: which it has, only a write of `ddtp` tells. In the directory no device is valid yet.
  private static DeviceTable directory(
      RiscvIommuPort port, long capabilities, PhysicalMemory memory, Frames frames) {
    boolean extended = MSI_FLAT.isSet(capabilities);
    for (int mode = MODE_3LVL; mode >= MODE_1LVL; mode--) {
      DeviceTable table = new DeviceTable(memory, frames, mode - MODE_BARE, extended);
      long value =
          DDTP_MODE.place(mode) | DDTP_PPN.place(DirectoryLayout.ppn(table.root().value()));
      memory.publish();
      port.write(DDTP, value);
      awaitDirectory(port);
      if (port.read(DDTP) == value) {
        return table;
      }
      port.write(DDTP, DDTP_MODE.with(value, MODE_OFF));
      awaitDirectory(port);
      table.free();
    }
    throw new RiscvIommuUnsupported(
        port.id(), DDTP.name(), port.read(DDTP), "which takes no mode with a device directory");
  }
}
