package dev.doorbell.hw.vtd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("VT-d: a unit that fails to start")
class VtdStartTest {
  private static final long RAM = 0x1000_0000L;
  private static final long BYTES = 0x100_0000L;
  private static final long GCMD = 0x18;
  private static final long QIE = 1L << 26;

  private final PlainMemory memory = new PlainMemory(RAM, BYTES);
  private final CountedFrames frames = new CountedFrames(memory, RAM, BYTES);
  private final VtdTags tags = new VtdTags();
  private int writes;

  private VtdModel model() {
    return new VtdModel(
        VtdFeatures.of(48, true).withScalableMode(), memory, (destination, command, wide) -> true);
  }

  private VtdDriver open(RegisterBus registers, VtdTranslation translation) {
    return VtdDriver.open(
        new VtdHardware("vt-d@0", registers, memory, frames),
        new VtdSettings(tags, true, true, translation));
  }

  /// Registers of which one write fails.
  private RegisterBus failing(int at) {
    RegisterBus unit = new ModelRegisters(model());
    writes = 0;
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        return unit.read(offset, bytes);
      }

      @Override
      public void write(long offset, long value, int bytes) {
        if (writes++ == at) {
          throw new BusErrorException("write", offset, bytes);
        }
        unit.write(offset, value, bytes);
      }
    };
  }

  private void keepsNothing(String when) {
    assertEquals(0, frames.bytesInUse(), when);
    int id = tags.take("vt-d@0");
    assertEquals(1, id, when);
    tags.giveBack(id);
  }

  @ParameterizedTest
  @DisplayName("whichever write fails, it keeps no memory and no domain id")
  @EnumSource(VtdTranslation.class)
  void write(VtdTranslation translation) {
    open(failing(-1), translation);
    int all = writes;
    assertTrue(all > 10, "writes: " + all);
    long used = frames.bytesInUse();
    for (int at = 0; at < all; at++) {
      RegisterBus registers = failing(at);
      assertThrows(BusErrorException.class, () -> open(registers, translation));
      assertEquals(used, frames.bytesInUse(), "write " + at);
    }
    assertEquals(2, tags.take("vt-d@0"));
  }

  @ParameterizedTest
  @DisplayName("whichever memory is not there, it keeps none")
  @EnumSource(VtdTranslation.class)
  void memory(VtdTranslation translation) {
    for (long limit : new long[] {0, 0x1000, 0x2000, 0x2040, 0x10_0000}) {
      frames.limit(limit);
      RegisterBus registers = new ModelRegisters(model());
      assertThrows(OutOfFramesException.class, () -> open(registers, translation));
      keepsNothing("0x%x bytes".formatted(limit));
    }
  }

  @ParameterizedTest
  @DisplayName("memory of a queue that it does not stop looking at stays taken")
  @EnumSource(VtdTranslation.class)
  void stuck(VtdTranslation translation) {
    RegisterBus unit = new ModelRegisters(model());
    RegisterBus stuck =
        new RegisterBus() {
          @Override
          public long read(long offset, int bytes) {
            return unit.read(offset, bytes);
          }

          @Override
          public void write(long offset, long value, int bytes) {
            boolean lets = (unit.read32(0x1c) & QIE) == 0;
            unit.write(offset, offset == GCMD && !lets ? value | QIE : value, bytes);
          }
        };
    frames.limit(0x2040);
    assertThrows(OutOfFramesException.class, () -> open(stuck, translation));
    assertEquals(0x1040, frames.bytesInUse());
  }
}
