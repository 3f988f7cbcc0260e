package dev.doorbell.diff;

import dev.doorbell.bits.BitKind;
import dev.doorbell.hw.vtd.PagingLayout;
import dev.doorbell.hw.vtd.PasidLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What QEMU's `intel-iommu` does otherwise in scalable mode; `docs/qemu-differences.md` has the same names.
final class ScalableQuirks {
  static final List<ComparedIommu.Named> ALL =
      VtdQuirks.with(
          named("vtd-scalable-reasons", run -> List.of(run.outcome())),
          named("vtd-pasid-reserved", run -> read(run, ScalableQuirks::withoutReserved)),
          named("vtd-scalable-snp", run -> read(run, ScalableQuirks::withoutSnoop)),
          named("vtd-pasid-fpd", run -> read(run, ScalableQuirks::withoutFpd)),
          named("vtd-pasid-order", ScalableQuirks::typeFirst),
          named("vtd-pass-through-width", ScalableQuirks::width),
          named("vtd-first-stage-order", ScalableQuirks::userFirst),
          named("vtd-early-permission", ScalableQuirks::permission));

  /// Codes of legacy mode that stand for those of scalable mode.
  private static final Map<String, String> LEGACY =
      Map.ofEntries(
          Map.entry("38", "8"),
          Map.entry("39", "1"),
          Map.entry("3a", "a"),
          Map.entry("40", "9"),
          Map.entry("41", "2"),
          Map.entry("42", "b"),
          Map.entry("78", "7"),
          Map.entry("79", "5"),
          Map.entry("7a", "c"),
          Map.entry("7b", "3"),
          Map.entry("84", "4"),
          Map.entry("85", "5"));

  private static final Pattern REASON = Pattern.compile("reason ([0-9a-f]+)h");

  private ScalableQuirks() {}

  /// A quirk, whose outcomes may be told by codes of legacy mode, too.
  private static ComparedIommu.Named named(String name, ComparedIommu.Quirk quirk) {
    return new ComparedIommu.Named(
        name,
        run -> {
          List<IommuOutcome> out = new ArrayList<>(quirk.instead(run));
          for (IommuOutcome o : List.copyOf(out)) {
            String legacy = LEGACY.get(reason(o));
            if (legacy != null) {
              out.add(because(o, legacy));
            }
          }
          return out;
        });
  }

  /// What comes of an access where entries are taken for others, in QEMU's order of looking at what they lead to.
  private static List<IommuOutcome> read(IommuRun run, IommuView.Reading reading) {
    List<IommuOutcome> out = new ArrayList<>();
    IommuOutcome o = run.reading(reading);
    out.add(o);
    out.add(because(o, "59", "5b"));
    out.add(because(o, "72", "81"));
    out.addAll(denied(o));
    if (reason(o).equals("83")) {
      out.add(IommuOutcome.nothing());
    }
    return out;
  }

  private static String reason(IommuOutcome outcome) {
    Matcher m = REASON.matcher(outcome.recorded());
    return m.find() ? m.group(1) : "";
  }

  private static IommuOutcome because(IommuOutcome outcome, String code) {
    return outcome.recorded(
        REASON.matcher(outcome.recorded()).replaceFirst("reason %sh".formatted(code)));
  }

  private static IommuOutcome because(IommuOutcome outcome, String from, String to) {
    return reason(outcome).equals(from) ? because(outcome, to) : outcome;
  }

  /// Reserved bits of PASID directory and table entries are not looked at.
  private static long withoutReserved(ComparedIommu.Kind kind, long at, long word) {
    if (kind != ComparedIommu.Kind.DEVICE || at < ScalableVtd.DIRECTORIES) {
      return word;
    }
    if (at < ScalableVtd.PASIDS) {
      return word & ~PasidLayout.DIRECTORY.mask(BitKind.RES0);
    }
    boolean first = at % PasidLayout.ENTRY_BYTES == 0;
    return first ? word & ~PasidLayout.ENTRY_0.mask(BitKind.RES0) : word;
  }

  /// FPD of PASID directory and table entries is not looked at where the way ends at one of them.
  private static long withoutFpd(ComparedIommu.Kind kind, long at, long word) {
    boolean directory =
        kind == ComparedIommu.Kind.DEVICE
            && at >= ScalableVtd.DIRECTORIES
            && at < ScalableVtd.PASIDS;
    boolean entry =
        kind == ComparedIommu.Kind.DEVICE
            && at >= ScalableVtd.PASIDS
            && at % PasidLayout.ENTRY_BYTES == 0;
    return directory || entry ? word & ~PasidLayout.FPD.mask() : word;
  }

  /// SNP of second-stage entries counts as ignored.
  private static long withoutSnoop(ComparedIommu.Kind kind, long at, long word) {
    return kind == ComparedIommu.Kind.PAGE ? word & ~PagingLayout.SNP.mask() : word;
  }

  /// The type of a PASID table entry is looked at before P.
  private static List<IommuOutcome> typeFirst(IommuRun run) {
    return List.of(because(run.outcome(), "59", "5b"));
  }

  /// An address that passes may have any width; the access is lost then.
  private static List<IommuOutcome> width(IommuRun run) {
    return reason(run.outcome()).equals("83") ? List.of(IommuOutcome.nothing()) : List.of();
  }

  /// That an entry is the supervisor's is seen before its reserved bits.
  private static List<IommuOutcome> userFirst(IommuRun run) {
    return List.of(because(run.outcome(), "72", "81"));
  }

  private static List<IommuOutcome> permission(IommuRun run) {
    return denied(run.outcome());
  }

  /// An entry on the way that denies writes ends the walk, whatever is wrong further down.
  private static List<IommuOutcome> denied(IommuOutcome outcome) {
    return List.of("7a", "78", "70", "71", "72", "81").contains(reason(outcome))
        ? List.of(because(outcome, "85"))
        : List.of();
  }
}
