package dev.doorbell.hw.smmuv3;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.vmsa.Stage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Brings an SMMU from any state to one where the driver's tables rule and every stream is blocked.
///
/// The order is the one that the manual asks for and that Linux keeps: abort what arrives, disable, attributes, tables, command queue, invalidate
/// everything, event queue, interrupts, translation.
///
/// **Source** IHI 0070 G.b, 3.11 Reset, enable and initialization; 6.3 (SMMU_CR0, SMMU_GBPA).
///
/// @param features what the hardware can do
/// @param stage the stage in use
record SmmuStart(
    ProbedFeatures features,
    Stage stage,
    StreamTable streams,
    CommandIssuer commands,
    EventDrain events) {
  private static final int COMMAND_QUEUE_LOG2 = 8;
  private static final int EVENT_QUEUE_LOG2 = 7;
  private static final int SH_INNER = 0b11;
  private static final int WRITE_BACK = 0b01;

  static SmmuStart run(SmmuPort port, PhysicalMemory memory, Frames frames, SmmuSettings settings) {
    ProbedFeatures features = ProbedFeatures.read(port);
    Stage stage = settings.stage().orElse(features.preferredStage());
    if (!features.has(stage)) {
      throw SmmuUnsupportedException.noStage(
          port.id(), port.read(SmmuRegisters.IDR0), stage, features.preferredStage());
    }
    Deque<Runnable> undo = new ArrayDeque<>();
    try {
      StreamTable streams = StreamTable.create(features, memory, frames);
      undo.push(streams::free);
      GlobalErrors errors = new GlobalErrors(port);
      CommandIssuer commands =
          CommandIssuer.create(
              port,
              errors,
              memory,
              frames,
              Math.min(COMMAND_QUEUE_LOG2, features.commandQueueLog2()));
      undo.push(commands::free);
      if (features.syncMsi()) {
        commands.waitInMemory();
      }
      EventDrain events =
          EventDrain.create(
              port, errors, memory, frames, Math.min(EVENT_QUEUE_LOG2, features.eventQueueLog2()));
      undo.push(events::free);
      SmmuStart start = new SmmuStart(features, stage, streams, commands, events);
      undo.push(() -> disable(port));
      start.program(port);
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
    } catch (SmmuTimeoutException again) {
      because.addSuppressed(again);
    }
  }

  /// Disables queues and translation; what arrives then is aborted.
  static void disable(SmmuPort port) {
    port.await(
        SmmuRegisters.GBPA,
        "SMMU_GBPA.Update = 0",
        value -> !SmmuRegisters.GBPA_UPDATE.isSet(value));
    long gbpa = SmmuRegisters.GBPA_ABORT.with(port.read(SmmuRegisters.GBPA), 1);
    port.write(SmmuRegisters.GBPA, SmmuRegisters.GBPA_UPDATE.with(gbpa, 1));
    port.await(
        SmmuRegisters.GBPA,
        "SMMU_GBPA.Update = 0",
        value -> !SmmuRegisters.GBPA_UPDATE.isSet(value));
    port.writeAcknowledged(SmmuRegisters.CR0, SmmuRegisters.CR0ACK, 0);
  }

  private void program(SmmuPort port) {
    disable(port);
    port.write(SmmuRegisters.CR1, tableAttributes());
    port.write(
        SmmuRegisters.CR2, SmmuRegisters.CR2_PTM.place(1) | SmmuRegisters.CR2_RECINVSID.place(1));
    streams.program(port);
    commands.program();
    // An error of whoever ran before would be taken for the first command's.
    new GlobalErrors(port).acknowledge(SmmuRegisters.GERROR_CMDQ_ERR.mask());
    long control = SmmuRegisters.CR0_CMDQEN.place(1);
    port.writeAcknowledged(SmmuRegisters.CR0, SmmuRegisters.CR0ACK, control);
    List<SmmuCommand> invalidate = new ArrayList<>();
    invalidate.add(SmmuCommand.cfgiAll());
    if (features.hyp()) {
      invalidate.add(SmmuCommand.tlbiAll(CommandLayout.CMD_TLBI_EL2_ALL));
    }
    invalidate.add(SmmuCommand.tlbiAll(CommandLayout.CMD_TLBI_NSNH_ALL));
    commands.run(invalidate);
    events.program();
    control |= SmmuRegisters.CR0_EVENTQEN.place(1);
    port.writeAcknowledged(SmmuRegisters.CR0, SmmuRegisters.CR0ACK, control);
    interrupts(port);
    control |= SmmuRegisters.CR0_SMMUEN.place(1);
    port.writeAcknowledged(SmmuRegisters.CR0, SmmuRegisters.CR0ACK, control);
  }

  /// The SMMU's own interrupts go by wire: messages of its own would have to be translated by nobody.
  private void interrupts(SmmuPort port) {
    port.writeAcknowledged(SmmuRegisters.IRQ_CTRL, SmmuRegisters.IRQ_CTRLACK, 0);
    if (features.msi()) {
      port.write(SmmuRegisters.GERROR_IRQ_CFG0, 0);
      port.write(SmmuRegisters.EVENTQ_IRQ_CFG0, 0);
      if (features.pri()) {
        port.write(SmmuRegisters.PRIQ_IRQ_CFG0, 0);
      }
    }
    port.writeAcknowledged(
        SmmuRegisters.IRQ_CTRL,
        SmmuRegisters.IRQ_CTRLACK,
        SmmuRegisters.IRQ_CTRL_EVENTQ_IRQEN.place(1)
            | SmmuRegisters.IRQ_CTRL_GERROR_IRQEN.place(1));
  }

  private static long tableAttributes() {
    return SmmuRegisters.CR1_TABLE_SH.place(SH_INNER)
        | SmmuRegisters.CR1_TABLE_OC.place(WRITE_BACK)
        | SmmuRegisters.CR1_TABLE_IC.place(WRITE_BACK)
        | SmmuRegisters.CR1_QUEUE_SH.place(SH_INNER)
        | SmmuRegisters.CR1_QUEUE_OC.place(WRITE_BACK)
        | SmmuRegisters.CR1_QUEUE_IC.place(WRITE_BACK);
  }
}
