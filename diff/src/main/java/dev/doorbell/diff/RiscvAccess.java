package dev.doorbell.diff;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.*;

import dev.doorbell.hw.riscviommu.ProcessLayout;
import dev.doorbell.hw.riscviommu.SvPteLayout;

/// One access of one device, with the tables that let it through, by chance.
final class RiscvAccess {
  static final long LEAF =
      SvPteLayout.V.mask()
          | SvPteLayout.R.mask()
          | SvPteLayout.W.mask()
          | SvPteLayout.U.mask()
          | SvPteLayout.A.mask()
          | SvPteLayout.D.mask();

  private static final long SCRATCH = RiscvIommu.RAM + 0x100_0000;
  private static final int SCRATCH_BYTES = 0x200_0000;
  private static final int GIB_SHIFT = 30;
  private static final int GIB_LEVEL = 2;
  private static final int ROOT_PAGES = 1 << SvPteLayout.WIDER_ROOT_BITS;

  final RiscvTables tables;
  final Dice dice;

  /// How many levels the directory has.
  final int levels;

  final boolean processes;
  final boolean byDefault;
  int device;
  int process;
  long iova;
  final boolean reads;

  /// Modes of the stages; of the first one what the access meets.
  final int first;

  final int second;

  /// Of the second stage.
  final int gscid;

  /// Base 2 logarithm of the bytes that the smallest leaf covers.
  int covered = PAGE_SHIFT;

  RiscvAccess(RiscvTables tables, Dice dice, boolean message) {
    this.tables = tables;
    this.dice = dice;
    tables.clear();
    levels = dice.from(1, 3);
    boolean edu = message || dice.percent(30);
    device = edu ? dice.of(RiscvIommu.REQUESTERS) : (int) dice.bits(deviceIdBits(levels, true));
    processes = dice.percent(message ? 20 : 40);
    process = processes && !message && dice.percent(70) ? dice.from(1, 255) : 0;
    byDefault = processes && (process != 0 ? dice.percent(50) : message || dice.percent(60));
    reads = dice.percent(40);
    boolean bare = processes && (dice.percent(10) || process == 0 && !byDefault);
    first = bare ? BARE : dice.of(BARE, SV39, SV48, SV57);
    second = message ? dice.of(SV39, SV48, SV57) : dice.of(BARE, SV39, SV48, SV57);
    gscid = second == BARE ? 0 : (int) dice.bits(16);
    build(bare && byDefault, message);
  }

  private void build(boolean directoryBare, boolean message) {
    long fsc = first == BARE ? 0 : FSC_MODE.place(first) | FSC_PPN.place(ppn(tables.first()));
    long gatp =
        second == BARE
            ? 0
            : IOHGATP_MODE.place(second) | IOHGATP_PPN.place(ppn(tables.second(ROOT_PAGES)));
    map(fsc, gatp, message);
    long[] words = new long[EXTENDED_BYTES / Long.BYTES];
    words[0] = TC_V.mask() | TC_DTF.place(dice.percent(10) ? 1 : 0);
    words[1] = gatp | IOHGATP_GSCID.place(gscid);
    long pscid = TA_PSCID.place(dice.bits(20));
    words[2] = pscid;
    words[3] = fsc;
    if (processes) {
      long directory = tables.directory();
      words[0] |= TC_PDTV.mask() | TC_DPE.place(byDefault ? 1 : 0);
      words[3] =
          directoryBare || first == BARE && dice.percent(50)
              ? 0
              : ProcessLayout.PDTP_MODE.place(ProcessLayout.PD8)
                  | ProcessLayout.PDTP_PPN.place(ppn(directory));
      long ta = ProcessLayout.TA_V.mask() | dice.bits(2) << 1 | pscid;
      tables.process(directory, process, ta, fsc);
    }
    if (second != BARE) {
      words[4] = MSIPTP_MODE.place(MSI_FLAT) | MSIPTP_PPN.place(ppn(RiscvIommu.MSI_TABLE));
      words[5] = message ? messageMask : 0;
      words[6] = message ? ppn(gpa) : 0x3f_ffff;
    }
    tables.device(device, levels, words);
  }

  /// Of a message: which bits of its guest page number make the number of its interrupt file.
  long messageMask;

  /// The guest physical address, where there is a second stage.
  long gpa;

  private void map(long fsc, long gatp, boolean message) {
    int firstLeaf = message ? 0 : dice.from(0, GIB_LEVEL);
    int secondLeaf = dice.from(0, GIB_LEVEL);
    iova =
        first == BARE
            ? SCRATCH + dice.bits(24) & -RiscvTables.PAGE
            : canonical(dice.bits(Long.SIZE), SvPteLayout.shift(SvPteLayout.levels(first)));
    if (second != BARE) {
      // Clear of what the second stage maps to itself, and of what lies nowhere.
      gpa = (long) dice.from(16, 400) << GIB_SHIFT | dice.bits(GIB_SHIFT) & -RiscvTables.PAGE;
      gpa = first == BARE ? gpa : joined(gpa, iova, firstLeaf);
      iova = first == BARE ? gpa : iova;
      RiscvTables.Root root =
          new RiscvTables.Root(address(IOHGATP_PPN.get(gatp)), SvPteLayout.levels(second));
      tables.map("gi", root, RiscvTables.IDENTITY, GIB_LEVEL, leaf(RiscvTables.IDENTITY));
      if (!message) {
        tables.map("g", root, gpa, secondLeaf, leaf(target(secondLeaf)));
        cover(secondLeaf);
      }
      messageMask = message ? dice.bits(4) : 0;
    }
    if (first != BARE) {
      long to = second == BARE ? target(firstLeaf) : joined(gpa, 0, firstLeaf);
      RiscvTables.Root root =
          new RiscvTables.Root(address(FSC_PPN.get(fsc)), SvPteLayout.levels(first));
      tables.map("s", root, iova, firstLeaf, leaf(to));
      cover(firstLeaf);
    }
  }

  private void cover(int level) {
    int shift = SvPteLayout.shift(level);
    covered = covered == PAGE_SHIFT && !leaved ? shift : Math.min(covered, shift);
    leaved = true;
  }

  private boolean leaved;

  private long target(int level) {
    return level == GIB_LEVEL
        ? RiscvIommu.RAM
        : SCRATCH + dice.below(SCRATCH_BYTES) & -(1L << SvPteLayout.shift(level));
  }

  static long leaf(long to) {
    return LEAF | SvPteLayout.PPN.place(ppn(to));
  }

  /// {@return upper bits of one address, and below them those of another}
  private static long joined(long upper, long lower, int level) {
    long below = (1L << SvPteLayout.shift(level)) - 1;
    return upper & ~below | lower & below;
  }

  private static long canonical(long any, int bits) {
    return any << Long.SIZE - bits >> Long.SIZE - bits & -RiscvTables.PAGE;
  }
}
