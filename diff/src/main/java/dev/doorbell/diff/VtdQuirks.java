package dev.doorbell.diff;

import dev.doorbell.hw.vtd.ContextLayout;
import dev.doorbell.hw.vtd.IrteLayout;
import dev.doorbell.hw.vtd.VtdRegisters;
import java.util.List;
import java.util.Map;

/// What QEMU's `intel-iommu` does otherwise; `docs/qemu-differences.md` has the same names.
final class VtdQuirks {
  static final List<PcIommu.Named> ALL =
      List.of(
          new PcIommu.Named("vtd-bus-range", VtdQuirks::busRange),
          new PcIommu.Named("apic-redirection-hint", VtdQuirks::hint),
          new PcIommu.Named("vtd-compatibility-format", VtdQuirks::compatibility),
          new PcIommu.Named("vtd-pass-through-width", VtdQuirks::width),
          new PcIommu.Named("vtd-early-permission", VtdQuirks::permission),
          new PcIommu.Named("vtd-paging-access", VtdQuirks::access));

  private static final int BUS_BITS = Byte.SIZE;
  private static final String WIDTH = "reason 4h";
  private static final String ACCESS = "reason 7h";
  private static final String RESERVED = "reason ch";
  private static final String WRITE = "reason 5h";

  private VtdQuirks() {}

  /// SID has the first bus where the last one is.
  private static List<PcOutcome> busRange(PcRun run) {
    long address = run.message().address();
    if (!Pc.isMessage(address) || !IrteLayout.FORMAT.isSet(address)) {
      return List.of();
    }
    long index = IrteLayout.HANDLE.get(address);
    index += IrteLayout.SHV.isSet(address) ? run.message().data() : 0;
    if (index >>> VtdIommu.ENTRY_BITS != 0) {
      return List.of();
    }
    long at = VtdIommu.ENTRIES + index * IrteLayout.BYTES + Long.BYTES;
    long high = run.view().read64(at);
    if (IrteLayout.SVT.get(high) != IrteLayout.SVT_BUS) {
      return List.of();
    }
    long sid = IrteLayout.SID.get(high);
    long swapped = (sid & (1 << BUS_BITS) - 1) << BUS_BITS | sid >>> BUS_BITS;
    return List.of(run.with(Map.of(at, IrteLayout.SID.with(high, swapped))));
  }

  private static List<PcOutcome> compatibility(PcRun run) {
    long address = run.message().address();
    boolean remaps =
        VtdRegisters.IRE.isSet(run.setting(VtdIommu.UNIT + VtdRegisters.GCMD_REG.offset()));
    return remaps && Pc.isMessage(address) && !IrteLayout.FORMAT.isSet(address)
        ? List.of(PcOutcome.of(Pc.passing(address, run.message().data())))
        : List.of();
  }

  private static List<PcOutcome> hint(PcRun run) {
    boolean remaps =
        VtdRegisters.IRE.isSet(run.setting(VtdIommu.UNIT + VtdRegisters.GCMD_REG.offset()));
    return remaps ? List.of() : Pc.withoutHint(run);
  }

  private static List<PcOutcome> width(PcRun run) {
    long entry =
        run.view()
            .read64(
                VtdIommu.CONTEXT + (long) run.message().requester() * ContextLayout.CONTEXT_BYTES);
    boolean passes = ContextLayout.TT.getInt(entry) == ContextLayout.TT_PASS_THROUGH;
    return passes && run.outcome().recorded().contains(WIDTH)
        ? List.of(PcOutcome.nothing())
        : List.of();
  }

  /// A table that cannot be read is one that denies.
  private static List<PcOutcome> access(PcRun run) {
    PcOutcome ours = run.outcome();
    return ours.recorded().contains(ACCESS)
        ? List.of(ours.recorded(ours.recorded().replace(ACCESS, WRITE)))
        : List.of();
  }

  private static List<PcOutcome> permission(PcRun run) {
    PcOutcome ours = run.outcome();
    return ours.recorded().contains(RESERVED)
        ? List.of(ours.recorded(ours.recorded().replace(RESERVED, WRITE)))
        : List.of();
  }
}
