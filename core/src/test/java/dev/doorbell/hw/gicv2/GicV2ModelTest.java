package dev.doorbell.hw.gicv2;

import static dev.doorbell.hw.gicv2.GicdRegisters.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.simple.ModelRegisters;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@DisplayName("GICv2 model")
class GicV2ModelTest {
  private static final int SPURIOUS = 1023;

  private final GicV2Model model = new GicV2Model(new GicV2Config(2, 96, 5));
  private final RegisterBus gicd = new ModelRegisters(model.distributor(0));
  private final RegisterBus gicd1 = new ModelRegisters(model.distributor(1));
  private final RegisterBus gicc = new ModelRegisters(model.cpuInterface(0));
  private final RegisterBus gicc1 = new ModelRegisters(model.cpuInterface(1));

  @BeforeEach
  void open() {
    gicd.write32(0x000, 3);
    for (RegisterBus interfaces : new RegisterBus[] {gicc, gicc1}) {
      interfaces.write32(0x04, 0xff);
      interfaces.write32(0x00, 3);
    }
  }

  private void ready(int intid, int targets, int priority) {
    gicd.write(0x800 + intid, targets, 1);
    gicd.write(0x400 + intid, priority, 1);
    gicd.write32(0x100 + intid / 32 * 4, 1 << (intid % 32));
  }

  private void edge(int intid) {
    long at = 0xc00 + intid / 16 * 4;
    gicd.write32(at, gicd.read32(at) | 2 << (intid % 16 * 2));
  }

  private boolean pending(int intid) {
    return (gicd.read32(0x200 + intid / 32 * 4) >>> (intid % 32) & 1) != 0;
  }

  private boolean active(int intid) {
    return (gicd.read32(0x300 + intid / 32 * 4) >>> (intid % 32) & 1) != 0;
  }

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

  @Nested
  @DisplayName("IHI 0048 4.3.15 to 4.3.17: SGIs")
  class Sgis {
    @BeforeEach
    void enable() {
      gicd.write32(0x100, 0xffff);
      gicd1.write32(0x100, 0xffff);
    }

    @Test
    @DisplayName("GICD_SGIR: to a list, to all others, to itself; GICC_IAR names the sender")
    void filters() {
      gicd.write32(0xf00, 2 << 16 | 5);
      assertEquals(SPURIOUS, gicc.read32(0x0c));
      assertEquals(5, gicc1.read32(0x0c));
      gicc1.write32(0x10, 5);
      gicd1.write32(0xf00, 1 << 24 | 6);
      assertEquals(1 << 10 | 6, gicc.read32(0x0c));
      gicc.write32(0x10, 1 << 10 | 6);
      gicd1.write32(0xf00, 2 << 24 | 7);
      assertEquals(1 << 10 | 7, gicc1.read32(0x0c));
    }

    @Test
    @DisplayName("the same SGI from two CPUs is two interrupts")
    void twoSources() {
      gicd.write32(0xf00, 1 << 16 | 3);
      gicd1.write32(0xf00, 1 << 16 | 3);
      assertEquals(0x03 << 24, gicd.read32(0xf10));
      assertEquals(3, gicc.read32(0x0c));
      gicc.write32(0x10, 3);
      assertEquals(1 << 10 | 3, gicc.read32(0x0c));
      gicc.write32(0x10, 1 << 10 | 3);
      assertEquals(SPURIOUS, gicc.read32(0x0c));
    }

    @Test
    @DisplayName("a byte written to GICD_CPENDSGIR clears that SGI and no other")
    void clearsOneByte() {
      gicd.write32(0xf20, 0x01020301);
      gicd.write(0xf11, 0x01, 1);
      assertEquals(0x01020201, gicd.read32(0xf10));
      gicd.write(0xf23, 0x02, 1);
      assertEquals(0x03020201, gicd.read32(0xf20));
    }

    @Test
    @DisplayName("GICD_ISPENDR and ICPENDR show SGIs and do not change them")
    void pendingBits() {
      gicd.write32(0x200, 0xffff);
      assertEquals(0, gicd.read32(0x200));
      gicd.write32(0xf20, 1);
      gicd.write32(0x280, 1);
      assertEquals(1, gicd.read32(0x200));
    }
  }

  @Nested
  @DisplayName("IHI 0048 3.2, 3.3: routing, priorities and preemption")
  class Priorities {
    @Test
    @DisplayName("1-N: of several targets the first to acknowledge has it")
    void oneOfN() {
      ready(40, 3, 0x80);
      gicd.write32(0x204, 1 << 8);
      assertEquals(40, gicc1.read32(0x18));
      assertEquals(40, gicc.read32(0x0c));
      assertEquals(SPURIOUS, gicc1.read32(0x0c));
    }

    @Test
    @DisplayName("a pending interrupt follows GICD_ITARGETSR")
    void moves() {
      ready(40, 1, 0x80);
      gicd.write32(0x204, 1 << 8);
      gicd.write(0x800 + 40, 2, 1);
      assertEquals(SPURIOUS, gicc.read32(0x0c));
      assertEquals(40, gicc1.read32(0x0c));
    }

    @Test
    @DisplayName(
        "lower number first, then lower INTID; a more urgent one preempts, an equal one waits")
    void order() {
      ready(50, 1, 0x80);
      ready(41, 1, 0x80);
      ready(60, 1, 0x40);
      gicd.write32(0x204, 1 << 9 | 1 << 18);
      assertEquals(41, gicc.read32(0x0c));
      assertEquals(0x80, gicc.read32(0x14));
      assertEquals(SPURIOUS, gicc.read32(0x0c));
      gicd.write32(0x204, 1 << 28);
      assertEquals(60, gicc.read32(0x0c));
      assertEquals(0x40, gicc.read32(0x14));
      gicc.write32(0x10, 60);
      assertEquals(0x80, gicc.read32(0x14));
      gicc.write32(0x10, 41);
      assertEquals(0xff, gicc.read32(0x14));
      assertEquals(50, gicc.read32(0x0c));
    }

    @Test
    @DisplayName("GICC_BPR: priorities that differ only below the binary point do not preempt")
    void binaryPoint() {
      ready(40, 1, 0x80);
      ready(41, 1, 0x88);
      gicc.write32(0x08, 3);
      gicd.write32(0x204, 1 << 9);
      assertEquals(41, gicc.read32(0x0c));
      gicd.write32(0x204, 1 << 8);
      assertEquals(SPURIOUS, gicc.read32(0x0c));
      gicc.write32(0x10, 41);
      assertEquals(40, gicc.read32(0x0c));
    }

    @Test
    @DisplayName("GICC_PMR lets pass what is more urgent than itself")
    void mask() {
      ready(40, 1, 0x80);
      gicd.write32(0x204, 1 << 8);
      gicc.write32(0x04, 0x80);
      assertEquals(SPURIOUS, gicc.read32(0x0c));
      gicc.write32(0x04, 0x88);
      assertEquals(40, gicc.read32(0x0c));
    }

    @Test
    @DisplayName("Group 1: GICC_IAR answers 1022 without AckCtl, GICC_AIAR takes it")
    void groups() {
      ready(40, 1, 0x80);
      gicd.write32(0x084, 1 << 8);
      gicd.write32(0x204, 1 << 8);
      assertEquals(1022, gicc.read32(0x0c));
      assertEquals(true, pending(40));
      assertEquals(40, gicc.read32(0x20));
      gicc.write32(0x24, 40);
      gicd.write32(0x204, 1 << 8);
      gicc.write32(0x00, 7);
      assertEquals(40, gicc.read32(0x0c));
    }

    @Test
    @DisplayName("GICC_AIAR does not take Group 0")
    void aliasAndGroup0() {
      ready(40, 1, 0x80);
      gicd.write32(0x204, 1 << 8);
      assertEquals(SPURIOUS, gicc.read32(0x20));
      assertEquals(40, gicc.read32(0x0c));
    }

    @Test
    @DisplayName("EOImode splits the end: GICC_EOIR drops the priority, GICC_DIR deactivates")
    void split() {
      ready(40, 1, 0x80);
      gicc.write32(0x00, 1 | 1 << 9);
      gicd.write32(0x204, 1 << 8);
      gicc.read32(0x0c);
      gicc.write32(0x10, 40);
      assertEquals(0xff, gicc.read32(0x14));
      assertEquals(true, active(40));
      gicc.write32(0x1000, 40);
      assertEquals(false, active(40));
    }

    @Test
    @DisplayName("the end of 1023 changes nothing")
    void spuriousEnd() {
      ready(40, 1, 0x80);
      gicd.write32(0x204, 1 << 8);
      gicc.read32(0x0c);
      gicc.write32(0x10, SPURIOUS);
      assertEquals(0x80, gicc.read32(0x14));
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
