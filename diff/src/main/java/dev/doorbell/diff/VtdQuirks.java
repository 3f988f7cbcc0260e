package dev.doorbell.diff;

import dev.doorbell.hw.vtd.ContextLayout;
import dev.doorbell.hw.vtd.IrteLayout;
import dev.doorbell.hw.vtd.VtdRegisters;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// What QEMU's `intel-iommu` does otherwise; `docs/qemu-differences.md` has the same names.
final class VtdQuirks {
  /// Of interrupts, in every mode.
  static final List<ComparedIommu.Named> OF_INTERRUPTS =
      List.of(
          new ComparedIommu.Named("vtd-bus-range", VtdQuirks::busRange),
          new ComparedIommu.Named("apic-redirection-hint", VtdQuirks::hint),
          new ComparedIommu.Named("vtd-compatibility-format", VtdQuirks::compatibility),
          new ComparedIommu.Named("vtd-svt-reserved", VtdQuirks::svt));

  /// In legacy mode.
  static final List<ComparedIommu.Named> ALL =
      with(
          new ComparedIommu.Named("vtd-pass-through-width", VtdQuirks::width),
          new ComparedIommu.Named("vtd-early-permission", VtdQuirks::permission),
          new ComparedIommu.Named("vtd-paging-access", VtdQuirks::access));

  private static final int BUS_BITS = Byte.SIZE;
  private static final String WIDTH = "reason 4h";
  private static final String ACCESS = "reason 7h";
  private static final String RESERVED = "reason ch";
  private static final String WRITE = "reason 5h";
  private static final String RESERVED_IN_IRTE = "reason 24h";
  private static final String WRONG_SOURCE = "reason 26h";
  private static final int SVT_RESERVED = 3;

  private VtdQuirks() {}

  /// {@return quirks of interrupts, and others}
  static List<ComparedIommu.Named> with(ComparedIommu.Named... others) {
    return Stream.concat(OF_INTERRUPTS.stream(), Stream.of(others)).toList();
  }

  /// {@return where the upper half of the entry is that a message leads to; -1 for none}
  private static long upperHalf(IommuRun run) {
    long address = run.attempt().address();
    if (!Pc.isMessage(address) || !IrteLayout.FORMAT.isSet(address)) {
      return -1;
    }
    long index = IrteLayout.HANDLE.get(address);
    index += IrteLayout.SHV.isSet(address) ? run.attempt().data() : 0;
    return index >>> VtdIommu.ENTRY_BITS != 0
        ? -1
        : VtdIommu.ENTRIES + index * IrteLayout.BYTES + Long.BYTES;
  }

  /// A reserved SVT is a source that is not verified.
  private static List<IommuOutcome> svt(IommuRun run) {
    long at = upperHalf(run);
    IommuOutcome ours = run.outcome();
    return at >= 0
            && IrteLayout.SVT.getInt(run.view().read64(at)) == SVT_RESERVED
            && ours.recorded().contains(RESERVED_IN_IRTE)
        ? List.of(ours.recorded(ours.recorded().replace(RESERVED_IN_IRTE, WRONG_SOURCE)))
        : List.of();
  }

  /// SID has the first bus where the last one is.
  private static List<IommuOutcome> busRange(IommuRun run) {
    long at = upperHalf(run);
    if (at < 0) {
      return List.of();
    }
    long high = run.view().read64(at);
    if (IrteLayout.SVT.get(high) != IrteLayout.SVT_BUS) {
      return List.of();
    }
    long sid = IrteLayout.SID.get(high);
    long swapped = (sid & (1 << BUS_BITS) - 1) << BUS_BITS | sid >>> BUS_BITS;
    return List.of(run.with(Map.of(at, IrteLayout.SID.with(high, swapped))));
  }

  private static List<IommuOutcome> compatibility(IommuRun run) {
    long address = run.attempt().address();
    boolean remaps =
        VtdRegisters.IRE.isSet(run.setting(VtdIommu.UNIT + VtdRegisters.GCMD_REG.offset()));
    return remaps && Pc.isMessage(address) && !IrteLayout.FORMAT.isSet(address)
        ? List.of(IommuOutcome.of(Pc.passing(address, run.attempt().data())))
        : List.of();
  }

  private static List<IommuOutcome> hint(IommuRun run) {
    boolean remaps =
        VtdRegisters.IRE.isSet(run.setting(VtdIommu.UNIT + VtdRegisters.GCMD_REG.offset()));
    return remaps ? List.of() : Pc.withoutHint(run);
  }

  private static List<IommuOutcome> width(IommuRun run) {
    long entry =
        run.view()
            .read64(
                VtdIommu.CONTEXT + (long) run.attempt().requester() * ContextLayout.CONTEXT_BYTES);
    boolean passes = ContextLayout.TT.getInt(entry) == ContextLayout.TT_PASS_THROUGH;
    return passes && run.outcome().recorded().contains(WIDTH)
        ? List.of(IommuOutcome.nothing())
        : List.of();
  }

  /// A table that cannot be read is one that denies.
  private static List<IommuOutcome> access(IommuRun run) {
    IommuOutcome ours = run.outcome();
    return ours.recorded().contains(ACCESS)
        ? List.of(ours.recorded(ours.recorded().replace(ACCESS, WRITE)))
        : List.of();
  }

  private static List<IommuOutcome> permission(IommuRun run) {
    IommuOutcome ours = run.outcome();
    return ours.recorded().contains(RESERVED)
        ? List.of(ours.recorded(ours.recorded().replace(RESERVED, WRITE)))
        : List.of();
  }
}
