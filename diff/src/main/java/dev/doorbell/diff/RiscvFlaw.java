package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.*;

import dev.doorbell.hw.riscviommu.ProcessLayout;
import dev.doorbell.hw.riscviommu.SvPteLayout;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// One thing that is wrong with the tables of an access, or with what it asks for.
///
/// @param fits whether an access can have it
/// @param apply puts it in
record RiscvFlaw(Predicate<RiscvAccess> fits, Consumer<RiscvAccess> apply) {
  private static final long PPN = SvPteLayout.PPN.mask();
  private static final long NOWHERE = SvPteLayout.PPN.place(ppn(RiscvIommu.NOWHERE));
  private static final Predicate<RiscvAccess> PROCESS = a -> a.tables.has("pc", 1) && met(a);

  /// {@return whether the access comes to its process context}
  private static boolean met(RiscvAccess a) {
    long fsc = a.tables.read(a.tables.entry("dc", -1) + FSC_AT);
    return a.processes && fsc != 0 && (a.process != 0 || a.byDefault);
  }

  private static boolean always(RiscvAccess any) {
    return true;
  }

  private static RiscvFlaw flaw(Predicate<RiscvAccess> fits, Consumer<RiscvAccess> apply) {
    return new RiscvFlaw(fits, apply);
  }

  /// {@return where a doubleword of an entry is}
  private static long at(RiscvAccess a, String what, int which, int offset) {
    return a.tables.entry(what, which) + offset;
  }

  /// Changes a doubleword.
  private static void set(RiscvAccess a, long at, long off, long on) {
    a.tables.write(at, a.tables.read(at) & ~off | on);
  }

  private static Consumer<RiscvAccess> dc(int offset, long off, long on) {
    return a -> set(a, at(a, "dc", -1, offset), off, on);
  }

  /// Sets a bit of some.
  private static void bit(RiscvAccess a, String what, int which, int offset, int... bits) {
    set(a, at(a, what, which, offset), 0, 1L << a.dice.of(bits));
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

  /// Where a mode is, is the same in all that have one.
  private static void mode(RiscvAccess a, String what, int offset, int... modes) {
    set(a, at(a, what, -1, offset), FSC_MODE.mask(), FSC_MODE.place(a.dice.of(modes)));
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
        flaw(RiscvFlaw::always, dc(TC_AT, TC_V.mask(), 0)),
        flaw(RiscvFlaw::always, a -> bit(a, "dc", -1, TC_AT, both(range(12, 23), range(32, 63)))),
        flaw(RiscvFlaw::always, a -> bit(a, "dc", -1, TA_AT, both(range(0, 11), range(32, 63)))),
        flaw(RiscvFlaw::always, a -> bit(a, "dc", -1, FSC_AT, range(44, 59))),
        flaw(guest, a -> bit(a, "dc", -1, a.dice.of(MSI_MASK_AT, MSI_PATTERN_AT), range(47, 63))),
        flaw(RiscvFlaw::always, dc(RESERVED_AT, 0, 8)),
        flaw(a -> a.second == BARE, dc(MSIPTP_AT, 0, MSIPTP_MODE.place(MSI_FLAT))),
        flaw(guest, a -> mode(a, "dc", MSIPTP_AT, range(2, 15))),
        flaw(single, a -> mode(a, "dc", FSC_AT, range(1, 7))),
        flaw(single, a -> mode(a, "dc", FSC_AT, range(11, 15))),
        flaw(RiscvFlaw::always, a -> mode(a, "dc", IOHGATP_AT, both(range(1, 7), range(11, 15)))),
        flaw(guest, a -> bit(a, "dc", -1, IOHGATP_AT, 0, 1)),
        flaw(RiscvFlaw::always, dc(TC_AT, 0, TC_SBE.mask())),
        flaw(RiscvFlaw::always, a -> bit(a, "dc", -1, TC_AT, 7, 8)),
        flaw(RiscvFlaw::always, a -> bit(a, "dc", -1, TC_AT, 2, 3, 6)),
        flaw(single, dc(TC_AT, 0, TC_DPE.mask())));
  }

  private static List<RiscvFlaw> directories() {
    Predicate<RiscvAccess> deep = a -> a.levels > 1;
    return List.of(
        flaw(deep, a -> set(a, at(a, "ddt", a.dice.below(2), 0), 1, 0)),
        flaw(deep, a -> bit(a, "ddt", a.dice.below(2), 0, both(range(1, 9), range(54, 63)))),
        flaw(
            deep,
            a ->
                set(
                    a,
                    at(a, "ddt", a.dice.below(2), 0),
                    POINTER_PPN.mask(),
                    POINTER_PPN.place(ppn(RiscvIommu.NOWHERE)))));
  }

  private static List<RiscvFlaw> processes() {
    int fsc = ProcessLayout.FSC_AT;
    long nowhere = ppn(RiscvIommu.NOWHERE);
    return List.of(
        flaw(a -> a.processes, a -> mode(a, "dc", FSC_AT, 2, 3)),
        flaw(a -> a.processes, a -> mode(a, "dc", FSC_AT, range(4, 15))),
        flaw(PROCESS, a -> set(a, at(a, "pc", -1, 0), 1, 0)),
        flaw(PROCESS, a -> bit(a, "pc", -1, 0, range(32, 63))),
        flaw(PROCESS, a -> bit(a, "pc", -1, 0, range(3, 11))),
        flaw(PROCESS, a -> bit(a, "pc", -1, fsc, range(44, 59))),
        flaw(PROCESS, a -> mode(a, "pc", fsc, both(range(1, 7), range(11, 15)))),
        flaw(PROCESS.and(a -> a.second == BARE), dc(FSC_AT, FSC_PPN.mask(), nowhere)),
        flaw(PROCESS.and(a -> a.second != BARE), dc(FSC_AT, FSC_PPN.mask(), nowhere)));
  }

  private static List<RiscvFlaw> requests() {
    return List.of(
        flaw(a -> a.levels < 3, a -> a.device |= 1 << deviceIdBits(a.levels, true)),
        flaw(PROCESS.and(a -> a.process != 0), a -> a.process |= 0x100 << a.dice.below(12)),
        flaw(a -> !a.processes, a -> a.process = a.dice.from(1, 255)),
        flaw(
            a -> a.first != BARE,
            a -> a.iova ^= 1L << SvPteLayout.shift(SvPteLayout.levels(a.first))),
        flaw(
            a -> a.first == BARE && a.second != BARE,
            a -> a.iova |= 1L << SvPteLayout.shift(SvPteLayout.levels(a.second)) + 2));
  }

  private static List<RiscvFlaw> pointers(String what) {
    Predicate<RiscvAccess> deep = a -> a.tables.has(what, 2);
    return List.of(
        flaw(deep, a -> set(a, at(a, what, 0, 0), 1, 0)),
        flaw(deep, a -> bit(a, what, 0, 0, 4, 6, 7)),
        flaw(deep, a -> bit(a, what, 0, 0, range(54, 63))),
        flaw(deep, a -> set(a, at(a, what, 0, 0), PPN, NOWHERE)));
  }

  private static List<RiscvFlaw> leaves(String what) {
    Predicate<RiscvAccess> there = a -> a.tables.has(what, 1);
    Predicate<RiscvAccess> alone = a -> what.equals("s") || a.first == BARE || !a.reads;
    return List.of(
        flaw(there, a -> set(a, at(a, what, -1, 0), 1, 0)),
        flaw(there, a -> set(a, at(a, what, -1, 0), 2, 0)),
        flaw(there, a -> set(a, at(a, what, -1, 0), 6, 8)),
        flaw(there.and(alone), a -> set(a, at(a, what, -1, 0), a.dice.of(4, 0x80), 0)),
        flaw(there, a -> set(a, at(a, what, -1, 0), 0x10, 0)),
        flaw(there, a -> set(a, at(a, what, -1, 0), 0x40, 0)),
        flaw(there, a -> bit(a, what, -1, 0, range(54, 63))),
        flaw(there.and(a -> a.covered > PAGE_SHIFT), a -> set(a, at(a, what, -1, 0), 0, 1 << 10)));
  }

  /// What the second stage allows behind a leaf of the first, and for tables of the first.
  private static List<RiscvFlaw> nested() {
    Predicate<RiscvAccess> both = a -> a.tables.has("g", 1) && a.first != BARE;
    Consumer<RiscvAccess> readOnly = a -> set(a, at(a, "gi", -1, 0), a.dice.of(4, 0x80), 0);
    return List.of(
        flaw(both.and(a -> a.reads), a -> set(a, at(a, "g", -1, 0), a.dice.of(4, 0x80), 0)),
        flaw(both.and(a -> !a.reads), readOnly),
        flaw(both.and(a -> a.reads), readOnly),
        flaw(both, a -> set(a, at(a, "gi", -1, 0), 1, 0)),
        flaw(both, a -> set(a, at(a, "gi", -1, 0), 0x10, 0)));
  }
}
