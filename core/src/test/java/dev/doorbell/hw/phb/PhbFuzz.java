package dev.doorbell.hw.phb;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.FuzzInput;
import dev.doorbell.fuzz.WalkCheck;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.HashMap;
import java.util.Map;

/// Host bridges whose registers, tables and entries are any, and what functions do behind them: each answers, and the walker explains accesses and
/// messages as the bridge takes them.
public final class PhbFuzz {
  private static final long BASE = 0x1000_0000L;
  private static final int SPAN = 0x4_0000;
  private static final long IVT = 0x8000;
  private static final int TCES = 0x2_0000;
  private static final int PES = 64;

  /// PEs that requester ids are given here: the last four are beyond a PHB4 of 64.
  private static final int[] USED = {0, 1, 2, 3, 0x40, 0x41, 0x42, 0x43};

  private static final int MESSAGES = 64;
  private static final int MOST_STEPS = 256;
  private static final long LOW = 0xffff_0000L;

  private final PlainMemory memory = new PlainMemory(BASE, SPAN);
  private final boolean phb3;
  private final PhbModel model;
  private final ModelRegisters registers;

  private PhbFuzz(boolean phb3) {
    this.phb3 = phb3;
    model =
        phb3
            ? new Phb3Model(memory, (_, _, _) -> true, 0x1000, MESSAGES)
            : new Phb4Model(memory, new Nothing(), false, PES, MESSAGES);
    registers = new ModelRegisters(model);
    put(Phb4Registers.RTT_BAR, Phb4Registers.RTT_ENABLE.mask() | BASE);
    put(Phb4Registers.PELTV_BAR, Phb4Registers.PELTV_ENABLE.mask() | BASE + 0x2000);
    put(Phb4Registers.PEST_BAR, Phb4Registers.PEST_ENABLE.mask() | BASE + 0x4000);
    put(Phb4Registers.CONFIG, Phb4Registers.MSI32_EN.mask() | Phb4Registers.MSI64_EN.mask());
    if (phb3) {
      put(Phb3Registers.IVT_BAR, Phb3Registers.IVT_ENABLE.mask() | BASE + IVT | MESSAGES);
    }
  }

  /// Where events of a PHB4 would go.
  private record Nothing() implements SystemBus {
    @Override
    public BusOutcome write(long pa, long value, int bytes, int requester) {
      return BusOutcome.OK;
    }

    @Override
    public BusRead read(long pa, int bytes) {
      return BusRead.error(bytes);
    }
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    int mode = in.next8();
    PhbFuzz fuzz = new PhbFuzz((mode & 1) == 0);
    boolean any = (mode & 6) == 0;
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      if (any && (in.next8() & 3) == 0) {
        fuzz.anything(in);
      } else {
        fuzz.step(in);
      }
    }
  }

  private void put(Register r, long value) {
    registers.write64(r.offset(), value);
  }

  /// Any register, any entry.
  private void anything(FuzzInput in) {
    switch (in.next8() % 5) {
      case 0 -> model.write(in.next16() & 0xff8, in.next64(), Long.BYTES, SystemBus.CPU);
      case 1 -> model.write(in.next16(), in.next32(), 1 << (in.next8() & 3), SystemBus.CPU);
      case 2 -> table(Phb4Registers.TVT, in.next8() & 0x87, in.next64());
      case 3 -> memory.write64(BASE + (in.next16() & 0xfff8), in.next64());
      default -> access(in.next8(), in.next64() >>> (in.next8() & 0x3f), (in.next8() & 1) == 0);
    }
  }

  private void step(FuzzInput in) {
    switch (in.next8() % 8) {
      case 0 -> {
        int levels = 1 + in.next8() % 3;
        long tve = TveLayout.tables(table(in), levels, 9 + in.next8() % 2, 12);
        table(Phb4Registers.TVT, in.next8() & 7, (in.next8() & 7) == 0 ? untranslated(in) : tve);
      }
      case 1, 2 -> {
        long tce = table(in) | in.next8() & 3;
        memory.write64(table(in) + (in.next8() & 3) * 8L, TceLayout.swapped(tce));
      }
      case 3 ->
          memory.write(
              BASE + (in.next8() & 7) * (long) RttLayout.BYTES,
              RttLayout.swapped(in.next8() & 0x43 & in.next8()),
              RttLayout.BYTES);
      case 4 -> own(in.next8() & 7, in);
      case 5, 6 -> {
        thaw(in.next8());
        long page = (in.next8() & 3) << 21 | (in.next8() & 3) << 12;
        long window = TveLayout.WINDOW.place(in.next8() >> 7 & 1);
        access(in.next8() & 7, window | page | in.next8(), (in.next8() & 1) == 0);
      }
      default -> {
        thaw(in.next8());
        message(in.next8() & 7, (in.next8() & 0x47), (in.next8() & 1) == 0);
      }
    }
  }

  private static long table(FuzzInput in) {
    return BASE + TCES + (in.next8() & 3) * 0x1000L;
  }

  private static long untranslated(FuzzInput in) {
    long few = in.next64();
    few &= in.next64();
    return TveLayout.untranslated() & ~few;
  }

  /// Says whose an interrupt is.
  private void own(int number, FuzzInput in) {
    long pe = in.next8() & 3;
    if (phb3) {
      long priority = IveLayout.PRIORITY.place((in.next8() & 3) == 0 ? IveLayout.MASKED : 5);
      long ive = in.next64() & (IveLayout.P.mask() | IveLayout.Q.mask()) | priority;
      memory.write64(
          BASE + IVT + number * (long) IveLayout.bytes(0),
          IveLayout.swapped(IveLayout.PE.with(ive, pe)));
    } else {
      int word = number / MistLayout.PER_WORD;
      long before = table(Phb4Registers.MIST, word);
      table(Phb4Registers.MIST, word, MistLayout.owner(number).with(before, pe));
    }
  }

  /// Lets PEs go on.
  private void thaw(int which) {
    for (int i = 0; i < USED.length; i++) {
      if ((which >> i & 1) != 0) {
        table(Phb4Registers.PESTA, USED[i], 0);
        table(Phb4Registers.PESTB, USED[i], 0);
      }
    }
  }

  private void table(int table, int index, long value) {
    put(
        Phb4Registers.IODA_ADDR,
        Phb4Registers.IODA_TSEL.place(table) | Phb4Registers.IODA_TADR.place(index));
    put(Phb4Registers.IODA_DATA0, value);
  }

  private long table(int table, int index) {
    put(
        Phb4Registers.IODA_ADDR,
        Phb4Registers.IODA_TSEL.place(table) | Phb4Registers.IODA_TADR.place(index));
    return registers.read64(Phb4Registers.IODA_DATA0.offset());
  }

  /// The bridge forgets what it has read, so that it looks at what the walker looks at.
  private PhbWalker walker(int rid) {
    put(Phb4Registers.RTC, Phb4Registers.RTC_RID.place(rid));
    put(Phb4Registers.TCE_KILL, Phb4Registers.KILL_ALL.mask());
    Map<String, Long> all = new HashMap<>();
    all.put("RTT_BAR", registers.read64(Phb4Registers.RTT_BAR.offset()));
    if (phb3) {
      put(Phb3Registers.IVC_INVALIDATE, Phb3Registers.INVALIDATE_ALL.mask());
      all.put("IVT_BAR", registers.read64(Phb3Registers.IVT_BAR.offset()));
    }
    for (int pe : USED) {
      if (pe >= PES && !phb3) {
        continue;
      }
      all.put("PESTB" + pe, table(Phb4Registers.PESTB, pe));
      all.put("TVT" + 2 * pe, table(Phb4Registers.TVT, 2 * pe));
      all.put("TVT" + (2 * pe + 1), table(Phb4Registers.TVT, 2 * pe + 1));
    }
    for (int word = 0; word < MESSAGES / MistLayout.PER_WORD && !phb3; word++) {
      all.put("MIST" + word, table(Phb4Registers.MIST, word));
    }
    return new PhbWalker("phb", all, WalkCheck.view(memory));
  }

  private void access(int rid, long iova, boolean write) {
    if (iova >>> 16 == LOW >>> 16) {
      return;
    }
    PhbWalk walk = walker(rid).dma(rid, iova, write);
    long pa = model.translate(rid, -1, iova, write ? Translator.WRITE : Translator.READ);
    WalkCheck.agree(pa, walk.output(), walk.stoppedAt(), walk);
  }

  private void message(int rid, int number, boolean low) {
    long address = low ? PhbMessageLayout.address32(number) : PhbMessageLayout.address64(number);
    if (!model.isMessage(address)) {
      return;
    }
    PhbWalk walk = walker(rid).message(rid, number);
    BusOutcome outcome;
    try {
      outcome = model.message(rid, address, PhbMessageLayout.data(number), Integer.BYTES);
    } catch (BusErrorException e) {
      throw new IllegalStateException("the model let a bus error out: " + walk, e);
    }
    String why = walk.stoppedAt().orElse("");
    boolean followed = !why.contains("cannot ");
    boolean kept = why.contains("priority 0xff");
    boolean expected = walk.number().isPresent() && number < MESSAGES || kept;
    if (followed && expected != (outcome == BusOutcome.OK)) {
      throw new IllegalStateException("the model says %s, the walker %s".formatted(outcome, walk));
    }
  }
}
