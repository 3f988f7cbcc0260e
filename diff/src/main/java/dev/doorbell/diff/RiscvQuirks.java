package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.*;

import dev.doorbell.address.Sizes;
import dev.doorbell.bits.BitKind;
import dev.doorbell.diff.ComparedIommu.Kind;
import dev.doorbell.diff.ComparedIommu.Named;
import dev.doorbell.diff.ComparedIommu.Quirk;
import dev.doorbell.hw.riscviommu.FaultLayout;
import dev.doorbell.hw.riscviommu.ProcessLayout;
import dev.doorbell.hw.riscviommu.RiscvIommuRegisters;
import dev.doorbell.hw.riscviommu.SvPteLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// What QEMU's `riscv-iommu` does otherwise; `docs/qemu-differences.md` has the same names. Whatever comes of it, the debug interface answers in
/// QEMU's way.
final class RiscvQuirks {
  static final List<Named> ALL =
      List.of(
          named("riscv-debug-ppn", run -> List.of(run.outcome())),
          named("riscv-dc-reserved", RiscvQuirks::contextReserved),
          named("riscv-fsc-mode", RiscvQuirks::mode),
          named("riscv-iohgatp-align", RiscvQuirks::align),
          named("riscv-ade", RiscvQuirks::hardwareUpdates),
          named("riscv-msiptp-bare", RiscvQuirks::bare),
          named("riscv-pdtp-mode", RiscvQuirks::directoryMode),
          named("riscv-pc-reserved", RiscvQuirks::processReserved),
          named("riscv-pdt-gpa", RiscvQuirks::directoryAddress),
          named("riscv-pid-wide", RiscvQuirks::wide),
          named("riscv-pte-u", RiscvQuirks::user),
          named("riscv-accessed-write", RiscvQuirks::accessed),
          named("riscv-pte-pointer", RiscvQuirks::pointer),
          named("riscv-pte-reserved", RiscvQuirks::reserved),
          named("riscv-implicit-write", RiscvQuirks::implicitWrite),
          named("riscv-rights-of-leaf", RiscvQuirks::rights),
          named("riscv-msi-offset", RiscvMsiQuirks::offset),
          named("riscv-msi-reserved", RiscvMsiQuirks::reserved),
          named("riscv-msi-custom", RiscvMsiQuirks::custom),
          named("riscv-mrif-offset", RiscvMsiQuirks::fileOffset),
          named("riscv-mrif-wide", RiscvMsiQuirks::wide),
          named("riscv-mrif-layout", RiscvMsiQuirks::layout),
          named("riscv-notice", RiscvMsiQuirks::disabled));

  private static final long TC_RESERVED = TC.mask(BitKind.RES0);
  private static final long TA_RESERVED = TA.mask(BitKind.RES0) | TA_RCID.mask() | TA_MCID.mask();
  private static final int GUEST_PAGE_BITS = 47;
  private static final long GUEST_PAGES = (1L << GUEST_PAGE_BITS) - 1;
  private static final long PC_RESERVED = 0xff8;
  private static final int ROOT_BYTES = PAGE_BYTES << SvPteLayout.WIDER_ROOT_BITS;
  private static final int PROCESS_BITS = 8;
  private static final int PTE_BITS = 54;
  private static final int PPN_BITS = 44;
  private static final int ODD_MODE = 3;

  private RiscvQuirks() {}

  private static Named named(String name, Quirk quirk) {
    return new Named(name, run -> answered(quirk.instead(run)));
  }

  /// QEMU answers the number of a page where bits 53:10 of it are to be (`riscv-debug-ppn`), and of a large page its beginning.
  private static List<IommuOutcome> answered(List<IommuOutcome> outcomes) {
    List<IommuOutcome> out = new ArrayList<>(outcomes);
    for (IommuOutcome o : outcomes) {
      if (!o.recorded().startsWith("answers 0x")) {
        continue;
      }
      long response = Long.parseUnsignedLong(o.recorded().substring("answers 0x".length()), 16);
      long pa = address(RiscvIommuRegisters.TR_PPN.get(response));
      out.add(o.recorded(shown(pa)));
      out.add(o.recorded(shown(pa & -Sizes.GIB)));
    }
    return out;
  }

  private static String shown(long pa) {
    return RiscvIommu.answer(ppn(pa) & RiscvIommuRegisters.TR_PPN.mask());
  }

  private static long word(IommuRun run, long at) {
    return RiscvIommu.BOARD.holds(at, Long.BYTES) ? run.view().read64(at) : 0;
  }

  /// {@return where the device context is; -1 where nothing leads to one}
  static long context(IommuRun run) {
    long ddtp = run.setting(RiscvIommu.UNIT + RiscvIommuRegisters.DDTP.offset());
    int levels = RiscvIommuRegisters.DDTP_MODE.getInt(ddtp) - RiscvIommuRegisters.MODE_BARE;
    int device = run.attempt().requester();
    if (levels < 1 || device >>> deviceIdBits(levels, true) != 0) {
      return -1;
    }
    long table = address(RiscvIommuRegisters.DDTP_PPN.get(ddtp));
    for (int level = levels - 1; level > 0; level--) {
      long entry = word(run, table + (long) index(device, level, true) * POINTER_BYTES);
      table = address(POINTER_PPN.get(entry));
    }
    long at = table + (long) index(device, 0, true) * EXTENDED_BYTES;
    return RiscvIommu.BOARD.holds(at, EXTENDED_BYTES) ? at : -1;
  }

  /// {@return a doubleword of the device context; 0 without one}
  private static long of(IommuRun run, int offset) {
    long at = context(run);
    return at < 0 ? 0 : word(run, at + offset);
  }

  /// {@return what would come of it with other bits in the device context; empty where that changes nothing}
  private static List<IommuOutcome> without(IommuRun run, int offset, long bits) {
    long at = context(run);
    return at >= 0 && (word(run, at + offset) & bits) != 0
        ? List.of(run.with(Map.of(at + offset, word(run, at + offset) & ~bits)))
        : List.of();
  }

  /// {@return that the access faults with a cause}
  static IommuOutcome fault(IommuRun run, int cause) {
    Attempt a = run.attempt();
    long tc = of(run, TC_AT);
    boolean silent = TC_DTF.isSet(tc) && !FaultLayout.reportedDespiteDtf(cause);
    List<String> told = new ArrayList<>();
    if (!silent) {
      told.add(RiscvIommu.fault(cause, a.requester(), Math.max(a.process(), 0), a.address()));
    }
    if (a.question().isPresent()) {
      told.add(RiscvIommu.answer(RiscvIommuRegisters.TR_FAULT.mask()));
    }
    return new IommuOutcome(-1, String.join(", ", told), List.of());
  }

  private static List<IommuOutcome> faults(IommuRun run, int... causes) {
    return IntStream.of(causes).mapToObj(c -> fault(run, c)).toList();
  }

  /// {@return whether a run recorded a cause}
  static boolean recorded(IommuRun run, int cause) {
    return run.outcome().recorded().startsWith("cause " + cause + " ");
  }

  private static boolean nested(IommuRun run) {
    return IOHGATP_MODE.getInt(of(run, IOHGATP_AT)) != BARE;
  }

  private static List<IommuOutcome> contextReserved(IommuRun run) {
    long at = context(run);
    if (at < 0) {
      return List.of();
    }
    Map<Long, Long> words = new HashMap<>();
    words.put(at + TC_AT, word(run, at + TC_AT) & ~TC_RESERVED);
    words.put(at + TA_AT, word(run, at + TA_AT) & ~TA_RESERVED);
    words.put(at + FSC_AT, word(run, at + FSC_AT) & (FSC_MODE.mask() | FSC_PPN.mask()));
    words.put(at + MSI_MASK_AT, word(run, at + MSI_MASK_AT) & GUEST_PAGES);
    words.put(at + MSI_PATTERN_AT, word(run, at + MSI_PATTERN_AT) & GUEST_PAGES);
    words.put(at + RESERVED_AT, 0L);
    return words.entrySet().stream().allMatch(e -> word(run, e.getKey()) == e.getValue())
        ? List.of()
        : List.of(run.with(words));
  }

  private static List<IommuOutcome> mode(IommuRun run) {
    boolean applies =
        !TC_PDTV.isSet(of(run, TC_AT))
            && FSC_MODE.getInt(of(run, FSC_AT)) > SV57
            && recorded(run, FaultLayout.DDT_MISCONFIGURED);
    return applies ? faults(run, FaultLayout.DDT_INVALID) : List.of();
  }

  /// A root of the second stage that is not aligned is used as it is: here a copy of it that is aligned.
  private static List<IommuOutcome> align(IommuRun run) {
    long gatp = of(run, IOHGATP_AT);
    long root = address(IOHGATP_PPN.get(gatp));
    if (IOHGATP_MODE.getInt(gatp) == BARE || root % ROOT_BYTES == 0) {
      return List.of();
    }
    Map<Long, Long> words = new HashMap<>();
    for (int i = 0; i < ROOT_BYTES; i += Long.BYTES) {
      words.put(RiscvIommu.SPARE + i, word(run, root + i));
    }
    words.put(context(run) + IOHGATP_AT, IOHGATP_PPN.with(gatp, ppn(RiscvIommu.SPARE)));
    return List.of(run.with(words));
  }

  private static List<IommuOutcome> hardwareUpdates(IommuRun run) {
    return without(run, TC_AT, TC_GADE.mask() | TC_SADE.mask());
  }

  private static List<IommuOutcome> bare(IommuRun run) {
    return nested(run) ? List.of() : without(run, MSIPTP_AT, MSIPTP_MODE.mask());
  }

  private static List<IommuOutcome> directoryMode(IommuRun run) {
    boolean odd = ProcessLayout.PDTP_MODE.getInt(of(run, FSC_AT)) > ODD_MODE;
    if (!TC_PDTV.isSet(of(run, TC_AT)) || !odd) {
      return List.of();
    }
    List<IommuOutcome> out = new ArrayList<>(without(run, FSC_AT, FSC_MODE.mask()));
    out.add(fault(run, FaultLayout.PDT_MISCONFIGURED));
    return out;
  }

  private static List<IommuOutcome> processReserved(IommuRun run) {
    if (!TC_PDTV.isSet(of(run, TC_AT))) {
      return List.of();
    }
    long directory = address(ProcessLayout.PDTP_PPN.get(of(run, FSC_AT)));
    long at = directory + ProcessLayout.offset(Math.max(run.attempt().process(), 0), 0);
    long ta = word(run, at);
    return (ta & PC_RESERVED) == 0 ? List.of() : List.of(run.with(Map.of(at, ta & ~PC_RESERVED)));
  }

  private static List<IommuOutcome> directoryAddress(IommuRun run) {
    return TC_PDTV.isSet(of(run, TC_AT)) && nested(run)
        ? faults(
            run,
            FaultLayout.PDT_LOAD_FAULT,
            FaultLayout.READ_ACCESS_FAULT,
            FaultLayout.WRITE_ACCESS_FAULT)
        : List.of();
  }

  private static List<IommuOutcome> wide(IommuRun run) {
    Attempt a = run.attempt();
    if (a.question().isEmpty() || a.process() >>> PROCESS_BITS <= 0) {
      return List.of();
    }
    int process = a.process() & (1 << PROCESS_BITS) - 1;
    Step.Write asked = a.question().get();
    long control = RiscvIommuRegisters.TR_PID.with(asked.value(), process);
    Step.Write narrow = new Step.Write(asked.address(), asked.bytes(), control);
    return List.of(
        run.as(
            new Attempt(
                a.requester(), process, a.address(), a.data(), java.util.Optional.of(narrow))));
  }

  private static boolean isTable(Kind kind) {
    return kind == Kind.PAGE || kind == Kind.GUEST_PAGE;
  }

  private static boolean isLeaf(Kind kind, long word) {
    return isTable(kind) && SvPteLayout.V.isSet(word) && SvPteLayout.isLeaf(word);
  }

  private static List<IommuOutcome> user(IommuRun run) {
    return List.of(
        run.reading((kind, _, word) -> isLeaf(kind, word) ? word | SvPteLayout.U.mask() : word));
  }

  /// A write is asked for D alone.
  private static List<IommuOutcome> accessed(IommuRun run) {
    return run.attempt().question().isPresent()
        ? List.of()
        : List.of(
            run.reading(
                (kind, _, word) -> isLeaf(kind, word) ? word | SvPteLayout.A.mask() : word));
  }

  private static List<IommuOutcome> pointer(IommuRun run) {
    long bits = SvPteLayout.U.mask() | SvPteLayout.A.mask() | SvPteLayout.D.mask();
    return List.of(
        run.reading(
            (kind, _, word) -> isTable(kind) && !SvPteLayout.isLeaf(word) ? word & ~bits : word));
  }

  /// Bits 63:54 count as bits of the page number, which leads out of all memory, but for the two that are shifted out.
  private static List<IommuOutcome> reserved(IommuRun run) {
    long[] upper = new long[1];
    IommuOutcome ignored =
        run.reading((kind, _, word) -> {
          if (!isTable(kind)) {
            return word;
          }
          upper[0] |= word >>> PTE_BITS;
          return word & (1L << PTE_BITS) - 1;
        });
    if (upper[0] == 0) {
      return List.of();
    }
    List<IommuOutcome> out = new ArrayList<>(List.of(ignored));
    out.add(new IommuOutcome(-1, ignored.recorded(), ignored.effects()));
    out.addAll(faults(run, 5, 7, 21, 23));
    for (IommuOutcome o : answered(List.of(ignored))) {
      if (o.recorded().startsWith("answers 0x")) {
        long response = Long.parseUnsignedLong(o.recorded().substring("answers 0x".length()), 16);
        long bits = upper[0] << PPN_BITS & RiscvIommuRegisters.TR_PPN.mask();
        out.add(o.recorded(RiscvIommu.answer(response | bits)));
      }
    }
    return out;
  }

  /// {@return whether a leaf of the second stage that was met forbids writes}
  private static boolean guardsWrites(IommuRun run) {
    long rights = SvPteLayout.W.mask() | SvPteLayout.D.mask();
    boolean[] met = new boolean[1];
    var unused =
        run.reading((kind, _, word) -> {
          met[0] |= kind == Kind.GUEST_PAGE && isLeaf(kind, word) && (word & rights) != rights;
          return word;
        });
    return met[0];
  }

  private static boolean reads(Attempt a) {
    return a.question().map(q -> RiscvIommuRegisters.TR_NW.isSet(q.value())).orElse(false);
  }

  private static List<IommuOutcome> implicitWrite(IommuRun run) {
    return !reads(run.attempt()) && guardsWrites(run)
        ? faults(run, FaultLayout.WRITE_GUEST_PAGE_FAULT)
        : List.of();
  }

  /// The second stage is asked for what the first stage's leaf allows.
  private static List<IommuOutcome> rights(IommuRun run) {
    if (!nested(run)) {
      return List.of();
    }
    if (recorded(run, FaultLayout.READ_GUEST_PAGE_FAULT)) {
      return faults(run, FaultLayout.WRITE_GUEST_PAGE_FAULT);
    }
    if (recorded(run, FaultLayout.READ_ACCESS_FAULT)) {
      return faults(run, FaultLayout.WRITE_ACCESS_FAULT);
    }
    return reads(run.attempt()) && guardsWrites(run)
        ? faults(run, FaultLayout.READ_GUEST_PAGE_FAULT, FaultLayout.WRITE_GUEST_PAGE_FAULT)
        : List.of();
  }
}
