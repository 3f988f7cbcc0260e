package dev.doorbell.hw.pamu;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// A driver on a model, a walker beside them, and hands that reach into memory and registers.
final class PamuRig {
  static final long PAGE = 0x1000;
  static final int LIODNS = 64;
  private static final long START = 0x1000_0000L;
  private static final int BYTES = 0x100_0000;

  final PlainMemory memory = new PlainMemory(START, BYTES);
  final CountedFrames frames = new CountedFrames(memory, START, BYTES);
  final PamuModel model = new PamuModel(memory, LIODNS - 1);
  final ModelRegisters registers = new ModelRegisters(model);

  PamuDriver driver() {
    return driver(registers);
  }

  PamuDriver driver(RegisterBus unit) {
    return PamuDriver.open("pamu", List.of(unit), memory, frames, LIODNS);
  }

  long get(Register r) {
    return Integer.toUnsignedLong(registers.read32(r.offset()));
  }

  void set(Register r, long value) {
    registers.write32(r.offset(), (int) value);
  }

  long write(int liodn, long iova) {
    return model.translate(liodn, -1, iova, Translator.WRITE);
  }

  long read(int liodn, long iova) {
    return model.translate(liodn, -1, iova, Translator.READ);
  }

  /// Changes a word of an entry of the table that begins where a register says, and tells nobody.
  void entry(Register base, long number, int word, long value) {
    memory.write32(
        get(base) + number * PaaceLayout.BYTES + (long) word * Integer.BYTES,
        (int) PaaceLayout.swapped(value));
  }

  long entry(Register base, long number, int word) {
    long at = get(base) + number * PaaceLayout.BYTES + (long) word * Integer.BYTES;
    return PaaceLayout.swapped(memory.read32(at));
  }

  /// Changes what an operation becomes, and tells nobody.
  void moe(int omi, int operation, int moe) {
    memory.write(
        get(PamuRegisters.OBAL) + (long) omi * OmtLayout.BYTES + operation, moe, Byte.BYTES);
  }

  PamuWalk walk(int liodn, long iova) {
    Map<String, Long> values = new HashMap<>();
    PamuRegisters.MAP.registers().forEach(r -> values.put(r.name(), get(r)));
    MemoryView view = this::seen;
    return new PamuWalker("pamu", values, view, Basis.OBSERVED).walk(liodn, new Iova(iova));
  }

  long walked(int liodn, long iova) {
    return walk(liodn, iova).output().map(Pa::value).orElse(Translator.FAULT);
  }

  private OptionalLong seen(long pa) {
    try {
      return OptionalLong.of(memory.read64(pa));
    } catch (BusErrorException e) {
      return OptionalLong.empty();
    }
  }
}
