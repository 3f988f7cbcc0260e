package dev.doorbell.hw.gicv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GicV3DriverTest {
  private static final List<Long> MPIDRS = List.of(0x0L, 0x1_0000_0100L, 0x200L);

  private final PlainMemory memory = new PlainMemory(0x4000_0000L, 0x1000_0000L);
  private final CountedFrames frames = new CountedFrames(memory, 0x4100_0000L, 0x0800_0000L);

  /// Redistributors in two regions, the CPUs not in the regions' order.
  private final GicV3Model model =
      new GicV3Model(
          new GicV3Config(
              List.of(
                  new GicV3Config.Cpu(0x200, 0x0a00_0000L),
                  new GicV3Config.Cpu(0x0, 0x0b00_0000L),
                  new GicV3Config.Cpu(0x1_0000_0100L, 0x0b02_0000L)),
              256,
              16,
              5,
              false),
          memory);

  private GicV3Hardware hardware(boolean cpuInterface, RegisterBus distributor) {
    Optional<CpuInterface> cpus = cpuInterface ? Optional.of(inFirmwareOrder()) : Optional.empty();
    return new GicV3Hardware(
        "gic@0x8000000",
        distributor,
        List.of(
            new GicV3Hardware.Region(
                new ModelRegisters(model.redistributors(0, 1)), 0x0a00_0000L, 0x10_0000),
            new GicV3Hardware.Region(
                new ModelRegisters(model.redistributors(1, 2)), 0x0b00_0000L, 0x10_0000)),
        MPIDRS,
        memory,
        frames,
        cpus);
  }

  /// CPU n of the firmware is another processor of the model.
  private CpuInterface inFirmwareOrder() {
    return new CpuInterface() {
      private final int[] processors = {1, 2, 0};

      @Override
      public int cpus() {
        return processors.length;
      }

      @Override
      public int acknowledge(int cpu) {
        return model.acknowledge(processors[cpu]);
      }

      @Override
      public void endOfInterrupt(int cpu, int intid) {
        model.endOfInterrupt(processors[cpu], intid);
      }
    };
  }

  private GicV3Driver open(boolean cpuInterface) {
    return GicV3Driver.open(hardware(cpuInterface, new ModelRegisters(model.distributor())));
  }

  private static List<String> collect(GicV3Driver gic, int first, int last) {
    List<String> arrived = new ArrayList<>();
    gic.collect(first, last, (intid, cpu) -> arrived.add(intid + "@" + cpu));
    return arrived;
  }

  @Test
  @DisplayName(
      "IHI 0069 12.11.35: each CPU's redistributor is found by affinity; targets are processor numbers or addresses")
  void redistributors() {
    GicV3Driver gic = open(true);
    assertEquals(3, gic.cpus());
    assertEquals(1, gic.target(0, false));
    assertEquals(2, gic.target(1, false));
    assertEquals(0, gic.target(2, false));
    assertEquals(0xb02, gic.target(1, true));
    assertThrows(IllegalArgumentException.class, () -> gic.target(3, false));
    for (int cpu = 0; cpu < 3; cpu++) {
      assertEquals(3, model.redistributor(cpu).read(0, 4).value(), "EnableLPIs");
      assertEquals(0, model.redistributor(cpu).read(0x14, 4).value(), "awake");
    }
  }

  @Test
  @DisplayName("IHI 0069 5.1.1: every LPI starts disabled, with a priority and bit 1 set")
  void configuration() {
    open(true);
    long table = model.redistributor(0).read(0x70, 8).value() & 0xf_ffff_ffff_f000L;
    for (int i = 0; i < 57344; i += 57343) {
      assertEquals(0xa2, memory.read(table + i, 1));
    }
  }

  @Test
  @DisplayName("opening again replaces the tables of LPIs that are enabled already (GICR_CTLR.CES)")
  void reopen() {
    open(true);
    long first = model.redistributor(0).read(0x70, 8).value();
    GicV3Driver gic = open(true);
    assertFalse(first == model.redistributor(0).read(0x70, 8).value());
    assertEquals(57344, gic.free());
  }

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName("IHI 0069 12.9: an SPI configured as edge goes to the CPU it is routed to")
  void spi(boolean cpuInterface) {
    GicV3Driver gic = open(cpuInterface);
    InterruptLine line = model.spi(85);
    gic.configureEdge(85);
    gic.route(85, 1);
    line.pulse();
    assertTrue(gic.isPending(85));
    assertEquals(List.of(), collect(gic, 80, 143), "disabled");
    gic.enable(85);
    assertEquals(List.of(), collect(gic, 86, 143), "another range");
    assertTrue(gic.isPending(85));
    assertEquals(List.of("85@1"), collect(gic, 80, 143));
    assertFalse(gic.isPending(85));
    gic.setPending(85);
    assertEquals(List.of("85@1"), collect(gic, 80, 143));
    gic.disable(85);
    line.pulse();
    gic.clearPending(85);
    gic.enable(85);
    assertEquals(List.of(), collect(gic, 80, 143));
    gic.route(85, 2);
    line.pulse();
    assertEquals(List.of("85@2"), collect(gic, 32, 287));
  }

  @Test
  @DisplayName("an SPI or CPU that does not exist is refused and nothing changes")
  void noSuchSpi() {
    GicV3Driver gic = open(true);
    assertEquals(287, gic.lastSpi());
    assertThrows(IllegalArgumentException.class, () -> gic.enable(288));
    assertThrows(IllegalArgumentException.class, () -> gic.enable(31));
    assertThrows(IllegalArgumentException.class, () -> gic.route(40, 3));
    assertEquals(0, model.distributor().read(0x6000 + 8 * 40, 8).value());
  }

  @Test
  @DisplayName(
      "a register write pending bit that stays set ends in a typed failure with figures, and memory comes back")
  void stuck() {
    RegisterBus real = new ModelRegisters(model.distributor());
    RegisterBus stuck =
        new RegisterBus() {
          @Override
          public long read(long offset, int bytes) {
            return real.read(offset, bytes) | (offset == 0 ? 1L << 31 : 0);
          }

          @Override
          public void write(long offset, long value, int bytes) {
            real.write(offset, value, bytes);
          }
        };
    MsiControllerFailed e =
        assertThrows(MsiControllerFailed.class, () -> GicV3Driver.open(hardware(true, stuck)));
    assertTrue(
        e.getMessage().contains("GICD_CTLR") && e.getMessage().contains("0x80000000"),
        e.getMessage());
    assertEquals(0, frames.bytesInUse());
  }

  @Test
  @DisplayName("a distributor of another version is refused")
  void wrongVersion() {
    RegisterBus gicv2 =
        new RegisterBus() {
          @Override
          public long read(long offset, int bytes) {
            return offset == 0xffe8 ? 0x2b : 0;
          }

          @Override
          public void write(long offset, long value, int bytes) {
            throw new AssertionError("written before it is known");
          }
        };
    MsiControllerFailed e =
        assertThrows(MsiControllerFailed.class, () -> GicV3Driver.open(hardware(true, gicv2)));
    assertTrue(e.getMessage().contains("ArchRev is 2"), e.getMessage());
  }
}
