package dev.doorbell.hw.riscviommu;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.fuzz.WalkCheck;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Memory and a model of an IOMMU that a driver runs on. Numbers are those of the manual.
final class RiscvBench {
  static final long MEMORY = 0x8000_0000L;
  static final long MEMORY_BYTES = 0x1000_0000L;
  private static final long FRAMES_BYTES = 0x800_0000L;
  private static final int CQB = 0x18;
  private static final int CQT = 0x24;
  private static final int ENTRIES = 256;

  final PlainMemory memory = new PlainMemory(MEMORY, MEMORY_BYTES);
  final CountedFrames frames = new CountedFrames(memory, MEMORY, FRAMES_BYTES);
  final RiscvIommuModel model;
  final RiscvIommuDriver iommu;

  /// What the IOMMU wrote as messages, where `0x80000000 0x5` is address and datum.
  final List<String> messages = new ArrayList<>();

  /// Commands without fences, as `first second`.
  final List<String> commands = new ArrayList<>();

  RiscvBench() {
    this(RiscvIommuFeatures.usual(48));
  }

  RiscvBench(RiscvIommuFeatures features) {
    this(features, false);
  }

  /// @param second whether domains are second stages
  RiscvBench(RiscvIommuFeatures features, boolean second) {
    model =
        new RiscvIommuModel(
            features,
            memory,
            new SystemBus() {
              @Override
              public BusOutcome write(long pa, long value, int bytes, int requester) {
                messages.add("0x%x 0x%x".formatted(pa, value));
                return BusOutcome.OK;
              }

              @Override
              public BusRead read(long pa, int bytes) {
                return BusRead.error(bytes);
              }
            });
    RiscvIommuSettings usual = RiscvIommuSettings.usual();
    iommu = open(second ? usual.withSecondStage() : usual);
  }

  RiscvIommuDriver open(RiscvIommuSettings settings) {
    return RiscvIommuDriver.open("riscv-iommu@0", registers(), memory, frames, settings);
  }

  private RegisterBus registers() {
    RegisterBus plain = new ModelRegisters(model);
    return new RegisterBus() {
      private long tail;

      @Override
      public long read(long offset, int bytes) {
        return plain.read(offset, bytes);
      }

      @Override
      public void write(long offset, long value, int bytes) {
        if (offset == CQT) {
          long base = (plain.read(CQB, Long.BYTES) >>> 10) << 12;
          for (; tail != value; tail = (tail + 1) % ENTRIES) {
            long at = base + 16 * tail;
            if ((memory.read64(at) & 0x7f) != 2) {
              commands.add("%x %x".formatted(memory.read64(at), memory.read64(at + 8)));
            }
          }
        }
        plain.write(offset, value, bytes);
      }
    };
  }

  /// {@return where a write of a device goes}
  ///
  /// @param process -1 for none
  long write(int device, int process, long iova) {
    return model.translate(device, process, iova, Translator.WRITE);
  }

  /// {@return a walker of the registers and the memory as they are now}
  RiscvIommuWalker walker() {
    return new RiscvIommuWalker(
        "iommu",
        Map.of("capabilities", model.read(0, 8).value(), "ddtp", model.read(0x10, 8).value()),
        WalkCheck.view(memory));
  }

  /// Has the n-th write of memory from now on end in an error, after it was done.
  ///
  /// @param before called ahead of that, after every write
  void failAt(int n, Runnable before) {
    int[] writes = new int[1];
    memory.onWrite((pa, was, is) -> {
      before.run();
      if (writes[0]++ == n) {
        throw new BusErrorException("write", pa, Long.BYTES);
      }
    });
  }

  void failNever() {
    memory.onWrite((pa, was, is) -> {});
  }
}
