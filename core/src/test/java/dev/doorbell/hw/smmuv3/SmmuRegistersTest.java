package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("IHI 0070 6: registers")
class SmmuRegistersTest {
  @Test
  @DisplayName("IHI 0070 6.3.1: the shapes of QEMU 10 and 7.2 identify themselves as those do")
  void identification() {
    SmmuBench ten = new SmmuBench(SmmuFeatures.qemu10());
    assertEquals(0x0d44101bL, ten.read32(0));
    assertEquals(0x02730010L, ten.read32(4));
    assertEquals(0x74L, ten.read32(0x14));
    SmmuBench seven = new SmmuBench(SmmuFeatures.qemu72());
    assertEquals(0x0d40101aL, seven.read32(0));
  }

  @Test
  @DisplayName("IHI 0070 6.3: identification is read-only")
  void readOnly() {
    SmmuBench bench = new SmmuBench();
    for (long offset = 0; offset < 0x20; offset += 4) {
      long before = bench.read32(offset);
      bench.write32(offset, 0xffff_ffffL);
      assertEquals(before, bench.read32(offset), "offset " + offset);
    }
  }

  @ParameterizedTest(name = "{1} bytes at {0}")
  @DisplayName(
      "IHI 0070 6.1: accesses of other sizes, unaligned or outside the window are bus errors")
  @CsvSource({"0,1", "0,2", "2,4", "4,8", "0x20,8", "0x98,8", "0x20000,4", "0x1fffc,8", "-4,4"})
  void refusedAccess(String offset, int bytes) {
    SmmuBench bench = new SmmuBench();
    assertEquals(BusOutcome.ERROR, bench.smmu.read(Long.decode(offset), bytes).outcome());
    assertEquals(BusOutcome.ERROR, bench.smmu.write(Long.decode(offset), 1, bytes, SystemBus.CPU));
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("IHI 0070 6.2: gaps read as zero and ignore writes")
  @CsvSource({"0x3c", "0xa8", "0x100", "0x200", "0x8000", "0x10000", "0x1fffc"})
  void gaps(String offset) {
    SmmuBench bench = new SmmuBench();
    bench.write32(Long.decode(offset), 0xffff_ffffL);
    assertEquals(0, bench.read32(Long.decode(offset)));
  }

  @Test
  @DisplayName("IHI 0070 6.1: a 64-bit register takes halves")
  void halves() {
    SmmuBench bench = new SmmuBench();
    bench.write32(0x80, 0x4000_00ffL);
    bench.write32(0x84, 0x4000_0001L);
    assertEquals(0x4000_0001_4000_00c0L, bench.smmu.read(0x80, 8).value());
    assertEquals(0x4000_00c0L, bench.read32(0x80));
    assertEquals(0x4000_0001L, bench.read32(0x84));
  }

  @Test
  @DisplayName("IHI 0070 6.3.9: CR0ACK follows CR0; bits of absent features stay zero")
  void cr0() {
    SmmuBench bench = new SmmuBench();
    bench.write32(0x20, 0xffff_ffffL);
    assertEquals(0xd, bench.read32(0x20));
    assertEquals(0xd, bench.read32(0x24));
    bench.write32(0x24, 0);
    assertEquals(0xd, bench.read32(0x24));
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("IHI 0070 6.3: registers are fixed while what they configure is enabled")
  @CsvSource({
    "0x80,8,0x40000000",
    "0x88,4,0x10",
    "0x90,8,0x40400006",
    "0x9c,4,0",
    "0xa0,8,0x40500007",
    "0x100a8,4,0",
    "0x28,4,0xd75",
    "0x2c,4,2"
  })
  void fixedWhileEnabled(String offset, int bytes, String expected) {
    SmmuBench bench = new SmmuBench().start();
    long before = bench.smmu.read(Long.decode(offset), bytes).value();
    if (!offset.equals("0x9c")) {
      assertEquals(Long.decode(expected), before);
    }
    bench.smmu.write(Long.decode(offset), ~before, bytes, SystemBus.CPU);
    assertEquals(before, bench.smmu.read(Long.decode(offset), bytes).value());
    bench.write32(0x20, 0);
    bench.smmu.write(Long.decode(offset), ~before, bytes, SystemBus.CPU);
    assertEquals(
        true,
        before != bench.smmu.read(Long.decode(offset), bytes).value(),
        "still fixed when disabled");
  }

  @Test
  @DisplayName(
      "IHI 0070 6.3 GBPA: takes writes with Update alone; ABORT ends accesses while SMMUEN is 0")
  void gbpa() {
    SmmuBench bench = new SmmuBench();
    assertEquals(0x1234, bench.read(0x1234));
    bench.write32(0x44, 1L << 20);
    assertEquals(0, bench.read32(0x44));
    bench.write32(0x44, 1L << 31 | 1L << 20);
    assertEquals(1L << 20, bench.read32(0x44));
    assertEquals(Translator.FAULT, bench.read(0x1234));
    bench.write32(0x44, 1L << 31);
    assertEquals(0x1234, bench.read(0x1234));
    assertEquals(Translator.FAULT, bench.read(1L << 44), "beyond OAS");
  }

  @Test
  @DisplayName("IHI 0070 6.3 GBPA: without GBPA it reads as zero and accesses pass")
  void noGbpa() {
    SmmuBench bench = new SmmuBench(SmmuFeatures.qemu72());
    bench.write32(0x44, 1L << 31 | 1L << 20);
    assertEquals(0, bench.read32(0x44));
    assertEquals(0x1234, bench.write(0x1234));
  }

  @Test
  @DisplayName("features that the model has not cannot be promised")
  void unknownFeatures() {
    SmmuFeatures features = SmmuFeatures.qemu10();
    assertThrows(
        IllegalArgumentException.class, () -> features.withIdr0(SmmuRegisters.IDR0_ATS, 1));
    assertThrows(
        IllegalArgumentException.class, () -> features.withIdr0(SmmuRegisters.IDR0_STALL_MODEL, 0));
    assertThrows(
        IllegalArgumentException.class, () -> features.withIdr5(SmmuRegisters.IDR5_OAS, 7));
    assertThrows(
        IllegalArgumentException.class, () -> features.withIdr0(SmmuRegisters.IDR0_HTTU, 3));
    assertEquals(48, features.withOutputBits(48).outputBits());
    assertEquals(52, features.withOutputBits(52).outputBits());
  }
}
