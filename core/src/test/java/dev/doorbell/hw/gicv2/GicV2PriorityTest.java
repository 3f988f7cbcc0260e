package dev.doorbell.hw.gicv2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@DisplayName("GICv2 model: which interrupt a processor takes")
class GicV2PriorityTest extends OpenGicV2 {
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
}
