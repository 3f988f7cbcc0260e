package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuBench.COMMANDS;
import static dev.doorbell.hw.smmuv3.SmmuBench.SID;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import dev.doorbell.testkit.RawSmmu;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("IHI 0070 3.5: queues")
class SmmuQueuesTest {
  private static final long GERROR = 0x60;
  private static final long GERRORN = 0x64;
  private static final long CONS = 0x9c;

  @Test
  @DisplayName("IHI 0070 3.5.1: the command queue wraps again and again")
  void wraps() {
    SmmuBench bench = new SmmuBench().start();
    for (int i = 0; i < 300; i++) {
      bench.command(RawSmmu.sync());
      bench.commandsDone();
    }
  }

  @Test
  @DisplayName("IHI 0070 3.5.1: a full queue is consumed whole")
  void full() {
    SmmuBench bench = new SmmuBench();
    bench.write64(0x90, COMMANDS | SmmuBench.COMMANDS_LOG2);
    for (int i = 0; i < 64; i++) {
      bench.command(RawSmmu.syncMsi(0, 0));
    }
    assertEquals(0, bench.edges.size());
    bench.write32(0x20, 8);
    assertEquals(64, bench.edges.size());
    assertEquals(64, bench.read32(CONS), "RD index 0, wrap bit set");
  }

  @ParameterizedTest(name = "word 0 = {0}")
  @DisplayName(
      "IHI 0070 7.1: an illegal command stops the queue: CERROR_ILL, GERROR.CMDQ_ERR, until GERRORN")
  @ValueSource(
      strings = {
        "0x0", "0x7", "0x18", "0x1a", "0x20", "0x21", "0x22", "0x23", "0x40", "0x41", "0x44",
        "0x45", "0x50", "0x60", "0xff", "0x446", "0x3046", "0x403"
      })
  void illegal(String word) {
    SmmuBench bench = new SmmuBench().start();
    long at = bench.read32(CONS);
    bench.edges.clear();
    bench.command(Long.decode(word), 0);
    assertEquals(at | 1L << 24, bench.read32(CONS), "RD stays, ERR = CERROR_ILL");
    assertEquals(1, bench.read32(GERROR) ^ bench.read32(GERRORN));
    assertEquals(List.of("gerror"), bench.edges);
    bench.command(RawSmmu.syncMsi(0, 0));
    assertEquals(at | 1L << 24, bench.read32(CONS), "stopped");
    // Recovery as Linux does it: overwrite the command, acknowledge.
    bench.memory.write64(COMMANDS + 16 * (at & 63), 0x46);
    bench.write32(GERRORN, bench.read32(GERROR));
    assertEquals((at + 2) | 1L << 24, bench.read32(CONS), "ERR keeps what it was");
    assertEquals(List.of("gerror", "sync"), bench.edges);
    bench.command(0xff, 0);
    assertEquals(0, bench.read32(GERROR) & 1, "toggled back");
    assertEquals(1, bench.read32(GERRORN) & 1);
  }

  @ParameterizedTest(name = "{0} without stage 2")
  @DisplayName("IHI 0070 4.4: stage 2 commands are illegal without stage 2")
  @ValueSource(strings = {"0x28", "0x2a"})
  void illegalWithoutStage2(String opcode) {
    SmmuBench bench = new SmmuBench(SmmuFeatures.qemu72()).start();
    bench.command(Long.decode(opcode), 0);
    assertEquals(1, bench.read32(CONS) >>> 24);
  }

  @Test
  @DisplayName("IHI 0070 4.4.1: TG without NUM, SCALE and TTL is reserved")
  void reservedRange() {
    SmmuBench bench = new SmmuBench().start();
    bench.command(RawSmmu.tlbiRange(RawSmmu.tlbi(0x12, 0, 1, 0x1000, true), 1, 0, 0, 0));
    assertEquals(1, bench.read32(CONS) >>> 24);
  }

  @Test
  @DisplayName(
      "IHI 0070 4.4.1.1: with 16 KiB granules TTL 1 counts as none, so that it alone is reserved, too")
  void reservedLevelOf16K() {
    SmmuBench bench = new SmmuBench().start();
    bench.command(RawSmmu.tlbiRange(RawSmmu.tlbi(0x12, 0, 1, 0x4000, true), 2, 0, 0, 1));
    assertEquals(1, bench.read32(CONS) >>> 24);
  }

  @Test
  @DisplayName("IHI 0070 7.1: a command that cannot be fetched: CERROR_ABT")
  void commandAbort() {
    SmmuBench bench = new SmmuBench();
    bench.write64(0x90, 0x10_0000 | 4);
    bench.write32(0x20, 8);
    bench.write32(0x98, 1);
    assertEquals(2L << 24, bench.read32(CONS));
    assertEquals(1, bench.read32(GERROR) ^ bench.read32(GERRORN));
  }

  @Test
  @DisplayName(
      "IHI 0070 7.4: 128 events fit into 128 entries; the next sets OVFLG once; room takes records again")
  void overflow() {
    SmmuBench bench = new SmmuBench().start();
    bench.stage1(SID, 1, 39, 12);
    bench.edges.clear();
    for (int i = 0; i < 128; i++) {
      assertEquals(Translator.FAULT, bench.read(0x1000L * i));
    }
    assertEquals(128, bench.read32(0x100a8), "full: wrap bit, no overflow yet");
    assertEquals(List.of("event"), bench.edges, "one interrupt: it became non-empty once");
    bench.read(0xdead000);
    bench.read(0xdead000);
    assertEquals(0x8000_0000L | 128, bench.read32(0x100a8));
    assertEquals(2, bench.edges.size());
    for (int i = 0; i < 128; i++) {
      assertEquals(0x1000L * i, bench.event()[2]);
    }
    bench.read(0xbeef000);
    assertEquals(0xbeef000, bench.event()[2]);
    assertEquals(0x8000_0000L, bench.read32(0x100a8) & 0x8000_0000L);
  }

  @Test
  @DisplayName("IHI 0070 7.2: an event that cannot be written: GERROR.EVENTQ_ABT_ERR, PROD stays")
  void eventAbort() {
    SmmuBench bench = new SmmuBench();
    bench.write32(0x88, 16);
    bench.write64(0x80, SmmuBench.STREAMS);
    bench.write64(0xa0, 0x10_0000 | 4);
    bench.write32(0x20, 5);
    assertEquals(Translator.FAULT, bench.read(0));
    assertEquals(4, bench.read32(GERROR) ^ bench.read32(GERRORN));
    assertEquals(0, bench.read32(0x100a8));
  }

  @Test
  @DisplayName("IHI 0070 7.2: events are lost while EVENTQEN is 0")
  void disabledEvents() {
    SmmuBench bench = new SmmuBench().start();
    bench.write32(0x20, 9);
    assertEquals(Translator.FAULT, bench.read(0));
    bench.noEvent();
  }

  @Test
  @DisplayName("IHI 0070 4.7.3: CMD_SYNC with an MSI writes its data")
  void syncMsi() {
    SmmuBench bench =
        new SmmuBench(SmmuFeatures.qemu10().withIdr0(SmmuRegisters.IDR0_MSI, 1)).start();
    bench.command(RawSmmu.syncMsi(0x4000_1000L, 0xcafe));
    assertEquals(1, bench.msis.size());
    assertEquals(0x4000_1000L, bench.msis.getFirst()[0]);
    assertEquals(0xcafe, bench.msis.getFirst()[1]);
    assertEquals(4, bench.msis.getFirst()[2]);
    bench.busAnswer = BusOutcome.ERROR;
    bench.command(RawSmmu.syncMsi(0x4000_1000L, 0xcafe));
    assertEquals(1L << 4, bench.read32(GERROR) ^ bench.read32(GERRORN), "MSI_CMDQ_ABT_ERR");
    bench.commandsDone();
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("IHI 0070 3.18: event and error interrupts as MSIs, with the SMMU's DeviceID")
  @CsvSource({"event,0xb0,0xb8", "gerror,0x68,0x70"})
  void ownMsis(String which, String address, String data) {
    SmmuBench bench = new SmmuBench(SmmuFeatures.qemu10().withIdr0(SmmuRegisters.IDR0_MSI, 1));
    bench.write64(Long.decode(address), 0x808_0040L);
    bench.write32(Long.decode(data), 3);
    bench.start();
    bench.write32(0x50, 5);
    if (which.equals("event")) {
      bench.read(0);
    } else {
      bench.command(0xff, 0);
    }
    assertEquals(1, bench.msis.size());
    assertEquals(0x808_0040L, bench.msis.getFirst()[0]);
    assertEquals(3, bench.msis.getFirst()[1]);
    assertEquals(0x77, bench.msis.getFirst()[3]);
    assertEquals(List.of(), bench.edges);
    bench.write64(Long.decode(address), 0);
    assertEquals(
        0x808_0040L, bench.smmu.read(Long.decode(address), 8).value(), "fixed while enabled");
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName(
      "IHI 0070 6.3.18: an MSI of the SMMU's own that ends in an abort is an error of its kind, told once, and the SMMU goes on")
  @CsvSource({"event,0xb0,0xb8,5", "gerror,0x68,0x70,7"})
  void abortedMsis(String which, String address, String data, int bit) {
    SmmuBench bench = new SmmuBench(SmmuFeatures.qemu10().withIdr0(SmmuRegisters.IDR0_MSI, 1));
    bench.write64(Long.decode(address), 0x808_0040L);
    bench.write32(Long.decode(data), 3);
    bench.start();
    bench.write32(0x50, 5);
    bench.busAnswer = BusOutcome.ERROR;
    boolean event = which.equals("event");
    if (event) {
      bench.read(0);
    } else {
      bench.command(0xff, 0);
    }
    long commandError = event ? 0 : 1;
    assertEquals(1L << bit | commandError, bench.read32(GERROR) ^ bench.read32(GERRORN));
    bench.write32(GERRORN, bench.read32(GERROR));
    assertEquals(
        event ? 0 : 1L << bit | 1,
        bench.read32(GERROR) ^ bench.read32(GERRORN),
        "acknowledged; a command that stays illegal is an error again");
  }

  @Test
  @DisplayName("IHI 0070 6.3 IRQ_CTRL: no interrupt while IRQ_CTRL says so")
  void maskedInterrupts() {
    SmmuBench bench = new SmmuBench().start();
    bench.write32(0x50, 0);
    bench.edges.clear();
    bench.read(0);
    bench.command(0xff, 0);
    assertEquals(List.of(), bench.edges);
  }
}
