package dev.doorbell.hw.gicv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.List;
import java.util.Optional;
import java.util.function.LongBinaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IHI 0069 12.9, 12.11: GICs of other widths than the models have")
class GicV3WidthsTest {
  private static final long TYPER = 0x8;
  private static final long PROPBASER = 0x70;

  private final PlainMemory memory = new PlainMemory(0x4000_0000L, 0x1000_0000L);
  private final CountedFrames frames = new CountedFrames(memory, 0x4100_0000L, 0x0800_0000L);
  private final GicV3Model model =
      new GicV3Model(GicV3Config.of(List.of(0L, 1L), 0x0a00_0000L), memory);
  private long lastPropbaser;

  /// {@return a register window whose reads come out changed}
  private RegisterBus changed(RegisterBus real, LongBinaryOperator read) {
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        return read.applyAsLong(offset, real.read(offset, bytes));
      }

      @Override
      public void write(long offset, long value, int bytes) {
        if (offset % 0x2_0000 == PROPBASER) {
          lastPropbaser = value;
        }
        real.write(offset, value, bytes);
      }
    };
  }

  private GicV3Driver open(RegisterBus distributor, RegisterBus redistributors, long bytes) {
    return GicV3Driver.open(
        new GicV3Hardware(
            "gic",
            distributor,
            List.of(new GicV3Hardware.Region(redistributors, 0x0a00_0000L, bytes)),
            List.of(0L, 1L),
            memory,
            frames,
            Optional.empty()));
  }

  private RegisterBus gicd() {
    return new ModelRegisters(model.distributor());
  }

  private RegisterBus gicr() {
    return changed(new ModelRegisters(model.redistributors(0, 2)), (at, v) -> v);
  }

  @Test
  @DisplayName(
      "GICD_TYPER.num_LPIs bounds LPIs below what IDbits would hold; GICR_PROPBASER says IDbits less one")
  void numberOfLpis() {
    assertEquals(57344, open(gicd(), gicr(), 0x4_0000).free());
    assertEquals(15, lastPropbaser & 0x1f);
    GicV3Driver few =
        open(changed(gicd(), (at, v) -> at == 4 ? v | 9L << 11 : v), gicr(), 0x4_0000);
    assertEquals(1 << 10, few.free());
    assertTrue(few.allocate("its", 1025).isEmpty());
    assertEquals(1024, few.allocate("its", 1024).orElseThrow().count());
  }

  @Test
  @DisplayName("GICR_TYPER.VLPIS: a Redistributor of a GICv4 has four frames of 64 KiB")
  void fourFrames() {
    RegisterBus two = gicr();
    RegisterBus placed =
        new RegisterBus() {
          @Override
          public long read(long offset, int bytes) {
            if (offset % 0x4_0000 >= 0x2_0000) {
              throw new AssertionError("frames of virtual LPIs are read at 0x%x".formatted(offset));
            }
            long value = two.read(offset / 0x4_0000 * 0x2_0000 + offset % 0x4_0000, bytes);
            return offset % 0x4_0000 == TYPER ? value | 2 : value;
          }

          @Override
          public void write(long offset, long value, int bytes) {
            two.write(offset / 0x4_0000 * 0x2_0000 + offset % 0x4_0000, value, bytes);
          }
        };
    GicV3Driver gic = open(gicd(), placed, 0x8_0000);
    assertEquals(2, gic.cpus());
    assertEquals(
        0x0a04_0000L >>> 16, gic.target(1, true), "RDbase is the address without its low 16 bits");
    assertEquals(1, gic.target(1, false));
  }

  @Test
  @DisplayName("GICR_TYPER.PLPIS = 0: no LPIs there, which is told by its place")
  void noLpis() {
    RegisterBus without = changed(gicr(), (at, v) -> at == 0x2_0000 + TYPER ? v & ~1L : v);
    MsiControllerFailed e =
        assertThrows(MsiControllerFailed.class, () -> open(gicd(), without, 0x4_0000));
    assertTrue(e.getMessage().contains("redistributor at 0xa020000 without LPIs"), e.getMessage());
    assertEquals(0, frames.bytesInUse());
  }

  @Test
  @DisplayName("a Redistributor that does not share its tables does not cache them either")
  void notShared() {
    open(gicd(), gicr(), 0x4_0000);
    assertEquals(7, lastPropbaser >> 7 & 7);
    open(
        gicd(),
        changed(gicr(), (at, v) -> at % 0x2_0000 == PROPBASER ? v & ~(3L << 10) : v),
        0x4_0000);
    assertEquals(1, lastPropbaser >> 7 & 7, "Normal, not cacheable");
    assertEquals(0, lastPropbaser >> 10 & 3);
  }
}
