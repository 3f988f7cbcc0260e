package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.amdvi.AmdViSettings.Use;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// Brings an IOMMU from any state to one where the driver's tables rule and every device is blocked.
///
/// While it is disabled accesses pass untranslated: the architecture has no other state to come from.
///
/// **Source** 48882 revision 3.09, 2.8 (initialization), 3.4.1 (Control).
///
/// @param x2apic whether destinations have 32 bits
record AmdViStart(boolean x2apic, DeviceTable devices, CommandPoster commands, Logs logs) {
  static AmdViStart run(
      AmdViPort port, PhysicalMemory memory, Frames frames, AmdViSettings settings) {
    long features = port.read(EXT_FEATURE_REG);
    requireFeatures(port, settings, features);
    Deque<Runnable> undo = new ArrayDeque<>();
    try {
      DeviceTable devices = DeviceTable.create(memory, frames, settings.has(Use.REMAPPING));
      undo.push(devices::free);
      CommandPoster commands = CommandPoster.create(port, memory, frames);
      undo.push(commands::free);
      Logs logs =
          Logs.create(
              port,
              memory,
              frames,
              settings.has(Use.POSTING) && postsNot(features).isEmpty(),
              settings.has(Use.PAGE_REQUESTS));
      undo.push(logs::free);
      AmdViStart start = new AmdViStart(settings.has(Use.X2APIC), devices, commands, logs);
      undo.push(() -> disable(port));
      start.program(port, settings.has(Use.GUEST_TABLES), IA_SUP.isSet(features));
      return start;
    } catch (RuntimeException failed) {
      undo(undo, failed);
      throw failed;
    }
  }

  private static void requireFeatures(AmdViPort port, AmdViSettings settings, long features) {
    if (settings.has(Use.X2APIC) && !(XT_SUP.isSet(features) && GA_SUP.isSet(features))) {
      throw new AmdViUnsupportedException(
          port.id(), features, "without XTSup and GASup for APIC ids above 254");
    }
    if (settings.has(Use.GUEST_TABLES) && !(GT_SUP.isSet(features) && GIO_SUP.isSet(features))) {
      throw AmdViUnsupportedException.withoutGuestTables(port.id(), features);
    }
    if (settings.has(Use.PAGE_REQUESTS) && !PPR_SUP.isSet(features)) {
      throw new AmdViUnsupportedException(
          port.id(), features, "without PPRSup for page requests of devices");
    }
  }

  /// {@return what of the features keeps an IOMMU from posting interrupts to guests; empty where nothing does}
  static Optional<String> postsNot(long features) {
    boolean posts = GA_SUP.isSet(features) && GAM_SUP.getInt(features) == GAM_GUEST;
    return posts
        ? Optional.empty()
        : Optional.of(
            "ExtFeature.GASup is %d and GAMSup is %d, not 1 and 1"
                .formatted(GA_SUP.get(features), GAM_SUP.get(features)));
  }

  /// {@return whether interrupt table entries have 16 bytes}
  boolean wide() {
    return x2apic || logs.guests().isPresent();
  }

  /// Disables first and gives memory back then. Hardware that cannot be disabled may still read the memory, so it is kept from others.
  private static void undo(Deque<Runnable> undo, RuntimeException because) {
    try {
      while (!undo.isEmpty()) {
        undo.pop().run();
      }
    } catch (RuntimeException again) {
      because.addSuppressed(again);
    }
  }

  /// Disables everything; accesses and interrupts pass as they are then.
  static void disable(AmdViPort port) {
    port.write(CONTROL_REG, 0);
    port.awaitStatus(CMD_BUF_RUN, false);
    for (Log log : Log.values()) {
      port.awaitStatus(log.running(), false);
    }
  }

  private void program(AmdViPort port, boolean guestTables, boolean invalidatesAll) {
    disable(port);
    port.write(
        DEV_TAB_BASE_REG,
        DEV_TAB_BASE.place(devices.base().value())
            | DEV_TAB_SIZE.place(DeviceTable.TABLE / DEV_TAB_UNIT - 1));
    port.write(EXCL_BASE_REG, 0);
    port.write(EXCL_LIMIT_REG, 0);
    commands.program();
    logs.program();
    port.write(STATUS_REG, COM_WAIT_INT.mask());
    long control = COHERENT.mask() | CMD_BUF_EN.mask() | logs.control();
    control |= guestTables ? GT_EN.mask() : 0;
    control |= wide() ? GA_EN.mask() : 0;
    control |= x2apic ? XT_EN.mask() : 0;
    port.write(CONTROL_REG, control);
    port.write(CONTROL_REG, control | IOMMU_EN.mask());
    port.awaitStatus(CMD_BUF_RUN, true);
    if (invalidatesAll) {
      commands.run(List.of(AmdViCommand.everything()));
    } else {
      forgetEach();
    }
  }

  /// What whoever ran before left in caches goes device by device and domain by domain.
  private void forgetEach() {
    List<AmdViCommand> all = new ArrayList<>();
    for (int id = 0; id < DeviceTable.DEVICES; id++) {
      all.add(AmdViCommand.device(id));
      all.add(AmdViCommand.interrupts(id));
      all.add(AmdViCommand.all(id, PageFormat.HOST));
    }
    commands.run(all);
  }
}
