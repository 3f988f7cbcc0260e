package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Brings an IOMMU from any state to one where the driver's tables rule and every device is blocked.
///
/// While it is disabled accesses pass untranslated: the architecture has no other state to come from.
///
/// **Source** 48882 revision 3.09, 2.8 (initialization), 3.4.1 (Control).
///
/// @param wide whether interrupt table entries have 16 bytes
record AmdViStart(boolean wide, DeviceTable devices, CommandPoster commands, EventReader events) {
  static AmdViStart run(
      AmdViPort port, PhysicalMemory memory, Frames frames, AmdViSettings settings) {
    long features = port.read(EXT_FEATURE_REG);
    if (settings.x2apic() && !(XT_SUP.isSet(features) && GA_SUP.isSet(features))) {
      throw new AmdViUnsupportedException(
          port.id(), features, "without XTSup and GASup for APIC ids above 254");
    }
    if (settings.guestTables() && !(GT_SUP.isSet(features) && GIO_SUP.isSet(features))) {
      throw new AmdViUnsupportedException(
          port.id(), features, "without GTSup and GIoSup for guest page tables of its own");
    }
    Deque<Runnable> undo = new ArrayDeque<>();
    try {
      DeviceTable devices = DeviceTable.create(memory, frames, settings.remapping());
      undo.push(devices::free);
      CommandPoster commands = CommandPoster.create(port, memory, frames);
      undo.push(commands::free);
      EventReader events = EventReader.create(port, memory, frames);
      undo.push(events::free);
      AmdViStart start = new AmdViStart(settings.x2apic(), devices, commands, events);
      undo.push(() -> disable(port));
      start.program(port, settings.guestTables(), IA_SUP.isSet(features));
      return start;
    } catch (RuntimeException failed) {
      undo(undo, failed);
      throw failed;
    }
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
    port.awaitStatus(EVENT_LOG_RUN, false);
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
    events.program();
    port.write(STATUS_REG, EVENT_OVERFLOW.mask() | EVENT_LOG_INT.mask() | COM_WAIT_INT.mask());
    long control = COHERENT.mask() | EVENT_LOG_EN.mask() | CMD_BUF_EN.mask();
    control |= guestTables ? GT_EN.mask() : 0;
    control |= wide ? GA_EN.mask() | XT_EN.mask() : 0;
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
