package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusErrorException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("qtest, QMP and shared RAM against a real QEMU")
class QtestTest {
  private static final long GICD = 0x0800_0000L;
  private static final long GITS_TYPER = 0x0808_0008L;
  private static final long AT = 0x4100_0000L;

  private static QemuProcess qemu;

  @BeforeAll
  static void start() {
    qemu = Qemus.virt();
  }

  @AfterAll
  static void stop() {
    if (qemu != null) {
      qemu.close();
    }
  }

  @Test
  @DisplayName("registers of both widths are read and written in one access")
  void registers() {
    assertEquals(0x1f0001efb1L, qemu.qtest().read(GITS_TYPER, 8));
    qemu.qtest().write(GICD, 0x10, 4);
    assertEquals(0x10, qemu.qtest().read(GICD, 4) & 0x10);
    assertTrue(qemu.version().isAtLeast(7, 2));
  }

  @Test
  @DisplayName(
      "what this process writes to RAM QEMU reads, and the other way round, in every size and in blocks")
  void sharedRam() {
    for (int bytes : new int[] {1, 2, 4, 8}) {
      qemu.ram().write(AT + bytes, 0, 1);
      qemu.ram().write(AT + bytes * 8L, 0x8182_8384_8586_8788L, bytes);
      long expected = 0x8182_8384_8586_8788L & (-1L >>> (64 - bytes * 8));
      assertEquals(expected, qemu.qtest().read(AT + bytes * 8L, bytes));
      qemu.qtest().write(AT + bytes * 8L, ~expected, bytes);
      assertEquals(~expected & (-1L >>> (64 - bytes * 8)), qemu.ram().read(AT + bytes * 8L, bytes));
    }
    byte[] block = new byte[100_001];
    new Random(1).nextBytes(block);
    qemu.qtest().write(AT + 0x1000, block);
    byte[] back = new byte[block.length];
    qemu.ram().read(AT + 0x1000, back);
    assertArrayEquals(block, back);
    qemu.ram().fill(AT + 0x1000, 50, (byte) 7);
    qemu.qtest().fill(AT + 0x1000 + 50, 50, (byte) 9);
    byte[] mixed = new byte[block.length];
    qemu.qtest().read(AT + 0x1000, mixed);
    assertEquals(7, mixed[49]);
    assertEquals(9, mixed[50]);
    assertEquals(block[100], mixed[100]);
  }

  @Test
  @DisplayName(
      "an access beside RAM or across its end is a bus error here, and nothing reaches QEMU")
  void besideRam() {
    assertThrows(BusErrorException.class, () -> qemu.ram().read(Qemus.RAM.last() - 3, 8));
    assertThrows(BusErrorException.class, () -> qemu.ram().read(Qemus.RAM.last() + 1, 1));
    assertThrows(BusErrorException.class, () -> qemu.ram().write(Qemus.RAM.start() - 8, 1, 8));
    assertThrows(BusErrorException.class, () -> qemu.ram().read(AT + 2, 4));
    assertThrows(BusErrorException.class, () -> qemu.ram().fill(AT, -1, (byte) 0));
  }

  @Test
  @DisplayName(
      "a batch of thousands of accesses keeps their order, and its answers go to the right reads")
  void batch() {
    QtestBatch batch = qemu.qtest().batch();
    for (int round = 0; round < 3; round++) {
      batch.clear();
      List<Integer> reads = new ArrayList<>();
      for (int i = 0; i < 5000; i++) {
        batch.write(AT, i + round, 8);
        reads.add(batch.read(AT, 4));
      }
      batch.run();
      for (int i = 0; i < 5000; i++) {
        assertEquals(i + round, batch.value(reads.get(i)));
      }
    }
    assertThrows(IllegalArgumentException.class, () -> batch.value(0));
    assertThrows(IllegalStateException.class, () -> batch.read(AT, 4));
  }

  @Test
  @DisplayName("runs of bytes in a batch keep their place among its other accesses")
  void blocksInBatch() {
    QtestBatch batch = qemu.qtest().batch();
    List<Integer> reads = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      byte[] block = new byte[1 + i];
      block[0] = (byte) i;
      block[i] |= (byte) 0x80;
      batch.write(AT, block);
      reads.add(batch.read(AT, 1));
      reads.add(batch.read(AT + i, 1));
    }
    batch.run();
    for (int i = 0; i < 500; i++) {
      int first = i == 0 ? 0x80 : i & 0xff;
      assertEquals(first, batch.value(reads.get(2 * i)), "first byte of block " + i);
      assertEquals(i == 0 ? first : 0x80, batch.value(reads.get(2 * i + 1)), "last byte of " + i);
    }
    batch.clear();
    assertThrows(IllegalArgumentException.class, () -> batch.write(AT, new byte[0]));
  }

  @Test
  @DisplayName("a fill in a batch keeps its place among its other accesses, and reaches no further")
  void fillInBatch() {
    QtestBatch batch = qemu.qtest().batch();
    batch.write(AT, 0x1111_1111_1111_1111L, 8);
    batch.write(AT + 8, 0x2222_2222_2222_2222L, 8);
    batch.fill(AT + 4, 8, (byte) 0x80);
    int low = batch.read(AT, 8);
    int high = batch.read(AT + 8, 8);
    batch.write(AT + 4, 0x33, 1);
    int changed = batch.read(AT, 8);
    batch.run();
    assertEquals(0x8080_8080_1111_1111L, batch.value(low));
    assertEquals(0x2222_2222_8080_8080L, batch.value(high));
    assertEquals(0x8080_8033_1111_1111L, batch.value(changed));
    batch.clear();
    assertThrows(IllegalArgumentException.class, () -> batch.fill(AT, 0, (byte) 0));
  }

  @Test
  @DisplayName(
      "a command that QEMU does not have, or cannot do, is a refusal, and the connection goes on")
  void refused() {
    QemuRefused e =
        assertThrows(QemuRefused.class, () -> qemu.qtest().command("no_such_command 1"));
    assertTrue(e.getMessage().contains("no_such_command"), e.getMessage());
    assertThrows(QemuRefused.class, () -> qemu.qmp().execute("no-such-command", Map.of()));
    assertEquals(0x1f0001efb1L, qemu.qtest().read(GITS_TYPER, 8));
    assertTrue(qemu.qmp().monitor("info status").contains("paused"));
  }

  @Test
  @DisplayName(
      "the machine's byte order is told, and clocks are stepped by an accelerator that can only")
  void endianAndClock() {
    assertEquals(java.nio.ByteOrder.LITTLE_ENDIAN, qemu.qtest().byteOrder());
    QemuRefused step = assertThrows(QemuRefused.class, () -> qemu.qtest().clockStep(1000));
    assertTrue(step.getMessage().contains("clock_step 1000"), step.getMessage());
    assertThrows(QemuRefused.class, () -> qemu.qtest().clockSet(1000));
    assertThrows(IllegalArgumentException.class, () -> qemu.qtest().clockStep(-1));
    assertThrows(IllegalArgumentException.class, () -> qemu.qtest().clockSet(-1));
    assertEquals(0x1f0001efb1L, qemu.qtest().read(GITS_TYPER, 8));
  }

  @Test
  @DisplayName("system_reset puts registers back and keeps RAM")
  void reset() {
    qemu.ram().write64(AT + 0x100, 0x1234);
    qemu.qtest().write(GICD, 0x37, 4);
    qemu.reset();
    assertEquals(0x1234, qemu.ram().read64(AT + 0x100));
    assertEquals(0, qemu.qtest().read(GICD, 4) & 0x7);
  }

  @Test
  @DisplayName("one device is watched; a second one is refused")
  void interrupts() {
    List<String> heard = new ArrayList<>();
    qemu.qtest()
        .interceptInputs("/machine/unattached/device[0]", (i, up) -> heard.add(i + " " + up));
    QemuRefused e =
        assertThrows(
            QemuRefused.class,
            () -> qemu.qtest().interceptInputs("/machine/unattached/device[1]", (i, up) -> {}));
    assertTrue(e.getMessage().contains("already enabled"), e.getMessage());
    assertEquals(List.of(), heard);
  }
}
