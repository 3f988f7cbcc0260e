package dev.doorbell.hw.smmuv3;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.PlainMemory;

/// Memory and models of SMMUs that drivers run on.
final class DriverBench {
  static final long RAM = 0x4000_0000L;
  static final long RAM_BYTES = 1L << 30;

  final PlainMemory memory = new PlainMemory(RAM, RAM_BYTES);
  final CountedFrames frames = new CountedFrames(memory, RAM, RAM_BYTES);
  final SmmuTags tags = new SmmuTags();

  /// What the models wrote as messages, and whether such writes end in errors.
  int messages;

  boolean messagesFail;

  SmmuModel model(SmmuFeatures features) {
    SystemBus ram =
        new SystemBus() {
          @Override
          public BusOutcome write(long pa, long value, int bytes, int requester) {
            messages++;
            if (messagesFail) {
              return BusOutcome.ERROR;
            }
            memory.write(pa, value, bytes);
            return BusOutcome.OK;
          }

          @Override
          public BusRead read(long pa, int bytes) {
            return BusRead.error(bytes);
          }
        };
    return new SmmuModel(features, memory, ram, SmmuWires.NONE);
  }

  SmmuDriver open(SmmuModel model) {
    return open(model, SmmuSettings.of(tags));
  }

  SmmuDriver open(SmmuModel model, SmmuSettings settings) {
    return SmmuDriver.open("smmuv3@0x9050000", window(model), memory, frames, settings);
  }

  static RegisterBus window(SmmuModel model) {
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
        if (model.write(offset, value, bytes, SystemBus.CPU) != BusOutcome.OK) {
          throw new BusErrorException("write", offset, bytes);
        }
      }
    };
  }
}
