package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import java.util.function.LongSupplier;

/// The way of one thread's untranslated requests: mode, device context, stages, and the record of what went wrong. Reused; for one thread at a
/// time.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.3 (process to translate an IOVA).
final class InboundPath {
  /// What all paths of an IOMMU share.
  ///
  /// @param ddtp reads the register
  record Shared(
      RiscvIommuFeatures features,
      LongSupplier ddtp,
      DeviceDirectory directory,
      FaultQueue faults,
      IommuMessages messages,
      ResidentFiles files) {
    /// Records that a message which the IOMMU itself sends was not taken.
    void failedMessage(long address) {
      if (faults.record(FaultLayout.CAUSE.place(FaultLayout.MSI_WRITE_FAULT), address, 0)) {
        messages.raise(FIP);
      }
    }
  }

  private final Shared shared;
  private final PageWalk walk;
  private final DeviceDirectory.Missing missing = new DeviceDirectory.Missing();

  InboundPath(Shared shared, PageWalk walk) {
    this.shared = shared;
    this.walk = walk;
  }

  long translate(int deviceId, int processId, long iova, int access) {
    missing.processId = processId;
    long ddtp = shared.ddtp().getAsLong();
    int mode = DDTP_MODE.getInt(ddtp);
    if (mode == MODE_OFF) {
      return fault(FaultLayout.ALL_DISALLOWED, deviceId, processId, iova, access);
    }
    if (mode == MODE_BARE) {
      return SvPteLayout.fits(iova, shared.features().outputBits())
          ? iova
          : fault(AccessFaults.access(access), deviceId, processId, iova, access);
    }
    DeviceContext context = shared.directory().find(ddtp, deviceId, missing);
    if (context == null) {
      return fault(missing.cause, deviceId, processId, iova, access);
    }
    long pa = through(context, processId, iova, access);
    if (walk.cause != 0 && !(context.quiet() && !FaultLayout.reportedDespiteDtf(walk.cause))) {
      return fault(walk.cause, deviceId, processId, iova, access);
    }
    return pa;
  }

  /// {@return what becomes of a write for which {@link #translate} answered that no memory lies there}
  BusOutcome message(int deviceId, long iova, long value, int bytes) {
    long pa = translate(deviceId, -1, iova, Translator.WRITE);
    if (pa != Translator.MESSAGE) {
      // The entry was changed meanwhile.
      return pa == Translator.FAULT
          ? BusOutcome.ERROR
          : shared.files().pass(pa, value, bytes, deviceId);
    }
    if (bytes != Integer.BYTES || iova % Integer.BYTES != 0) {
      return BusOutcome.ERROR;
    }
    long notice = walk.notice;
    return switch (shared.files().take(walk, iova, (int) value)) {
      case TAKEN -> BusOutcome.OK;
      case NO_FILE -> {
        fault(FaultLayout.MRIF_FAULT, deviceId, -1, iova, Translator.WRITE);
        yield BusOutcome.ERROR;
      }
      case NO_NOTICE -> {
        shared.failedMessage(notice);
        yield BusOutcome.OK;
      }
    };
  }

  /// {@return the physical address, or {@link Translator#FAULT}; where no memory lies that is a fault of its own}
  ///
  /// **Source**: RISC-V IOMMU Architecture 1.0, 5 (debug support).
  long debug(int deviceId, int processId, long iova, int access) {
    long pa = translate(deviceId, processId, iova, access);
    return pa == Translator.MESSAGE
        ? quietly(FaultLayout.TYPE_DISALLOWED, deviceId, processId, iova, access)
        : pa;
  }

  /// {@return of what memory type the tables said the last address to be: `PBMT`}
  int memoryType() {
    return walk.memoryType();
  }

  private long quietly(int cause, int deviceId, int processId, long iova, int access) {
    DeviceContext context = shared.directory().find(shared.ddtp().getAsLong(), deviceId, missing);
    return context != null && context.quiet()
        ? Translator.FAULT
        : fault(cause, deviceId, processId, iova, access);
  }

  /// {@return the walk of the last access}
  PageWalk walk() {
    return walk;
  }

  /// {@return where an access leaves processes and stages; {@link Translator#FAULT} with the cause in the walk}
  long through(DeviceContext device, int processId, long iova, int access) {
    walk.processId = processId;
    ProcessDirectory processes = device.processes();
    boolean asksForProcess = processId >= 0;
    if (asksForProcess && (processes == null || processes.isWider(processId))) {
      return walk.refuse(FaultLayout.TYPE_DISALLOWED);
    }
    DeviceContext context = device;
    int effective = access & ~PageWalk.PRIVILEGED;
    if (processes != null && (asksForProcess || DirectoryLayout.TC_DPE.isSet(device.tc()))) {
      walk.begin();
      // Without a process_id the default process is number 0.
      context = processes.find(device, Math.max(processId, 0), access, walk);
      if (context != null && context != device && asksForProcess && access != effective) {
        if (!ProcessLayout.TA_ENS.isSet(context.process())) {
          return walk.refuse(FaultLayout.TYPE_DISALLOWED);
        }
        effective = access;
      }
    }
    return context == null ? Translator.FAULT : walk.translate(context, iova, effective);
  }

  private long fault(int cause, int deviceId, int processId, long iova, int access) {
    int type =
        AccessFaults.by(
            access,
            FaultLayout.UNTRANSLATED_EXECUTE,
            FaultLayout.UNTRANSLATED_READ,
            FaultLayout.UNTRANSLATED_WRITE);
    long first =
        FaultLayout.CAUSE.place(cause)
            | FaultLayout.TTYP.place(type)
            | FaultLayout.DID.place(deviceId & FaultLayout.DID.max());
    if (processId >= 0) {
      first |= FaultLayout.PV.mask() | FaultLayout.PID.place(processId & FaultLayout.PID.max());
      first |= FaultLayout.PRIV.place((access & PageWalk.PRIVILEGED) != 0 ? 1 : 0);
    }
    boolean guest =
        cause == FaultLayout.READ_GUEST_PAGE_FAULT
            || cause == FaultLayout.WRITE_GUEST_PAGE_FAULT
            || cause == FaultLayout.INSTRUCTION_GUEST_PAGE_FAULT;
    if (shared.faults().record(first, iova, guest ? walk.iotval2 : 0)) {
      shared.messages().raise(FIP);
    }
    return Translator.FAULT;
  }
}
