package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;

import dev.doorbell.bus.PageRequest;
import dev.doorbell.bus.PageResponse;
import java.util.Optional;

/// Takes page requests: software's to answer when they are queued, the IOMMU's own when they are not.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.7 (PCIe ATS Page Request handling).
final class PageRequests {
  private final InboundPath.Shared shared;
  private final PageRequestQueue queue;

  PageRequests(InboundPath.Shared shared, PageRequestQueue queue) {
    this.shared = shared;
    this.queue = queue;
  }

  /// {@return the IOMMU's own answer to a request that is not queued and wants one}
  Optional<PageResponse> take(PageRequest request) {
    long ddtp = shared.ddtp().getAsLong();
    return switch (DDTP_MODE.getInt(ddtp)) {
      case MODE_OFF -> refuse(request, FaultLayout.ALL_DISALLOWED);
      case MODE_BARE -> refuse(request, FaultLayout.TYPE_DISALLOWED);
      default -> inContext(request, ddtp);
    };
  }

  private Optional<PageResponse> inContext(PageRequest request, long ddtp) {
    DeviceDirectory.Missing missing = new DeviceDirectory.Missing();
    DeviceContext context = shared.directory().find(ddtp, request.requester(), missing);
    if (context == null) {
      return refuse(request, missing.cause);
    }
    if (!DirectoryLayout.TC_EN_PRI.isSet(context.tc())) {
      if (context.quiet()) {
        return answer(request, PageResponse.INVALID_REQUEST, false);
      }
      return refuse(request, FaultLayout.TYPE_DISALLOWED);
    }
    PageRequestQueue.Taken taken = queue.take(request);
    if (taken != PageRequestQueue.Taken.OFF && queue.interrupts()) {
      shared.messages().raise(PIP);
    }
    boolean named = DirectoryLayout.TC_PRPR.isSet(context.tc());
    return switch (taken) {
      case QUEUED -> Optional.empty();
      case OVERFLOW -> answer(request, PageResponse.SUCCESS, named);
      case OFF, MEMORY_FAULT -> answer(request, PageResponse.FAILURE, true);
    };
  }

  private Optional<PageResponse> refuse(PageRequest request, int cause) {
    long first =
        FaultLayout.CAUSE.place(cause)
            | FaultLayout.TTYP.place(FaultLayout.MESSAGE_REQUEST)
            | FaultLayout.DID.place(request.requester() & FaultLayout.DID.max());
    if (request.pasid() >= 0) {
      first |= FaultLayout.PV.mask() | FaultLayout.PID.place(request.pasid());
    }
    if (shared.faults().record(first, PageRequest.CODE, 0)) {
      shared.messages().raise(FIP);
    }
    boolean invalid = cause == FaultLayout.TYPE_DISALLOWED;
    return answer(request, invalid ? PageResponse.INVALID_REQUEST : PageResponse.FAILURE, !invalid);
  }

  /// @param named whether the answer has the request's PASID
  private static Optional<PageResponse> answer(PageRequest request, int code, boolean named) {
    return request.isAnswered()
        ? Optional.of(
            new PageResponse(
                request.requester(), named ? request.pasid() : -1, request.group(), code))
        : Optional.empty();
  }
}
