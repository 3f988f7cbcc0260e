package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "qtest with a peer that answers as QEMU may and the QEMU at hand does not: late, in one go, big-endian, with a clock, refusing")
@Timeout(120)
class QtestPeerTest {
  @TempDir Path folder;

  @Test
  @DisplayName(
      "answers that come only when a hundred accesses have been sent: a batch does not wait for one before it sends the next")
  void together() throws IOException {
    try (QemuProcess qemu =
        Qemus.start(FakeQemu.script(folder, "together"), Duration.ofSeconds(20))) {
      QtestBatch batch = qemu.qtest().batch();
      for (int i = 0; i < FakeQemu.TOGETHER; i++) {
        assertEquals(i, batch.read(0x800_0000L + i * 4L, 4));
      }
      batch.run();
      for (int i = 0; i < FakeQemu.TOGETHER; i++) {
        assertEquals(i, batch.value(i));
      }
    }
  }

  @Test
  @DisplayName("a machine whose values are big-endian says so")
  void bigEndian() throws IOException {
    try (QemuProcess qemu = Qemus.start(FakeQemu.script(folder, "big"), Qemus.PATIENCE)) {
      assertEquals(ByteOrder.BIG_ENDIAN, qemu.qtest().byteOrder());
    }
  }

  @Test
  @DisplayName(
      "clocks: nanoseconds are sent as they are, and the time that is answered is returned")
  void clocks() throws IOException {
    try (QemuProcess qemu = Qemus.start(FakeQemu.script(folder, "clock"), Qemus.PATIENCE)) {
      assertEquals(1_000_000_007, qemu.qtest().clockStep(1_000_000_000L));
      assertEquals(2_000_000_007, qemu.qtest().clockSet(2_000_000_000L));
      QemuGarbled e = assertThrows(QemuGarbled.class, () -> qemu.qtest().clockStep(0));
      assertTrue(e.getMessage().contains("'clock_step 0'"), e.getMessage());
    }
  }

  @Test
  @DisplayName(
      "a batch whose first access is refused: what answers the others is taken, and the next access has its own answer")
  void refusedInBatch() throws IOException {
    try (QemuProcess qemu = Qemus.start(FakeQemu.script(folder, "refuses"), Qemus.PATIENCE)) {
      QtestBatch batch = qemu.qtest().batch();
      for (int i = 0; i < 3; i++) {
        assertEquals(i, batch.read(0x800_0000L, 4));
      }
      QemuRefused e = assertThrows(QemuRefused.class, batch::run);
      assertTrue(e.getMessage().contains("readl 0x8000000"), e.getMessage());
      assertEquals(7, qemu.qtest().read(0x800_0004L, 4));
    }
  }
}
