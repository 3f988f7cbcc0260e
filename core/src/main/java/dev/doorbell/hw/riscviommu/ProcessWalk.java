package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.ProcessLayout.*;
import static dev.doorbell.hw.riscviommu.RiscvIommuWalker.fault;
import static dev.doorbell.hw.riscviommu.RiscvIommuWalker.hex;

import dev.doorbell.bits.BitKind;
import dev.doorbell.iommu.TableTrail;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// The part of a walk that lies in a process directory. Of one walk.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.2 (process-directory-table), 2.3 steps 11 to 16, 2.3.2 (how a process context is found).
final class ProcessWalk {
  private static final String PROCESS_CONTEXT = "process context";

  private final TableTrail trail;
  private final long[] context;
  private final long capabilities;
  private final StageWalk stages;

  /// @param context the device context's doublewords
  /// @param capabilities the register
  ProcessWalk(TableTrail trail, long[] context, long capabilities, StageWalk stages) {
    this.trail = trail;
    this.context = context;
    this.capabilities = capabilities;
    this.stages = stages;
  }

  /// {@return where an access leaves both stages}
  OptionalLong through(OptionalInt processId, long iova) {
    long pdtp = context[DirectoryLayout.FSC_AT / Long.BYTES];
    int mode = PDTP_MODE.getInt(pdtp);
    if (mode != BARE
        && processId.isPresent()
        && !SvPteLayout.fits(processId.getAsInt(), processIdBits(mode))) {
      trail.stopRegister(
          "pdtp",
          hex(iova),
          "process_id 0x%x has more than %d bits: %s"
              .formatted(
                  processId.getAsInt(), processIdBits(mode), fault(FaultLayout.TYPE_DISALLOWED)));
      return OptionalLong.empty();
    }
    boolean byDefault = DirectoryLayout.TC_DPE.isSet(context[0]);
    if (mode == BARE || processId.isEmpty() && !byDefault) {
      return stages.second(iova);
    }
    return process(processId.orElse(0), pdtp, iova);
  }

  private OptionalLong process(int processId, long pdtp, long iova) {
    long table = DirectoryLayout.address(PDTP_PPN.get(pdtp));
    for (int level = PDTP_MODE.getInt(pdtp) - 1; level > 0; level--) {
      String what = "PDT entry of level " + level;
      OptionalLong at = stages.implicit(table + offset(processId, level));
      OptionalLong entry = at.isEmpty() ? at : trail.read(at.getAsLong(), what);
      if (entry.isEmpty()) {
        return entry;
      }
      long e = entry.getAsLong();
      if (!POINTER_V.isSet(e) || (e & POINTER.mask(BitKind.RES0)) != 0) {
        return ends(
            what,
            iova,
            POINTER_V.isSet(e)
                ? "reserved bits are set (%s): %s"
                    .formatted(TableTrail.print(POINTER, e), fault(FaultLayout.PDT_MISCONFIGURED))
                : "V is 0: " + fault(FaultLayout.PDT_INVALID),
            at.getAsLong());
      }
      table = DirectoryLayout.address(POINTER_PPN.get(e));
      trail.entry(
          what,
          "process_id " + hex(processId),
          "table at " + hex(table),
          TableTrail.print(POINTER, e),
          at.getAsLong());
    }
    return context(processId, table + offset(processId, 0), iova);
  }

  private OptionalLong context(int processId, long gpa, long iova) {
    OptionalLong at = stages.implicit(gpa);
    OptionalLong first = at.isEmpty() ? at : trail.read(at.getAsLong(), PROCESS_CONTEXT);
    OptionalLong second =
        first.isEmpty() ? first : trail.read(at.getAsLong() + FSC_AT, PROCESS_CONTEXT);
    if (second.isEmpty()) {
      return second;
    }
    long ta = first.getAsLong();
    long fsc = second.getAsLong();
    String broken = broken(ta, fsc);
    if (!broken.isEmpty()) {
      return ends(PROCESS_CONTEXT, iova, broken, at.getAsLong());
    }
    trail.entry(
        PROCESS_CONTEXT,
        "process_id " + hex(processId),
        FSC_MODE.names().nameOf(FSC_MODE.get(fsc)),
        "ta %s; fsc %s".formatted(TableTrail.print(TA, ta), TableTrail.print(FSC, fsc)),
        at.getAsLong());
    return stages.both(fsc, iova);
  }

  private String broken(long ta, long fsc) {
    if (!TA_V.isSet(ta)) {
      return "V is 0: " + fault(FaultLayout.PDT_INVALID);
    }
    boolean reserved = ((ta & TA.mask(BitKind.RES0)) | (fsc & FSC.mask(BitKind.RES0))) != 0;
    if (reserved || !ContextRules.offersFirstStage(capabilities, FSC_MODE.getInt(fsc))) {
      return "it has reserved bits, or a mode that capabilities do not offer (ta %s; fsc %s): %s"
          .formatted(
              TableTrail.print(TA, ta),
              TableTrail.print(FSC, fsc),
              fault(FaultLayout.PDT_MISCONFIGURED));
    }
    return "";
  }

  private OptionalLong ends(String what, long iova, String why, long at) {
    trail.stopAt(what, hex(iova), why, at);
    return OptionalLong.empty();
  }
}
