package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViBench.FEE;
import static dev.doorbell.hw.amdvi.AmdViBench.read;
import static dev.doorbell.hw.amdvi.AmdViBench.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Tables, commands and registers are written word by word here, as the manual prints them.
class AmdViModelTest {
  private static final long DEVICES = 0x100_0000;
  private static final long COMMANDS = 0x20_0000;
  private static final long EVENTS = 0x21_0000;
  private static final long ROOT = 0x30_0000;
  private static final long IRT = 0x40_0000;
  private static final int DEVICE = 0x108;
  private static final long V_TV = 3;
  private static final long IR_IW = 3L << 61;
  private static final long REMAP = 1 | 9 << 1 | IRT | 2L << 60;

  private final PlainMemory memory = new PlainMemory(0, 1L << 30);
  private final List<String> arrived = new ArrayList<>();
  private final List<Boolean> line = new ArrayList<>();
  private final AmdViModel model =
      new AmdViModel(
          AmdViFeatures.all(),
          memory,
          (destination, command, wide) ->
              arrived.add("0x%x 0x%x%s".formatted(destination, command, wide ? " wide" : "")),
          line::add);

  AmdViModelTest() {
    set(AmdViRegisters.DEV_TAB_BASE_REG, DEVICES | 0x1ff);
    set(AmdViRegisters.CMD_BUF_BASE_REG, COMMANDS | 8L << 56);
    set(AmdViRegisters.EVENT_BASE_REG, EVENTS | 8L << 56);
    set(AmdViRegisters.CONTROL_REG, 1 | 1 << 2 | 1 << 12);
  }

  private void set(Register register, long value) {
    assertEquals(BusOutcome.OK, model.write(register.offset(), value, 8, SystemBus.CPU));
  }

  private long get(Register register) {
    return model.read(register.offset(), 8).value();
  }

  private void dte(int device, long w0, long w1, long w2) {
    long at = DEVICES + 32L * device;
    memory.write64(at, w0);
    memory.write64(at + 8, w1);
    memory.write64(at + 16, w2);
  }

  /// Puts a command into the buffer and tells of it.
  private void command(long w0, long w1) {
    long tail = get(AmdViRegisters.CMD_TAIL_REG);
    memory.write64(COMMANDS + tail, w0);
    memory.write64(COMMANDS + tail + 8, w1);
    set(AmdViRegisters.CMD_TAIL_REG, tail + 16 & 0xfff);
  }

  /// {@return first words of the events since the last call, without DeviceID, and their addresses}
  private String event() {
    long head = get(AmdViRegisters.EVENT_HEAD_REG);
    if (head == get(AmdViRegisters.EVENT_TAIL_REG)) {
      return "none";
    }
    long w0 = memory.read64(EVENTS + head);
    long w1 = memory.read64(EVENTS + head + 8);
    set(AmdViRegisters.EVENT_HEAD_REG, head + 16 & 0xfff);
    assertEquals(w0 >>> 60 == 5 || w0 >>> 60 == 6 ? 0 : DEVICE, w0 & 0xffff);
    return "%x domain %x flags %03x at %x"
        .formatted(w0 >>> 60, w0 >>> 32 & 0xffff, w0 >>> 48 & 0xfff, w1);
  }

  @ParameterizedTest(name = "DTE[0] {0}, DTE[1] {1}: {2}, {3}")
  @DisplayName(
      "48882 2.2.2.1, 2.5: what a device table entry does with a write, and what is logged")
  @CsvSource({
    "0000000000000000, 0000, 1010, none",
    "0000000000000002, 0000, 1010, none",
    "0000000000000001, 0005, -1, 2 domain 5 flags 020 at 1010",
    "6000000000000003, 0005, 1010, none",
    "2000000000000003, 0005, -1, 2 domain 5 flags 070 at 1010",
    "6000000000000e03, 0005, -1, 1 domain 0 flags 020 at 1010",
    "6000000000000007, 0005, -1, 1 domain 0 flags 0a0 at 1010",
    "e000000000000003, 0005, -1, 1 domain 0 flags 0a0 at 1010",
    "6080000000000003, 0005, -1, 1 domain 0 flags 0a0 at 1010",
    "6000000000300803, 0005, -1, 2 domain 5 flags 020 at 1010",
    "6000000000300803, 400000005, -1, none",
    "60000fffffff0803, 0005, -1, 4 domain 5 flags 420 at fffffff0000",
  })
  void entries(String w0, String w1, String pa, String event) {
    dte(DEVICE, Long.parseUnsignedLong(w0, 16), Long.parseLong(w1, 16), 0);
    assertEquals(Long.parseLong(pa, 16), write(model, DEVICE, 0x1010));
    assertEquals(event, event());
    assertEquals("none", event());
  }

  @ParameterizedTest(name = "entry {0} of level {1}: {2}, {3}")
  @DisplayName("48882 2.2.3: what an entry of a host page table does with a write to 0x5010")
  @CsvSource({
    "0000000000000000, 1, -1, 2 domain 7 flags 020 at 5010",
    "6000000000009001, 1, 9010, none",
    "4000000000009001, 1, 9010, none",
    "2000000000009001, 1, -1, 2 domain 7 flags 070 at 5010",
    "6000000000009003, 1, 9010, none",
    "6010000000009001, 1, -1, 2 domain 7 flags 0b0 at 5010",
    "6000000000008e01, 1, 9010, none",
    "600000000000be01, 1, d010, none",
    "6000000000200001, 2, 205010, none",
    "60000000000ffe01, 2, -1, 2 domain 7 flags 030 at 5010",
    "60000000001ffe01, 2, 5010, none",
    "6000000000009201, 1, -1, 2 domain 7 flags 030 at 5010",
    "6000000000009401, 2, -1, 2 domain 7 flags 030 at 5010",
    "6000000000000001, 3, 5010, none",
    "6000fffffffff201, 2, -1, 4 domain 7 flags 420 at fffffffff028",
  })
  void pages(String entry, int level, String pa, String event) {
    dte(DEVICE, V_TV | IR_IW | (long) level << 9 | ROOT, 7, 0);
    memory.write64(ROOT + (level == 1 ? 5 * 8 : 0), Long.parseUnsignedLong(entry, 16));
    assertEquals(Long.parseLong(pa, 16), write(model, DEVICE, 0x5010));
    assertEquals(event, event());
  }

  @Test
  @DisplayName("48882 2.2.3: NextLevel may leave levels out where the address has zeros")
  void skippedLevels() {
    dte(DEVICE, V_TV | IR_IW | 6L << 9 | ROOT, 7, 0);
    memory.write64(ROOT, IR_IW | 0x31_0000 | 1 << 9 | 1);
    memory.write64(0x31_0000 + 5 * 8, IR_IW | 0x9000 | 1);
    assertEquals(0x9008, write(model, DEVICE, 0x5008));
    assertEquals(Translator.FAULT, write(model, DEVICE, 0x20_5008));
    assertEquals("2 domain 7 flags 030 at 205008", event());
  }

  @ParameterizedTest(name = "DTE[2] {0}, IRTE {1}, datum {2}: {3}, {4}")
  @DisplayName("48882 2.2.5, 2.5: what becomes of an interrupt message")
  @CsvSource({
    "0000000000000000, 00000000, 0041, 0x7 0x41, none",
    "0000000000000001, 00000000, 0041, '', 2 domain 0 flags 008 at fee07000",
    "1000000000000001, 00000000, 0041, 0x7 0x41, none",
    "3000000000000001, 00000000, 0041, '', 1 domain 0 flags 088 at fee07000",
    "2000000000400013, 00310301, 0005, 0x3 0x31, none",
    "2000000000400013, 00310345, 0005, 0x3 0x931, none",
    "2000000000400013, 00310341, 0005, 0x3 0x831, none",
    "2000000000400013, 00310309, 0005, '', 2 domain 0 flags 098 at fee07000",
    "2000000000400013, 01310301, 0005, '', 2 domain 0 flags 098 at fee07000",
    "2000000000400013, 00310381, 0005, '', 2 domain 0 flags 098 at fee07000",
    "2000000000400013, 00310300, 0005, '', 2 domain 0 flags 008 at fee07000",
    "2000000000400013, 00310302, 0005, '', none",
    "2000000000400033, 00310300, 0005, '', none",
    "2000000000400005, 00310301, 0005, '', 2 domain 0 flags 008 at fee07000",
    "2000000000400007, 00310301, 0005, 0x3 0x31, none",
    "2000000000400019, 00310301, 0005, '', 1 domain 0 flags 088 at fee07000",
    "2010000000400013, 00310301, 0005, '', 1 domain 0 flags 088 at fee07000",
    "2000000000400013, 00310301, 0405, '', 2 domain 0 flags 008 at fee07000",
    "2400000000400013, 00310301, 0405, 0x7 0x405, none",
    "2100000000400013, 00310301, 0505, 0x7 0x505, none",
    "2200000000400013, 00310301, 0705, 0x7 0x705, none",
    "200ffffffff00013, 00310301, 0005, '', 4 domain 0 flags 408 at ffffffff00014",
  })
  void interrupts(String w2, String irte, String datum, String out, String event) {
    dte(DEVICE, V_TV, 0, Long.parseUnsignedLong(w2, 16));
    memory.write32(IRT + 5 * 4, Integer.parseUnsignedInt(irte, 16));
    boolean sent =
        model.message(DEVICE, FEE | 0x7000, Integer.parseInt(datum, 16), 4) == BusOutcome.OK;
    assertEquals(out.isEmpty() ? List.of() : List.of(out), arrived);
    assertEquals(!out.isEmpty(), sent);
    assertEquals(event, event());
  }

  @Test
  @DisplayName(
      "48882 2.2.5.2: with GAEn entries have 16 bytes; with XTEn their destinations 32 bits")
  void wide() {
    dte(DEVICE, V_TV, 0, REMAP);
    memory.write64(IRT + 5 * 16, 0x1234_5601L);
    memory.write64(IRT + 5 * 16 + 8, 0xaa00_0000_0000_0031L);
    set(AmdViRegisters.CONTROL_REG, get(AmdViRegisters.CONTROL_REG) | 1 << 17);
    model.message(DEVICE, FEE, 5, 4);
    command(5L << 60 | DEVICE, 0);
    set(AmdViRegisters.CONTROL_REG, get(AmdViRegisters.CONTROL_REG) | 1L << 50);
    model.message(DEVICE, FEE, 5, 4);
    assertEquals(List.of("0x56 0x31", "0xaa123456 0x31 wide"), arrived);
  }

  @Test
  @DisplayName(
      "48882 2.1.4: accesses to the interrupt address range meet no table; a read there is an invalid request")
  void interruptRange() {
    dte(DEVICE, V_TV | IR_IW | 1L << 9 | ROOT, 7, 0);
    memory.write64(ROOT, IR_IW | FEE | 1);
    assertTrue(model.isMessage(0xfee0_0000L));
    assertTrue(model.isMessage(0xfeef_ffffL));
    assertFalse(model.isMessage(0xfef0_0000L));
    assertFalse(model.isMessage(0x1_fee0_0000L));
    assertEquals(Translator.FAULT, read(model, DEVICE, FEE));
    assertEquals("8 domain 0 flags 000 at fee00000", event());
    assertEquals(Translator.FAULT, write(model, DEVICE, 0x10), "tables make no interrupt");
  }

  @ParameterizedTest
  @DisplayName(
      "48882 3.4.1 ExclBase: accesses of the range pass, of every device or of those with EX=1")
  @CsvSource({
    "3, 0, 5ff8, 5ff8",
    "3, 0, 6000, -1",
    "3, 0, 3ff8, -1",
    "1, 0, 4000, -1",
    "1, 8000000000, 4000, 4000",
    "2, 8000000000, 4000, -1"
  })
  void exclusion(long flags, String w1, String iova, String pa) {
    set(AmdViRegisters.EXCL_BASE_REG, 0x4000 | flags);
    set(AmdViRegisters.EXCL_LIMIT_REG, 0x5000);
    dte(DEVICE, V_TV, Long.parseLong(w1, 16), 0);
    assertEquals(Long.parseLong(pa, 16), write(model, DEVICE, Long.parseLong(iova, 16)));
  }

  @Test
  @DisplayName("48882 2.2.2.1 SE: one fault is logged until the entry is fetched anew")
  void suppressed() {
    dte(DEVICE, V_TV, 1L << 33, 0);
    write(model, DEVICE, 0x1000);
    write(model, DEVICE, 0x2000);
    assertEquals("2 domain 0 flags 070 at 1000", event());
    assertEquals("none", event());
    command(2L << 60 | DEVICE, 0);
    write(model, DEVICE, 0x3000);
    assertEquals("2 domain 0 flags 070 at 3000", event());
  }

  @Test
  @DisplayName("48882 2.2.1: a device id beyond the table is a fault, and nothing is read there")
  void beyond() {
    set(AmdViRegisters.DEV_TAB_BASE_REG, DEVICES | 1);
    dte(DEVICE, V_TV | IR_IW, 0, 0);
    assertEquals(Translator.FAULT, write(model, DEVICE, 0x1000));
    assertEquals("2 domain 0 flags 020 at 1000", event());
    model.message(DEVICE, FEE, 0x41, 4);
    assertEquals("2 domain 0 flags 028 at fee00000", event());
    set(AmdViRegisters.DEV_TAB_BASE_REG, 1L << 40 | 0x1ff);
    assertEquals(Translator.FAULT, write(model, DEVICE, 0x1000));
    assertEquals("3 domain 0 flags 420 at 10000002100", event());
    assertEquals(3L << 60 | 0x420L << 48 | DEVICE, get(AmdViRegisters.HW_EVENT_HIGH_REG));
    assertEquals(1, get(AmdViRegisters.HW_EVENT_REG));
    set(AmdViRegisters.HW_EVENT_REG, 1);
    assertEquals(0, get(AmdViRegisters.HW_EVENT_REG));
  }

  @ParameterizedTest(name = "{0} {1}")
  @DisplayName(
      "48882 2.4, 2.5.5: an illegal command is logged and stops the buffer until CmdBufEn is set anew")
  @CsvSource({
    "0000000000000000, 0",
    "9000000000000000, 0",
    "6000000000000108, 0",
    "7000000000010108, 0",
    "7010000000000108, 0",
    "7000000000000108, 1",
    "7000000000000108, 8796093022208",
    "1010000000000000, 0",
    "2000000000010108, 0",
    "2000000000000108, 1",
    "3000000000100000, 0",
    "3000000000000000, 8",
    "4000000000000108, 2",
    "5000000100000108, 0",
    "8000000000000001, 0",
  })
  void illegal(String w0, long w1) {
    command(1L << 60, 0);
    assertEquals(0x10, get(AmdViRegisters.CMD_HEAD_REG));
    command(Long.parseUnsignedLong(w0, 16), w1);
    assertEquals("5 domain 0 flags 000 at 200010", event());
    assertFalse(AmdViRegisters.CMD_BUF_RUN.isSet(get(AmdViRegisters.STATUS_REG)));
    command(1L << 60, 0);
    assertEquals(0x10, get(AmdViRegisters.CMD_HEAD_REG), "it stays at the command");
    memory.write64(COMMANDS + 0x10, 1L << 60 | 1 | 0x7000);
    memory.write64(COMMANDS + 0x18, 0x1234);
    long control = get(AmdViRegisters.CONTROL_REG);
    set(AmdViRegisters.CONTROL_REG, control & ~(1L << 12));
    set(AmdViRegisters.CONTROL_REG, control);
    assertEquals(0x30, get(AmdViRegisters.CMD_HEAD_REG));
    assertEquals(0x1234, memory.read64(0x7000));
  }

  @Test
  @DisplayName(
      "48882 2.4.1, 2.5.6: a command that cannot be read, or stored for, is an error of hardware")
  void hardwareError() {
    command(1L << 60 | 1 | 1L << 50, 0);
    assertEquals("6 domain 0 flags 400 at 200000", event());
    assertFalse(AmdViRegisters.CMD_BUF_RUN.isSet(get(AmdViRegisters.STATUS_REG)));
  }

  @Test
  @DisplayName(
      "48882 2.5: a full event log stops with EventOverflow; both interrupts reach their line")
  void overflow() {
    set(AmdViRegisters.CONTROL_REG, get(AmdViRegisters.CONTROL_REG) | 1 << 3 | 1 << 4);
    dte(DEVICE, V_TV, 0, 0);
    for (int i = 0; i < 300; i++) {
      write(model, DEVICE, 0x1000L * i);
    }
    assertEquals(0xff0, get(AmdViRegisters.EVENT_TAIL_REG), "one less than 256");
    assertEquals(0b10011, get(AmdViRegisters.STATUS_REG), "overflow, interrupt, and commands run");
    assertFalse(line.isEmpty());
    line.clear();
    command(1L << 60 | 2, 0);
    assertEquals(List.of(true, false), line);
    assertEquals(0b10111, get(AmdViRegisters.STATUS_REG));
    set(AmdViRegisters.STATUS_REG, 0b111);
    assertEquals(0b10000, get(AmdViRegisters.STATUS_REG));
  }

  @Test
  @DisplayName(
      "48882 3.4: reserved and unsupported bits stay zero, halves can be accessed, other sizes not")
  void registers() {
    set(AmdViRegisters.CONTROL_REG, -1L);
    assertEquals(AmdViFeatures.all().control(), get(AmdViRegisters.CONTROL_REG));
    set(AmdViRegisters.EXT_FEATURE_REG, 0);
    assertEquals(AmdViFeatures.all().extFeature(), get(AmdViRegisters.EXT_FEATURE_REG));
    set(AmdViRegisters.CMD_TAIL_REG, 0);
    set(AmdViRegisters.CMD_BUF_BASE_REG, 3L << 56);
    assertEquals(8L << 56, get(AmdViRegisters.CMD_BUF_BASE_REG), "256 is the least");
    assertEquals(BusOutcome.OK, model.write(0x24, 0x5, 4, SystemBus.CPU));
    assertEquals(5L << 32, get(AmdViRegisters.EXCL_BASE_REG));
    assertEquals(BusOutcome.ERROR, model.write(0x22, 0x5, 2, SystemBus.CPU));
    assertEquals(BusOutcome.ERROR, model.read(0x4000, 8).outcome());
    assertEquals(BusOutcome.ERROR, model.read(0x21, 8).outcome());
    assertEquals(0, model.read(0x1ff8, 8).value());
  }

  @Test
  @DisplayName("A disabled IOMMU lets accesses and interrupts pass")
  void disabled() {
    dte(DEVICE, V_TV, 0, 1);
    set(AmdViRegisters.CONTROL_REG, 0);
    assertEquals(0x1000, write(model, DEVICE, 0x1000));
    model.message(DEVICE, FEE | 0x7000, 0x41, 4);
    assertEquals(List.of("0x7 0x41"), arrived);
  }
}
