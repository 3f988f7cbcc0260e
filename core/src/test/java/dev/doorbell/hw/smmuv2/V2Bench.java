package dev.doorbell.hw.smmuv2;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.RawSmmu;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;

/// Memory, a model of an SMMUv2, and a driver's view of it that can be made to fail.
final class V2Bench {
  static final long RAM = 0x4000_0000L;
  static final long RAM_BYTES = 1L << 30;
  static final long WINDOW = 0x20000;

  final PlainMemory memory = new PlainMemory(RAM, RAM_BYTES);
  final CountedFrames frames = new CountedFrames(memory, RAM, RAM_BYTES);
  final SmmuV2Features features;
  final SmmuV2Model model;
  private volatile int writes;
  private LongPredicate fails = number -> false;

  V2Bench() {
    this(SmmuV2Features.mmu500(WINDOW));
  }

  V2Bench(SmmuV2Features features) {
    this.features = features;
    model = new SmmuV2Model(features, memory);
  }

  SmmuV2Driver open() {
    return open(SmmuV2Settings.USUAL);
  }

  SmmuV2Driver open(SmmuV2Settings settings) {
    return SmmuV2Driver.open("smmuv2@0xe0800000", window(), memory, frames, settings);
  }

  /// From now on the writes fail whose number, counted from 0, meets a condition.
  void failWrites(LongPredicate which) {
    writes = 0;
    fails = which;
  }

  RegisterBus window() {
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        BusRead read = model.read(offset, bytes);
        if (read.outcome() != BusOutcome.OK) {
          throw new BusErrorException("read", offset, bytes);
        }
        return read.value();
      }

      @Override
      public void write(long offset, long value, int bytes) {
        if (fails.test(writes++)
            || model.write(offset, value, bytes, SystemBus.CPU) != BusOutcome.OK) {
          throw new BusErrorException("write", offset, bytes);
        }
      }
    };
  }

  int writes() {
    return writes;
  }

  long write(int stream, long iova) {
    return model.translate(stream, -1, iova, Translator.WRITE);
  }

  long read(int stream, long iova) {
    return model.translate(stream, -1, iova, Translator.READ);
  }

  // Registers by name, as software that is not the driver uses them.

  long gr0(Register register, int index) {
    return model.read(register.offset(index), register.bytes()).value();
  }

  V2Bench gr0(Register register, int index, long value) {
    model.write(register.offset(index), value, register.bytes(), SystemBus.CPU);
    return this;
  }

  V2Bench gr1(Register register, int index, long value) {
    long at = features.pageBytes() + register.offset(index);
    model.write(at, value, register.bytes(), SystemBus.CPU);
    return this;
  }

  long gr1(Register register, int index) {
    return model.read(features.pageBytes() + register.offset(index), register.bytes()).value();
  }

  private long at(int bank, Register register) {
    return (features.pages() + bank) * features.pageBytes() + register.offset();
  }

  long bank(int bank, Register register) {
    return model.read(at(bank, register), register.bytes()).value();
  }

  V2Bench bank(int bank, Register register, long value) {
    model.write(at(bank, register), value, register.bytes(), SystemBus.CPU);
    return this;
  }

  /// Every register that a driver programs.
  List<Long> state() {
    List<Long> out = new ArrayList<>();
    for (int i = 0; i < features.entries(); i++) {
      out.add(gr0(Gr0Registers.SMR, i));
      out.add(gr0(Gr0Registers.S2CR, i));
    }
    for (int i = 0; i < features.banks(); i++) {
      out.add(bank(i, BankRegisters.SCTLR));
    }
    return out;
  }

  RawSmmu.Quadwords quads() {
    return new RawSmmu.Quadwords() {
      @Override
      public long get(long address) {
        return memory.read64(address);
      }

      @Override
      public void put(long address, long value) {
        memory.write64(address, value);
      }
    };
  }
}
