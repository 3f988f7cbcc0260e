package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.HardwareWrites;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;

/// Memory, local APICs that note what reaches them, and models of AMD IOMMUs that drivers run on. Writes of drivers can be made to fail, and a kind
/// of command can be made to do nothing.
final class AmdViBench {
  static final long RAM = 0x4000_0000L;
  static final long RAM_BYTES = 1L << 30;
  static final long FEE = 0xfee0_0000L;

  final PlainMemory plain = new PlainMemory(RAM, RAM_BYTES);
  final CountedFrames frames = new CountedFrames(plain, RAM, RAM_BYTES);
  final HardwareWrites writes = new HardwareWrites();
  final AmdViDomains domains = new AmdViDomains();
  final List<String> arrived = new ArrayList<>();
  boolean pairs = true;

  /// The command that does nothing; 0 for none.
  int leftOut;

  /// What drivers write to.
  final PhysicalMemory memory =
      new PhysicalMemory() {
        @Override
        public long read(long pa, int bytes) {
          return plain.read(pa, bytes);
        }

        @Override
        public void write(long pa, long value, int bytes) {
          writes.write("memory 0x" + Long.toHexString(pa));
          plain.write(pa, value, bytes);
        }

        @Override
        public boolean write128(long pa, long low, long high) {
          if (!pairs) {
            return false;
          }
          writes.write("pair 0x" + Long.toHexString(pa));
          plain.write64(pa, low);
          plain.write64(pa + Long.BYTES, high);
          return true;
        }

        @Override
        public void read(long pa, byte[] into) {
          plain.read(pa, into);
        }

        @Override
        public void write(long pa, byte[] from) {
          plain.write(pa, from);
        }

        @Override
        public void fill(long pa, long bytes, byte value) {
          plain.fill(pa, bytes, value);
        }

        @Override
        public void publish() {
          plain.publish();
        }
      };

  AmdViModel model(AmdViFeatures features) {
    return new AmdViModel(
        features,
        plain,
        (destination, command, wide) ->
            arrived.add("0x%x 0x%x%s".formatted(destination, command, wide ? " wide" : "")),
        _ -> {});
  }

  AmdViDriver open(AmdViModel model) {
    return open(model, AmdViSettings.of(domains));
  }

  AmdViDriver open(AmdViModel model, AmdViSettings settings) {
    return AmdViDriver.open("amd-vi@0xfed80000", window(model), memory, frames, settings);
  }

  RegisterBus window(AmdViModel model) {
    RegisterBus registers = new ModelRegisters(model);
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        return registers.read(offset, bytes);
      }

      @Override
      public void write(long offset, long value, int bytes) {
        writes.write("register 0x" + Long.toHexString(offset));
        if (offset == AmdViRegisters.CMD_TAIL_REG.offset() && leftOut != 0) {
          leaveOut(registers, value);
        }
        registers.write(offset, value, bytes);
      }
    };
  }

  private void leaveOut(RegisterBus registers, long tail) {
    long base = registers.read64(AmdViRegisters.CMD_BUF_BASE_REG.offset());
    long mask = ((long) CommandLayout.BYTES << AmdViRegisters.CMD_LEN.getInt(base)) - 1;
    long at = registers.read64(AmdViRegisters.CMD_HEAD_REG.offset());
    for (; at != tail; at = at + CommandLayout.BYTES & mask) {
      long entry = AmdViRegisters.CMD_BASE.get(base) + at;
      if (CommandLayout.OPCODE.getInt(plain.read64(entry)) == leftOut) {
        plain.write64(entry, AmdViCommand.barrier().w0());
        plain.write64(entry + Long.BYTES, 0);
      }
    }
  }

  static long write(AmdViModel model, int device, long iova) {
    return model.translate(device, -1, iova, Translator.WRITE);
  }

  static long read(AmdViModel model, int device, long iova) {
    return model.translate(device, -1, iova, Translator.READ);
  }

  /// {@return what reached the local APICs when a device wrote a datum}
  List<String> message(AmdViModel model, int device, long address, int data) {
    arrived.clear();
    boolean sent = model.message(device, address, data, Integer.BYTES) == BusOutcome.OK;
    if (sent != !arrived.isEmpty()) {
      throw new AssertionError("the model says " + sent + " and the APICs got " + arrived);
    }
    return List.copyOf(arrived);
  }
}
