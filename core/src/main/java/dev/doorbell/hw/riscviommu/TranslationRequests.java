package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.FaultLayout.*;
import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bus.TranslationCompletion;
import dev.doorbell.bus.TranslationCompletion.Refused;
import dev.doorbell.bus.TranslationCompletion.Success;
import dev.doorbell.bus.TranslationRequest;
import dev.doorbell.bus.Translator;
import org.jspecify.annotations.Nullable;

/// Answers devices' translation requests, and takes the accesses with addresses that they were answered. Tables are walked anew each time. For one thread at a time.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.3 (process to translate an IOVA), 2.6 (PCIe ATS translation request handling), 2.1.3 (`T2GPA`).
final class TranslationRequests {
  private final InboundPath.Shared shared;
  private final InboundPath path;
  private final DeviceDirectory.Missing missing = new DeviceDirectory.Missing();

  /// DTF of the device.
  private boolean quiet;

  TranslationRequests(InboundPath.Shared shared, InboundPath path) {
    this.shared = shared;
    this.path = path;
  }

  TranslationCompletion take(TranslationRequest r) {
    missing.processId = r.pasid();
    DeviceContext context = allowed(r.requester());
    if (context == null) {
      return refuse(r, missing.cause);
    }
    int access =
        PageWalk.FRESH
            | PageWalk.PERMISSIVE
            | Translator.READ
            | (r.writes() ? Translator.WRITE : 0)
            | (r.executes() ? PageWalk.EXECUTE : 0)
            | (r.privileged() ? PageWalk.PRIVILEGED : 0);
    PageWalk walk = path.walk();
    long pa = path.through(context, r.pasid(), r.page(), access);
    if (walk.cause != 0) {
      return isAnswered(walk.cause) ? nothing() : refuse(r, walk.cause);
    }
    // A page that is for execution alone is none for PCI Express.
    if ((walk.rights() & Translator.READ) == 0) {
      return nothing();
    }
    int rights = walk.rights() & (r.executes() ? -1 : ~TranslationCompletion.EXECUTE);
    if (pa == Translator.MESSAGE) {
      return new Success(0, DirectoryLayout.PAGE_BYTES, rights, true, false);
    }
    boolean global = r.pasid() >= 0 && walk.isGlobal();
    long answer = DirectoryLayout.TC_T2GPA.isSet(context.tc()) ? walk.guest : pa;
    return new Success(answer & -1L << walk.shift(), 1L << walk.shift(), rights, false, global);
  }

  private static Success nothing() {
    return new Success(0, DirectoryLayout.PAGE_BYTES, 0, false, false);
  }

  /// With T2GPA the address is a guest's, and the second stage is still to be taken; a file in memory is none that a device was given.
  ///
  /// {@return the physical address of an access whose address is translated already; {@link Translator#FAULT} where the device may have none}
  long translated(int deviceId, long address, int access) {
    missing.processId = EventCounters.NONE;
    DeviceContext context = allowed(deviceId);
    PageWalk walk = path.walk();
    if (context == null) {
      walk.refuse(missing.cause);
    } else if (DirectoryLayout.TC_T2GPA.isSet(context.tc())) {
      walk.processId = EventCounters.NONE;
      long pa = walk.translate(context.withoutFirst(), address, access);
      if (pa >= 0) {
        return pa;
      }
      if (pa == Translator.MESSAGE) {
        walk.refuse(TYPE_DISALLOWED);
      }
    } else if (SvPteLayout.fits(address, shared.features().outputBits())) {
      return address;
    } else {
      walk.refuse(AccessFaults.access(access));
    }
    int type = AccessFaults.by(access, TRANSLATED_EXECUTE, TRANSLATED_READ, TRANSLATED_WRITE);
    record(TTYP.place(type) | DID.place(deviceId & DID.max()), walk.cause, address, walk.iotval2);
    return Translator.FAULT;
  }

  /// {@return the context of a device that may use ATS; null with the cause}
  private @Nullable DeviceContext allowed(int deviceId) {
    long ddtp = shared.ddtp().getAsLong();
    int mode = DDTP_MODE.getInt(ddtp);
    if (mode <= MODE_BARE) {
      missing.cause = mode == MODE_OFF ? ALL_DISALLOWED : TYPE_DISALLOWED;
      return null;
    }
    DeviceContext context = shared.directory().find(ddtp, deviceId, missing);
    quiet = context != null && context.quiet();
    if (context != null && !DirectoryLayout.TC_EN_ATS.isSet(context.tc())) {
      missing.cause = TYPE_DISALLOWED;
      return null;
    }
    return context;
  }

  /// {@return whether a translation that fails so is answered with no rights, and not recorded}
  private static boolean isAnswered(int cause) {
    return switch (cause) {
      case INSTRUCTION_PAGE_FAULT,
          READ_PAGE_FAULT,
          WRITE_PAGE_FAULT,
          INSTRUCTION_GUEST_PAGE_FAULT,
          READ_GUEST_PAGE_FAULT,
          WRITE_GUEST_PAGE_FAULT,
          PDT_INVALID,
          MSI_INVALID ->
          true;
      default -> false;
    };
  }

  private Refused refuse(TranslationRequest r, int cause) {
    long first = TTYP.place(TRANSLATION_REQUEST) | DID.place(r.requester() & DID.max());
    if (r.pasid() >= 0) {
      first |= PV.mask() | PID.place(r.pasid()) | PRIV.place(r.privileged() ? 1 : 0);
    }
    // A request is a read, whatever it asks for.
    record(first, cause == WRITE_ACCESS_FAULT ? READ_ACCESS_FAULT : cause, r.page(), 0);
    return cause >= ALL_DISALLOWED && cause <= TYPE_DISALLOWED
        ? Refused.UNSUPPORTED_REQUEST
        : Refused.COMPLETER_ABORT;
  }

  private void record(long first, int cause, long address, long iotval2) {
    if (quiet && !reportedDespiteDtf(cause)) {
      return;
    }
    if (shared.faults().record(first | CAUSE.place(cause), address, iotval2)) {
      shared.messages().raise(FIP);
    }
  }
}
