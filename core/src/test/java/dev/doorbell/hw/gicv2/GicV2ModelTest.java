package dev.doorbell.hw.gicv2;

import static dev.doorbell.hw.gicv2.GicdRegisters.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.simple.ModelRegisters;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@DisplayName("GICv2 model")
class GicV2ModelTest extends OpenGicV2 {
  @Nested
  @DisplayName("IHI 0048 3.2.4: states of an interrupt")
  class States {
    @Test
    @DisplayName("an edge is kept until acknowledged, then active until the end")
    void edgeCycle() {
      edge(40);
      ready(40, 1, 0x80);
      model.spi(40).pulse();
      assertEquals(true, pending(40));
      assertEquals(40, gicc.read32(0x0c));
      assertEquals(false, pending(40));
      assertEquals(true, active(40));
      assertEquals(SPURIOUS, gicc.read32(0x0c));
      gicc.write32(0x10, 40);
      assertEquals(false, active(40));
      assertEquals(SPURIOUS, gicc.read32(0x0c));
    }

    @Test
    @DisplayName("an edge while active makes it active and pending, and it is taken again")
    void edgeWhileActive() {
      edge(40);
      ready(40, 1, 0x80);
      model.spi(40).pulse();
      gicc.read32(0x0c);
      model.spi(40).pulse();
      assertEquals(true, pending(40) && active(40));
      assertEquals(SPURIOUS, gicc.read32(0x0c));
      gicc.write32(0x10, 40);
      assertEquals(40, gicc.read32(0x0c));
    }

    @Test
    @DisplayName("a pulse of a level-sensitive interrupt leaves nothing; a level stays pending")
    void level() {
      ready(40, 1, 0x80);
      model.spi(40).pulse();
      assertEquals(false, pending(40));
      model.spi(40).set(true);
      assertEquals(40, gicc.read32(0x0c));
      assertEquals(true, pending(40));
      gicc.write32(0x10, 40);
      model.spi(40).set(false);
      assertEquals(SPURIOUS, gicc.read32(0x0c));
    }

    @Test
    @DisplayName("a disabled interrupt becomes pending and is taken once enabled")
    void disabled() {
      edge(40);
      gicd.write(0x800 + 40, 1, 1);
      model.spi(40).pulse();
      assertEquals(SPURIOUS, gicc.read32(0x0c));
      gicd.write32(0x104, 1 << 8);
      assertEquals(40, gicc.read32(0x0c));
    }
  }

  @Nested
  @DisplayName("IHI 0048 4.3: registers of the Distributor")
  class Distributor {
    @Test
    @DisplayName("GICD_TYPER, ICPIDR2, and SPIs that do not exist")
    void identification() {
      assertEquals(3 | 1 << 5, gicd.read32(0x004));
      assertEquals(2, gicd.read32(0xfe8) >>> 4 & 0xf);
      gicd.write32(0x110, -1);
      assertEquals(0, gicd.read32(0x110));
    }

    @Test
    @DisplayName("1020 INTIDs at most: the last word has 28")
    void lastWord() {
      RegisterBus full =
          new ModelRegisters(new GicV2Model(new GicV2Config(1, 992, 8)).distributor(0));
      full.write32(0x100 + 31 * 4, -1);
      assertEquals(0x0fff_ffff, full.read32(0x100 + 31 * 4));
      full.write32(0x200 + 31 * 4, -1);
      assertEquals(0x0fff_ffff, full.read32(0x200 + 31 * 4));
    }

    @Test
    @DisplayName("SGI and PPI registers are banked, those of SPIs shared")
    void banked() {
      gicd.write32(0x100, 1 << 20);
      assertEquals(0, gicd1.read32(0x100));
      gicd.write32(0x104, 1);
      assertEquals(1, gicd1.read32(0x104));
      gicd1.write(0x400 + 20, 0x50, 1);
      assertEquals(0, gicd.read(0x400 + 20, 1));
      assertEquals(0x50, gicd1.read(0x400 + 20, 1));
      gicd1.write32(0xc04, 2 << (4 * 2));
      assertEquals(0, gicd.read32(0xc04));
    }

    @Test
    @DisplayName(
        "GICD_ITARGETSR of SGIs and PPIs names the reader; targets that do not exist are ignored")
    void targets() {
      assertEquals(0x01010101, gicd.read32(0x800));
      assertEquals(0x02020202, gicd1.read32(0x81c));
      gicd.write32(0x820, -1);
      assertEquals(0x03030303, gicd.read32(0x820));
    }

    @Test
    @DisplayName("with one processor GICD_ITARGETSR is zero and everything goes to it")
    void uniprocessor() {
      GicV2Model one = new GicV2Model(new GicV2Config(1, 32, 4));
      one.openCpuInterfaces();
      RegisterBus bus = new ModelRegisters(one.distributor(0));
      bus.write32(0, 1);
      bus.write32(0x820, -1);
      assertEquals(0, bus.read32(0x820));
      bus.write32(0x104, 1);
      bus.write32(0x204, 1);
      assertEquals(32, one.acknowledge(0));
    }

    @Test
    @DisplayName("GICD_ICFGR: SGIs are edge-triggered for ever; the lower bit of a pair is zero")
    void triggers() {
      assertEquals(0xaaaa_aaaa, gicd.read32(0xc00));
      gicd.write32(0xc00, 0);
      assertEquals(0xaaaa_aaaa, gicd.read32(0xc00));
      gicd.write32(0xc08, -1);
      assertEquals(0xaaaa_aaaa, gicd.read32(0xc08));
    }

    @Test
    @DisplayName("priorities have the implemented bits only")
    void priorities() {
      gicd.write32(0x420, -1);
      assertEquals(0xf8f8f8f8, gicd.read32(0x420));
    }

    @Test
    @DisplayName(
        "4.1.4: bytes of priorities and targets, words of the rest; other sizes are bus errors")
    void sizes() {
      assertEquals(0, gicd.read(0x821, 1));
      assertThrows(BusErrorException.class, () -> gicd.read(0x101, 1));
      assertThrows(BusErrorException.class, () -> gicd.read(0x100, 2));
      assertThrows(BusErrorException.class, () -> gicd.write(0x104, 0, 8));
      assertThrows(BusErrorException.class, () -> gicd.read32(0x1000));
      assertThrows(BusErrorException.class, () -> gicd.read32(0x102));
    }

    @Test
    @DisplayName("GICD_CTLR holds a group back at the Distributor")
    void disabledGroup() {
      ready(40, 1, 0x80);
      gicd.write32(0x204, 1 << 8);
      gicd.write32(0x000, 2);
      assertEquals(SPURIOUS, gicc.read32(0x0c));
      gicd.write32(0x000, 1);
      assertEquals(40, gicc.read32(0x0c));
    }
  }

  @Test
  @DisplayName("processors as a machine reaches them: acknowledge and end at each CPU, both groups")
  void processors() {
    model.openCpuInterfaces();
    ready(40, 2, 0x80);
    gicd.write32(0x084, 1 << 8);
    gicd.write32(0x204, 1 << 8);
    assertEquals(CpuInterface.NONE, model.acknowledge(0));
    assertEquals(40, model.acknowledge(1));
    model.endOfInterrupt(1, 40);
    assertEquals(false, active(40));
    model.ppi(1, 27).set(true);
    gicd1.write32(0x100, 1 << 27);
    assertEquals(CpuInterface.NONE, model.acknowledge(0));
    assertEquals(27, model.acknowledge(1));
  }

  @Test
  @DisplayName("lines and machines that a GICv2 cannot have")
  void refused() {
    assertThrows(IllegalArgumentException.class, () -> model.spi(31));
    assertThrows(IllegalArgumentException.class, () -> model.spi(128));
    assertThrows(IllegalArgumentException.class, () -> model.ppi(2, 16));
    assertThrows(IllegalArgumentException.class, () -> new GicV2Config(9, 32, 8));
    assertThrows(IllegalArgumentException.class, () -> new GicV2Config(1, 33, 8));
    assertThrows(IllegalArgumentException.class, () -> new GicV2Config(1, 32, 3));
    assertEquals(SPI_LIMIT, new GicV2Config(1, 992, 8).limit());
  }
}
