package dev.doorbell.hw.pamu;

import dev.doorbell.address.Iova;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.Basis;
import dev.doorbell.fuzz.FuzzInput;
import dev.doorbell.fuzz.WalkCheck;
import dev.doorbell.simple.PlainMemory;
import java.util.HashMap;
import java.util.Map;

/// A PAMU whose registers, entries and accesses are any: it answers each, and the walker explains every write as the PAMU takes it.
public final class PamuFuzz {
  private static final long BASE = 0x1000_0000L;
  private static final int SPAN = 0x4000;
  private static final int MOST_STEPS = 256;
  private static final int LIODNS = 64;

  private static final long KEEPING =
      PamuRegisters.PPCC.mask() | PamuRegisters.SPCC.mask() | PamuRegisters.OCE.mask();

  private final PlainMemory memory = new PlainMemory(BASE, SPAN);
  private final PamuModel pamu = new PamuModel(memory, LIODNS - 1);

  private PamuFuzz() {
    set(PamuRegisters.PPBAL, BASE);
    set(PamuRegisters.PPLAL, BASE + LIODNS * (long) PaaceLayout.BYTES);
    set(PamuRegisters.SPBAL, BASE + SPAN / 2);
    set(PamuRegisters.SPLAL, BASE + SPAN);
    set(PamuRegisters.OBAL, BASE + SPAN / 4);
    set(PamuRegisters.OLAL, BASE + SPAN / 4 + (long) OmtLayout.ENTRIES * OmtLayout.BYTES);
    set(PamuRegisters.PC, PamuRegisters.PE.mask());
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    PamuFuzz fuzz = new PamuFuzz();
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      fuzz.step(in);
    }
  }

  private long get(Register r) {
    return pamu.read(r.offset(), r.bytes()).value();
  }

  private void set(Register r, long value) {
    pamu.write(r.offset(), value, r.bytes(), SystemBus.CPU);
  }

  private void step(FuzzInput in) {
    switch (in.next8() % 6) {
      case 0 -> pamu.write(in.next16() & 0xffc, in.next32(), Integer.BYTES, SystemBus.CPU);
      case 1 -> {
        // One word of an entry of either table.
        long table = (in.next8() & 1) == 0 ? BASE : BASE + SPAN / 2;
        long at = table + (in.next8() & 0x3f) * (long) PaaceLayout.BYTES;
        int word = in.next8() % PaaceLayout.WORDS;
        memory.write32(at + (long) word * Integer.BYTES, (int) in.next32());
      }
      case 2 -> {
        // A primary entry: valid, with its window's size and base.
        long at = BASE + (in.next8() & 0x3f) * (long) PaaceLayout.BYTES;
        write(at, PaaceLayout.WBAH, in.next8() & 0xf);
        write(at, PaaceLayout.AF, in.next16() << PaaceLayout.V.width() | 1);
        write(at, PaaceLayout.IA, in.next16());
        write(at, PaaceLayout.WIN, in.next32());
      }
      case 3 -> {
        // What some operation becomes.
        int omi = in.next8() % OmtLayout.ENTRIES;
        long at = BASE + SPAN / 4 + (long) omi * OmtLayout.BYTES + (in.next8() & 0x7f);
        memory.write(at, in.next8(), Byte.BYTES);
      }
      case 4 -> {
        // How a primary entry maps operations.
        long at = BASE + (in.next8() & 0x3f) * (long) PaaceLayout.BYTES;
        write(at, PaaceLayout.IA, in.next8() & 3);
        write(at, PaaceLayout.OP, in.next32());
      }
      default -> access(in.next8(), in.nextWord(0, SPAN), (in.next8() & 1) == 0);
    }
  }

  private void write(long entry, int word, long value) {
    memory.write32(
        entry + (long) word * Integer.BYTES,
        (int) PaaceLayout.swapped(Integer.toUnsignedLong((int) value)));
  }

  private void access(int liodn, long iova, boolean write) {
    long pa = pamu.translate(liodn, -1, iova, write ? Translator.WRITE : Translator.READ);
    if (!write) {
      return;
    }
    if ((get(PamuRegisters.PC) & KEEPING) != 0) {
      // What is kept may be older than memory, which the walker sees.
      long control = get(PamuRegisters.PC);
      set(PamuRegisters.PC, control & ~KEEPING);
      pa = pamu.translate(liodn, -1, iova, Translator.WRITE);
      set(PamuRegisters.PC, control);
    }
    Map<String, Long> registers = new HashMap<>();
    for (Register r : PamuRegisters.MAP.registers()) {
      registers.put(r.name(), get(r));
    }
    PamuWalk walk =
        new PamuWalker("pamu", registers, WalkCheck.view(memory), Basis.OBSERVED)
            .walk(liodn, new Iova(iova));
    WalkCheck.agree(pa, walk.output(), walk.stoppedAt(), walk);
  }
}
