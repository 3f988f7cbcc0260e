package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.*;

import dev.doorbell.hw.riscviommu.FaultLayout;
import dev.doorbell.hw.riscviommu.ProcessLayout;
import dev.doorbell.hw.riscviommu.SvPteLayout;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// One thing that is wrong with the tables of an access, and what QEMU is known to make of it (docs/qemu-differences.md).
///
/// @param name for people
/// @param known name of the difference; empty where there is none
/// @param others causes that QEMU may record instead, or what else it may do
/// @param fits whether an access can have it
/// @param apply puts it in
record RiscvFlaw(
    String name,
    String known,
    List<Integer> others,
    Predicate<RiscvAccess> fits,
    Consumer<RiscvAccess> apply) {
  /// QEMU translates as if there were no flaw.
  static final int IGNORED = 0;

  /// QEMU translates to another address.
  static final int ELSEWHERE = -1;

  private static final long PPN = SvPteLayout.PPN.mask();
  private static final long NOWHERE = SvPteLayout.PPN.place(ppn(RiscvTables.NOWHERE));
  private static final Predicate<RiscvAccess> ALWAYS = _ -> true;
  private static final Predicate<RiscvAccess> PROCESS = a -> a.tables.has("pc", 1) && met(a);

  /// {@return whether the access comes to its process context}
  private static boolean met(RiscvAccess a) {
    long fsc = a.tables.memory.read64(a.tables.entry("dc", -1) + FSC_AT);
    return a.processes && fsc != 0 && (a.process != 0 || a.byDefault);
  }

  private static RiscvFlaw same(
      String name, Predicate<RiscvAccess> fits, Consumer<RiscvAccess> apply) {
    return new RiscvFlaw(name, "", List.of(), fits, apply);
  }

  private static RiscvFlaw known(
      String name, int[] others, Predicate<RiscvAccess> fits, Consumer<RiscvAccess> apply) {
    return new RiscvFlaw(
        name.substring(name.indexOf(' ') + 1),
        name.substring(0, name.indexOf(' ')),
        Arrays.stream(others).boxed().toList(),
        fits,
        apply);
  }

  private static int[] may(int... what) {
    return what;
  }

  /// Changes a doubleword of an entry.
  private static void set(RiscvAccess a, String what, int which, int offset, long off, long on) {
    long at = a.tables.entry(what, which) + offset;
    a.tables.memory.write64(at, a.tables.memory.read64(at) & ~off | on);
  }

  private static Consumer<RiscvAccess> dc(int offset, long off, long on) {
    return a -> set(a, "dc", -1, offset, off, on);
  }

  /// Sets a bit of some.
  private static void bit(RiscvAccess a, String what, int which, int offset, int... bits) {
    set(a, what, which, offset, 0, 1L << a.dice.of(bits));
  }

  private static int[] range(int first, int last) {
    int[] out = new int[last - first + 1];
    Arrays.setAll(out, i -> first + i);
    return out;
  }

  private static int[] both(int[] a, int[] b) {
    int[] out = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, out, a.length, b.length);
    return out;
  }

  private static void mode(RiscvAccess a, String what, int offset, int... modes) {
    set(a, what, -1, offset, 0xfL << 60, (long) a.dice.of(modes) << 60);
  }

  /// {@return all}
  static List<RiscvFlaw> all() {
    return Stream.of(
            contexts(),
            directories(),
            processes(),
            requests(),
            pointers("s"),
            leaves("s"),
            pointers("g"),
            leaves("g"),
            nested())
        .flatMap(List::stream)
        .toList();
  }

  private static List<RiscvFlaw> contexts() {
    Predicate<RiscvAccess> single = a -> !a.processes;
    Predicate<RiscvAccess> guest = a -> a.second != BARE;
    return List.of(
        same("DC.tc.V = 0", ALWAYS, dc(TC_AT, TC_V.mask(), 0)),
        known(
            "riscv-dc-reserved bits of tc",
            may(IGNORED),
            ALWAYS,
            a -> bit(a, "dc", -1, TC_AT, both(range(12, 23), range(32, 63)))),
        known(
            "riscv-dc-reserved bits of ta",
            may(IGNORED),
            ALWAYS,
            a -> bit(a, "dc", -1, TA_AT, both(range(0, 11), range(32, 63)))),
        known(
            "riscv-dc-reserved bits of fsc",
            may(IGNORED),
            ALWAYS,
            a -> bit(a, "dc", -1, FSC_AT, range(44, 59))),
        known(
            "riscv-dc-reserved bits of msiptp, mask and pattern",
            may(IGNORED),
            guest,
            a -> bit(a, "dc", -1, a.dice.of(MSI_MASK_AT, MSI_PATTERN_AT), range(47, 63))),
        known("riscv-dc-reserved eighth doubleword", may(IGNORED), ALWAYS, dc(RESERVED_AT, 0, 8)),
        known(
            "riscv-msiptp-bare Flat without a second stage",
            may(IGNORED),
            a -> a.second == BARE,
            dc(MSIPTP_AT, 0, MSIPTP_MODE.place(MSI_FLAT))),
        same("reserved msiptp.MODE", guest, a -> mode(a, "dc", MSIPTP_AT, range(2, 15))),
        same("reserved fsc.MODE below 8", single, a -> mode(a, "dc", FSC_AT, range(1, 7))),
        known(
            "riscv-fsc-mode above 10",
            may(FaultLayout.DDT_INVALID),
            single,
            a -> mode(a, "dc", FSC_AT, range(11, 15))),
        same(
            "reserved iohgatp.MODE",
            ALWAYS,
            a -> mode(a, "dc", IOHGATP_AT, both(range(1, 7), range(11, 15)))),
        known(
            "riscv-iohgatp-align root of the second stage",
            may(IGNORED, ELSEWHERE, 5, 7, 21, 23),
            guest,
            a -> bit(a, "dc", -1, IOHGATP_AT, 0, 1)),
        same("SBE", ALWAYS, dc(TC_AT, 0, TC_SBE.mask())),
        known("riscv-ade GADE or SADE", may(IGNORED), ALWAYS, a -> bit(a, "dc", -1, TC_AT, 7, 8)),
        same("EN_PRI, T2GPA or PRPR alone", ALWAYS, a -> bit(a, "dc", -1, TC_AT, 2, 3, 6)),
        same("DPE alone", single, dc(TC_AT, 0, TC_DPE.mask())));
  }

  private static List<RiscvFlaw> directories() {
    Predicate<RiscvAccess> deep = a -> a.levels > 1;
    return List.of(
        same("DDT entry V = 0", deep, a -> set(a, "ddt", a.dice.below(2), 0, 1, 0)),
        same(
            "DDT entry with reserved bits",
            deep,
            a -> bit(a, "ddt", a.dice.below(2), 0, both(range(1, 9), range(54, 63)))),
        same(
            "DDT entry to nowhere",
            deep,
            a ->
                set(
                    a,
                    "ddt",
                    a.dice.below(2),
                    0,
                    POINTER_PPN.mask(),
                    POINTER_PPN.place(ppn(RiscvTables.NOWHERE)))));
  }

  private static List<RiscvFlaw> processes() {
    int fsc = ProcessLayout.FSC_AT;
    long nowhere = ppn(RiscvTables.NOWHERE);
    return List.of(
        same("pdtp.MODE not offered", a -> a.processes, a -> mode(a, "dc", FSC_AT, 2, 3)),
        known(
            "riscv-pdtp-mode above 3",
            may(FaultLayout.PDT_MISCONFIGURED, IGNORED),
            a -> a.processes,
            a -> mode(a, "dc", FSC_AT, range(4, 15))),
        same("PC.ta.V = 0", PROCESS, a -> set(a, "pc", -1, 0, 1, 0)),
        same("PC.ta with upper bits", PROCESS, a -> bit(a, "pc", -1, 0, range(32, 63))),
        known(
            "riscv-pc-reserved bits 11:3 of PC.ta",
            may(IGNORED),
            PROCESS,
            a -> bit(a, "pc", -1, 0, range(3, 11))),
        same("PC.fsc with reserved bits", PROCESS, a -> bit(a, "pc", -1, fsc, range(44, 59))),
        same(
            "reserved PC.fsc.MODE",
            PROCESS,
            a -> mode(a, "pc", fsc, both(range(1, 7), range(11, 15)))),
        same(
            "process directory nowhere",
            PROCESS.and(a -> a.second == BARE),
            dc(FSC_AT, FSC_PPN.mask(), nowhere)),
        known(
            "riscv-pdt-gpa that is not mapped",
            may(FaultLayout.PDT_LOAD_FAULT),
            PROCESS.and(a -> a.second != BARE),
            dc(FSC_AT, FSC_PPN.mask(), nowhere)));
  }

  private static List<RiscvFlaw> requests() {
    return List.of(
        same(
            "device_id too wide",
            a -> a.levels < 3,
            a -> a.device |= 1 << deviceIdBits(a.levels, true)),
        known(
            "riscv-pid-wide process_id",
            may(IGNORED),
            PROCESS.and(a -> a.process != 0),
            a -> a.process |= 0x100 << a.dice.below(12)),
        same(
            "process_id without a directory",
            a -> !a.processes,
            a -> a.process = a.dice.from(1, 255)),
        same(
            "address not canonical",
            a -> a.first != BARE,
            a -> a.iova ^= 1L << SvPteLayout.shift(SvPteLayout.levels(a.first))),
        same(
            "guest address too wide",
            a -> a.first == BARE && a.second != BARE,
            a -> a.iova |= 1L << SvPteLayout.shift(SvPteLayout.levels(a.second)) + 2));
  }

  private static List<RiscvFlaw> pointers(String what) {
    Predicate<RiscvAccess> deep = a -> a.tables.has(what, 2);
    return List.of(
        same(what + " pointer V = 0", deep, a -> set(a, what, 0, 0, 1, 0)),
        known(
            "riscv-pte-pointer " + what + " U, A or D",
            may(IGNORED),
            deep,
            a -> bit(a, what, 0, 0, 4, 6, 7)),
        known(
            "riscv-pte-reserved " + what + " pointer",
            may(IGNORED, 5, 7, 21, 23),
            deep,
            a -> bit(a, what, 0, 0, range(54, 63))),
        same(what + " pointer to nowhere", deep, a -> set(a, what, 0, 0, PPN, NOWHERE)));
  }

  private static List<RiscvFlaw> leaves(String what) {
    Predicate<RiscvAccess> there = a -> a.tables.has(what, 1);
    Predicate<RiscvAccess> alone = a -> what.equals("s") || a.first == BARE || !a.reads;
    return List.of(
        same(what + " leaf V = 0", there, a -> set(a, what, -1, 0, 1, 0)),
        same(what + " leaf R = 0", there, a -> set(a, what, -1, 0, 2, 0)),
        same(what + " leaf X alone", there, a -> set(a, what, -1, 0, 6, 8)),
        same(
            what + " leaf W or D = 0",
            there.and(alone),
            a -> set(a, what, -1, 0, a.dice.of(4, 0x80), 0)),
        known(
            "riscv-pte-u " + what + " leaf",
            may(IGNORED),
            there,
            a -> set(a, what, -1, 0, 0x10, 0)),
        same(what + " leaf A = 0", there, a -> set(a, what, -1, 0, 0x40, 0)),
        known(
            "riscv-pte-reserved " + what + " leaf",
            may(IGNORED, ELSEWHERE, 21, 23),
            there,
            a -> bit(a, what, -1, 0, range(54, 63))),
        same(
            what + " leaf not aligned",
            there.and(a -> a.covered > PAGE_SHIFT),
            a -> set(a, what, -1, 0, 0, 1 << 10)));
  }

  /// What the second stage allows behind a leaf of the first, and for tables of the first.
  private static List<RiscvFlaw> nested() {
    Predicate<RiscvAccess> both = a -> a.tables.has("g", 1) && a.first != BARE;
    Consumer<RiscvAccess> readOnly = a -> set(a, "gi", -1, 0, a.dice.of(4, 0x80), 0);
    return List.of(
        known(
            "riscv-rights-of-leaf W or D = 0",
            may(21, 23),
            both.and(a -> a.reads),
            a -> set(a, "g", -1, 0, a.dice.of(4, 0x80), 0)),
        known("riscv-implicit-write W or D = 0", may(23), both.and(a -> !a.reads), readOnly),
        same("implicit read of what cannot be written", both.and(a -> a.reads), readOnly),
        same("implicit leaf V = 0", both, a -> set(a, "gi", -1, 0, 1, 0)),
        known("riscv-pte-u implicit leaf", may(IGNORED), both, a -> set(a, "gi", -1, 0, 0x10, 0)));
  }
}
