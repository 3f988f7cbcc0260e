package dev.doorbell.diff;

import static dev.doorbell.hw.vtd.ContextLayout.*;

import dev.doorbell.bus.Translator;
import dev.doorbell.hw.vtd.InvalidationLayout;
import dev.doorbell.hw.vtd.IrteLayout;
import dev.doorbell.hw.vtd.PagingLayout;
import dev.doorbell.hw.vtd.VtdRegisters;
import dev.doorbell.irq.X86MessageLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// A random scenario for a unit in legacy mode. Each change of a table is followed by an invalidation that covers it, chosen among those that do,
/// so that both units must see what is there.
final class VtdScenario {
  /// What a long run must have met.
  static final List<String> OUTCOMES =
      List.of(
          "written",
          "interrupt",
          "reason 1h",
          "reason 2h",
          "reason 3h",
          "reason 4h",
          "reason 5h",
          "reason ah",
          "reason bh",
          "reason ch",
          "vtd-bus-range",
          "vtd-compatibility-format",
          "queue error");

  private static final int PAGE = 4096;
  private static final long ROOT = 0x100_0000;
  private static final long CONTEXT = 0x100_1000;
  private static final long ENTRIES = 0x101_0000;
  private static final int ENTRY_BITS = 7;
  private static final long TABLES = 0x102_0000;
  private static final int TABLE_COUNT = 8;
  private static final long TARGETS = 0x200_0000;
  private static final int TARGET_BYTES = 4 << 20;
  private static final int LEVELS = 3;
  private static final int[] INDEXES = {0, 1, 2, 511};
  private static final int DOMAINS = TABLE_COUNT;

  private final VtdPair pair;
  private final VtdQueue queue;
  private final Dice dice;
  private final Map<String, Integer> seen;
  private String last = "";
  private int datum = 1;

  VtdScenario(VtdPair pair, long seed, Map<String, Integer> seen) {
    this.pair = pair;
    this.dice = new Dice(seed);
    this.queue = new VtdQueue(pair, dice);
    this.seen = seen;
  }

  /// {@return what was done last}
  String last() {
    return last;
  }

  private void saw(String what) {
    seen.merge(what, 1, Integer::sum);
  }

  /// {@return the first difference; empty for none}
  String run(int steps) {
    setUp();
    String difference = "";
    for (int i = 0; i < steps && difference.isEmpty(); i++) {
      int kind = dice.below(100);
      if (kind < 2) {
        difference = root();
      } else if (kind < 12) {
        difference = context();
      } else if (kind < 32) {
        difference = page();
      } else if (kind < 47) {
        difference = interruptEntry();
      } else if (kind < 72) {
        difference = write();
      } else if (kind < 97) {
        difference = message();
      } else {
        difference = broken();
      }
    }
    return difference;
  }

  private void setUp() {
    pair.memory().fill(ROOT, TARGETS - ROOT + TARGET_BYTES, (byte) 0);
    pair.memory().write64(ROOT, CTP.place(CONTEXT) | ROOT_P.mask());
    pair.set(VtdRegisters.GCMD_REG, 0);
    // QEMU masks nothing by itself, and vector 0 would be its fault event.
    pair.set(VtdRegisters.FECTL_REG, VtdRegisters.IM.mask());
    pair.set(VtdRegisters.FSTS_REG, 0x71);
    pair.set(VtdRegisters.RTADDR_REG, VtdRegisters.RTA.place(ROOT));
    pair.set(VtdRegisters.GCMD_REG, VtdRegisters.SRTP.mask());
    pair.set(
        VtdRegisters.IRTADDR_REG,
        VtdRegisters.IRTA.place(ENTRIES) | VtdRegisters.SIZE.place(ENTRY_BITS - 1L));
    pair.set(VtdRegisters.GCMD_REG, VtdRegisters.SIRTP.mask());
    queue.start();
    pair.set(
        VtdRegisters.GCMD_REG,
        VtdRegisters.QIE.mask() | VtdRegisters.IRE.mask() | VtdRegisters.TE.mask());
    String wrong =
        queue.invalidate(InvalidationLayout.CONTEXT_CACHE | 1 << 4, 0)
            + queue.invalidate(InvalidationLayout.IOTLB | 1 << 4, 0)
            + queue.invalidate(InvalidationLayout.INTERRUPT_ENTRY_CACHE, 0);
    if (!wrong.isEmpty()) {
      throw new IllegalStateException(wrong);
    }
    for (int i = 0; i < TABLE_COUNT * 6; i++) {
      page();
    }
    for (int i = 0; i < 4; i++) {
      context();
      interruptEntry();
    }
  }

  /// The root entry goes, comes back, or has a reserved bit.
  private String root() {
    long entry = CTP.place(CONTEXT) | ROOT_P.mask();
    entry =
        switch (dice.below(4)) {
          case 0 -> 0;
          case 1 -> entry | 1L << dice.from(1, 11);
          default -> entry;
        };
    pair.memory().write64(ROOT, entry);
    last = "root entry 0x%x".formatted(entry);
    return queue.invalidate(InvalidationLayout.CONTEXT_CACHE | 1 << 4, 0)
        + queue.invalidate(InvalidationLayout.IOTLB | 1 << 4, 0);
  }

  private String context() {
    int requester = dice.of(VtdPair.REQUESTERS);
    long at = CONTEXT + (long) requester * CONTEXT_BYTES;
    // One domain id for two sets of tables is a software error whose outcome nobody promises.
    int table = dice.below(TABLE_COUNT);
    long low = P.mask() | SSPTPTR.place(TABLES + (long) table * PAGE);
    long high = AW.place(LEVELS - 2L) | DID.place(1L + table);
    switch (dice.below(14)) {
      case 0 -> low &= ~P.mask();
      case 1 -> low |= TT.place(TT_PASS_THROUGH);
      case 2 -> low |= TT.place(3);
      case 3 -> high = AW.with(high, dice.of(0, 2, 3, 4, 7));
      case 4 -> low |= 1L << dice.from(4, 11);
      case 5 -> high |= 1L << dice.of(7, 24, 63);
      case 6 -> low |= FPD.mask();
      case 7 -> {
        low |= FPD.mask();
        low &= ~P.mask();
      }
      default -> {}
    }
    long before = pair.memory().read64(at + Long.BYTES);
    pair.memory().write64(at + Long.BYTES, high);
    pair.memory().write64(at, low);
    last = "context entry 0x%x: 0x%x 0x%x".formatted(requester, low, high);
    long domain = DID.get(before);
    long descriptor =
        switch (dice.below(3)) {
          case 0 -> 1 << 4;
          case 1 -> 2 << 4 | domain << 16;
          default -> 3 << 4 | domain << 16 | (long) requester << 32;
        };
    // Entries that were there without a domain may be kept under another one.
    boolean all = domain == 0 || (high & ~0xffffffL) != 0;
    return queue.invalidate(InvalidationLayout.CONTEXT_CACHE | (all ? 1 << 4 : descriptor), 0)
        + queue.invalidate(InvalidationLayout.IOTLB | 1 << 4, 0);
  }

  private String page() {
    long table = TABLES + (long) dice.below(TABLE_COUNT) * PAGE;
    long slot = table + (long) dice.of(INDEXES) * PagingLayout.BYTES;
    long entry = dice.percent(85) ? 3 : dice.below(4);
    if (dice.percent(40)) {
      entry |= TARGETS + (long) dice.below(TARGET_BYTES / PAGE) * PAGE;
      entry |= dice.percent(50) ? PagingLayout.PS.mask() : 0;
    } else if (dice.percent(30)) {
      entry |= PagingLayout.PS.mask() | TARGETS + (2L << 20) * dice.below(2);
    } else {
      entry |= TABLES + (long) dice.below(TABLE_COUNT) * PAGE;
    }
    // What leads to a table as a page would let a device change the tables.
    pair.memory().write64(slot, entry);
    last = "page table entry at 0x%x: 0x%x".formatted(slot, entry);
    return switch (dice.below(3)) {
      case 0 -> queue.invalidate(InvalidationLayout.IOTLB | 1 << 4, 0);
      case 1 -> queue.eachDomain(DOMAINS, 2 << 4, 0);
      default ->
          queue.eachDomain(
              DOMAINS, 3 << 4, VtdRegisters.MAMV.get(pair.both(VtdRegisters.CAP_REG)[0]));
    };
  }

  /// {@return one of a few entries mostly, so that messages meet them}
  private int index() {
    return dice.percent(90) ? dice.below(8) : dice.below(1 << ENTRY_BITS);
  }

  private String interruptEntry() {
    int index = index();
    long at = ENTRIES + (long) index * IrteLayout.BYTES;
    int requester = dice.of(VtdPair.REQUESTERS);
    long low =
        IrteLayout.P.mask()
            | IrteLayout.V.place(dice.from(16, 255))
            | IrteLayout.XAPIC_DST.place(dice.below(4))
            | (dice.percent(20) ? IrteLayout.DM.mask() : 0)
            | IrteLayout.DLM.place(dice.percent(80) ? 0 : dice.of(1, 2, 4, 5, 7));
    long high = IrteLayout.SID.place(requester) | IrteLayout.SVT.place(IrteLayout.SVT_SID);
    switch (dice.below(14)) {
      case 0 -> low &= ~IrteLayout.P.mask();
      case 1 -> low |= 1L << dice.of(12, 14, 24, 31);
      case 2 -> high |= 1L << dice.of(20, 40, 63);
      case 3 -> high = IrteLayout.SVT.with(high, 0);
      case 4 -> high = IrteLayout.SVT.with(high, 3);
      case 5, 6 -> {
        high = IrteLayout.SVT.with(high, IrteLayout.SVT_BUS);
        high = IrteLayout.SID.with(high, dice.of(0, 1, 0x0100, 0x0101, 0x0005, 0x0300));
      }
      case 7, 8 -> {
        high = IrteLayout.SQ.with(high, dice.below(4));
        high = IrteLayout.SID.with(high, requester ^ dice.below(8));
      }
      default -> {}
    }
    pair.memory().write64(at + Long.BYTES, high);
    pair.memory().write64(at, low);
    last = "IRTE %d: 0x%x 0x%x".formatted(index, low, high);
    return dice.percent(30)
        ? queue.invalidate(InvalidationLayout.INTERRUPT_ENTRY_CACHE, 0)
        : queue.invalidate(
            InvalidationLayout.INTERRUPT_ENTRY_CACHE
                | InvalidationLayout.IEC_G.mask()
                | InvalidationLayout.IIDX.place(index)
                | InvalidationLayout.IM.place(dice.below(3)),
            0);
  }

  private long address() {
    long out = 4L * dice.below(PAGE / 4);
    for (int level = 1; level <= LEVELS; level++) {
      out |= (long) dice.of(INDEXES) << 12 + 9 * (level - 1);
    }
    if (dice.percent(3)) {
      out |= 1L << dice.of(39, 40, 47, 62);
    }
    return X86MessageLayout.FEE.get(out) == X86MessageLayout.WINDOW ? out ^ 1L << 21 : out;
  }

  private String write() {
    int requester = dice.of(VtdPair.REQUESTERS);
    long address = address();
    datum = datum % 0xffff + 1;
    long entry = CONTEXT + (long) requester * CONTEXT_BYTES;
    last +=
        "; 0x%x (context 0x%x 0x%x) writes 0x%x to 0x%x"
            .formatted(
                requester,
                pair.memory().read64(entry),
                pair.memory().read64(entry + Long.BYTES),
                datum,
                address);
    long pa = pair.translate(requester, address);
    if (pa >= 0 && (pa < TARGETS || pa > TARGETS + TARGET_BYTES - 4)) {
      // It would change a table, or lies outside RAM.
      pair.modelFault();
      return "";
    }
    pair.write(requester, address, datum);
    String landed = landed((int) (address & PAGE - 1));
    String expected = pa == Translator.FAULT ? "nowhere" : "0x" + Long.toHexString(pa);
    String model = pair.modelFault();
    String other = pair.otherFault();
    if (!model.isEmpty()) {
      saw(model.substring(model.indexOf("reason"), model.indexOf(" at")));
    }
    if (pa != Translator.FAULT) {
      saw("written");
    }
    if (!expected.equals(landed)) {
      return "landed: QEMU %s, model %s; faults: QEMU '%s', model '%s'"
          .formatted(landed, expected, other, model);
    }
    if (other.equals(model.replace("reason ch", "reason 5h")) && !model.equals(other)) {
      saw("vtd-early-permission");
      return "";
    }
    boolean passes = TT.getInt(pair.memory().read64(entry)) == TT_PASS_THROUGH;
    if (passes && other.isEmpty() && model.contains("reason 4h")) {
      saw("vtd-pass-through-width");
      return "";
    }
    return model.equals(other) ? "" : "fault: QEMU '%s', model '%s'".formatted(other, model);
  }

  private String landed(int offset) {
    for (long page = TARGETS; page < TARGETS + TARGET_BYTES; page += PAGE) {
      if (pair.memory().read32(page + offset) == datum) {
        pair.memory().write32(page + offset, 0);
        return "0x" + Long.toHexString(page + offset);
      }
    }
    return "nowhere";
  }

  private String message() {
    int requester = dice.of(VtdPair.REQUESTERS);
    long index = dice.percent(95) ? index() : dice.bits(16);
    boolean subhandle = dice.percent(50);
    boolean remappable = dice.percent(95);
    long part = subhandle ? index - dice.below((int) Math.min(index + 1, 16)) : index;
    int data = subhandle ? (int) (index - part) : dice.below(0x100);
    long address =
        X86MessageLayout.FEE.place(X86MessageLayout.WINDOW)
            | (remappable
                ? IrteLayout.FORMAT.mask()
                    | (subhandle ? IrteLayout.SHV.mask() : 0)
                    | IrteLayout.HANDLE_LOW.place(part & IrteLayout.HANDLE_LOW.max())
                    | IrteLayout.HANDLE_HIGH.place(part >>> 15)
                : X86MessageLayout.DESTINATION.place(dice.below(4)));
    if (!remappable) {
      data = 16 + dice.below(240);
    }
    last += "; 0x%x sends 0x%x to 0x%x".formatted(requester, data, address);
    pair.modelInterrupts.clear();
    pair.otherInterrupts();
    pair.message(requester, address, data);
    pair.write(requester, address, data);
    List<String> other = pair.otherInterrupts();
    List<String> model = List.copyOf(pair.modelInterrupts);
    // QEMU 7.2 records no faults of interrupts.
    String reason = pair.modelFault();
    pair.otherFault();
    if (model.equals(other)) {
      saw(model.isEmpty() ? "no interrupt" : "interrupt");
      return "";
    }
    if (!remappable && other.equals(List.of(EduPc.passing(address, data)))) {
      saw("vtd-compatibility-format");
      return "";
    }
    long high = pair.memory().read64(ENTRIES + index * IrteLayout.BYTES + Long.BYTES);
    if (remappable && isBusRange(high)) {
      saw("vtd-bus-range");
      return "";
    }
    return "interrupts: QEMU %s, model %s (%s)".formatted(other, model, reason);
  }

  /// QEMU takes the first bus for the last and the other way round: the two differ where just one of the readings has bus 0 in it.
  private static boolean isBusRange(long high) {
    int sid = IrteLayout.SID.getInt(high);
    boolean ours = sid >>> 8 == 0;
    boolean theirs = (sid & 0xff) == 0;
    return IrteLayout.SVT.getInt(high) == IrteLayout.SVT_BUS && ours != theirs;
  }

  /// A descriptor that is none: the queue stops at it with IQE, until software clears that.
  private String broken() {
    long low =
        switch (dice.below(4)) {
          case 0 -> dice.of(0, 9, 10, 15);
          case 1 -> InvalidationLayout.CONTEXT_CACHE;
          case 2 -> InvalidationLayout.IOTLB;
          default -> InvalidationLayout.IOTLB | 3L << 4 | 1L << 40;
        };
    last = "descriptor 0x%x".formatted(low);
    long at = queue.alone(low);
    long[] fsts = pair.both(VtdRegisters.FSTS_REG);
    Arrays.setAll(fsts, i -> fsts[i] & VtdRegisters.IQE.mask());
    String out =
        VtdQueue.differs("FSTS_REG.IQE", fsts)
            + VtdQueue.differs("IQH_REG", pair.both(VtdRegisters.IQH_REG));
    if (fsts[1] != 0) {
      saw("queue error");
      // The queue is not to be turned off before it is empty (6.5.2): what it stopped at is
      // replaced.
      // QEMU takes no wait descriptor that neither writes nor interrupts (`vtd-wait-fence`).
      pair.memory().write64(at, InvalidationLayout.WAIT | InvalidationLayout.SW.mask());
      pair.memory().write64(at + Long.BYTES, VtdQueue.STATUS + 0x100);
      pair.set(VtdRegisters.FSTS_REG, VtdRegisters.IQE.mask());
    }
    return out.isEmpty() ? queue.invalidate(InvalidationLayout.IOTLB | 1 << 4, 0) : out;
  }
}
