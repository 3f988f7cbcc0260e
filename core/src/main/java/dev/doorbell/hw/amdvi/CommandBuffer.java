package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;
import static dev.doorbell.hw.amdvi.CommandLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.bits.Layout;
import dev.doorbell.bus.AccessGate;
import dev.doorbell.bus.AtsMessages;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.PageResponse;
import dev.doorbell.bus.PhysicalMemory;

/// A model's command buffer: a ring in memory that software fills and the IOMMU empties. A command that is illegal or cannot be read stops it;
/// Status.CmdBufRun tells. Callers hold the model's lock.
///
/// **Source** 48882 revision 3.09, 2.4 Commands, 2.5.5 and 2.5.6 (its errors).
final class CommandBuffer {
  private final AmdViFeatures features;
  private final RegisterFile registers;
  private final PhysicalMemory memory;
  private final Targets targets;
  private final EventLog events;
  private final OwnInterrupt interrupt;

  /// What commands act on: caches, accesses in flight, and devices.
  record Targets(
      DeviceEntries devices,
      PageCache pages,
      InterruptEntries interrupts,
      AccessGate gate,
      AtsMessages ats) {}

  /// Who is told of what goes on.
  record Told(EventLog events, OwnInterrupt interrupt) {}

  CommandBuffer(
      AmdViFeatures features,
      RegisterFile registers,
      PhysicalMemory memory,
      Targets targets,
      Told told) {
    this.features = features;
    this.registers = registers;
    this.memory = memory;
    this.targets = targets;
    this.events = told.events();
    this.interrupt = told.interrupt();
  }

  /// Executes commands until none is left or one stops the buffer.
  void run() {
    while (registers.isSet(STATUS_REG, CMD_BUF_RUN)) {
      long base = registers.get(CMD_BUF_BASE_REG);
      long bytes = (long) BYTES << CMD_LEN.getInt(base);
      long head = registers.get(CMD_HEAD_REG) & bytes - 1;
      if (head == (registers.get(CMD_TAIL_REG) & bytes - 1)) {
        return;
      }
      long at = CMD_BASE.get(base) + head;
      try {
        if (!execute(memory.read64(at), memory.read64(at + Long.BYTES))) {
          halt();
          events.record(EventWords.of(EventLayout.ILLEGAL_COMMAND_ERROR, 0, 0), at);
          return;
        }
      } catch (BusException _) {
        halt();
        events.hardwareError(
            EventWords.of(EventLayout.COMMAND_HARDWARE_ERROR, 0, 0) | EventWords.aborted(), at);
        return;
      }
      registers.set(CMD_HEAD_REG, head + BYTES & bytes - 1);
    }
  }

  private void halt() {
    registers.status(0, CMD_BUF_RUN.mask());
  }

  private boolean execute(long w0, long w1) {
    return switch (OPCODE.getInt(w0)) {
      case COMPLETION_WAIT -> isPlain(WAIT_0, w0) && completed(w0, w1);
      case INVALIDATE_DEVTAB_ENTRY -> {
        if (!isPlain(DEVTAB_0, w0) || w1 != 0) {
          yield false;
        }
        targets.devices.forget(DEVICE.getInt(w0));
        yield true;
      }
      case INVALIDATE_IOMMU_PAGES -> isPlain(PAGES_0, w0) && isPlain(PAGES_1, w1) && pages(w0, w1);
      // No device has translations of its own here: DTE.I and remote IOTLBs are not modelled.
      case INVALIDATE_IOTLB_PAGES -> isPlain(IOTLB_0, w0) && isPlain(IOTLB_1, w1);
      case INVALIDATE_INTERRUPT_TABLE -> {
        if (!isPlain(INTERRUPT_0, w0) || w1 != 0) {
          yield false;
        }
        targets.interrupts.forget(INTERRUPT_DEVICE.getInt(w0));
        yield true;
      }
      case INVALIDATE_IOMMU_ALL -> {
        if (!features.has(IA_SUP) || !isPlain(ALL_0, w0) || w1 != 0) {
          yield false;
        }
        targets.devices.forgetAll();
        targets.pages.forgetAll();
        targets.interrupts.forgetAll();
        yield true;
      }
      case COMPLETE_PPR_REQUEST -> {
        boolean legal = features.has(PPR_SUP) && isPlain(COMPLETE_0, w0) && isPlain(COMPLETE_1, w1);
        if (legal) {
          respond(w0, w1);
        }
        yield legal;
      }
      // Prefetching is not modelled, and not offered by ExtFeature.
      default -> false;
    };
  }

  private static boolean isPlain(Layout layout, long word) {
    return (word & layout.mask(BitKind.RES0)) == 0;
  }

  private void respond(long w0, long w1) {
    targets.ats.respond(
        new PageResponse(
            COMPLETE_DEVICE.getInt(w0),
            COMPLETE_GN.isSet(w1) ? COMPLETE_PASID.getInt(w0) : -1,
            COMPLETE_GROUP.getInt(w1),
            COMPLETE_CODE.getInt(w1)));
  }

  private boolean pages(long w0, long w1) {
    boolean guest = PAGES_GN.isSet(w1);
    if (guest && !features.has(GT_SUP)) {
      return false;
    }
    long first = PAGES_ADDRESS.get(w1);
    int bits = IoPageLayout.PAGE_BITS;
    if (PAGES_S.isSet(w1)) {
      bits += Long.numberOfTrailingZeros(~(first >>> IoPageLayout.PAGE_BITS)) + 1;
    }
    long mask = bits >= Long.SIZE ? -1L : (1L << bits) - 1;
    targets.pages.forget(
        PAGES_DOMAIN.getInt(w0),
        guest ? PAGES_PASID.getInt(w0) : PageCache.Page.HOST,
        first & ~mask,
        first | mask);
    return true;
  }

  private boolean completed(long w0, long w1) {
    targets.gate.drain();
    if (WAIT_STORE.isSet(w0)) {
      memory.write64(WAIT_ADDRESS.get(w0), w1);
      memory.publish();
    }
    if (WAIT_INTERRUPT.isSet(w0)) {
      registers.status(COM_WAIT_INT.mask(), 0);
      if (registers.isSet(CONTROL_REG, COM_WAIT_INT_EN)) {
        interrupt.raise();
      }
    }
    return true;
  }
}
