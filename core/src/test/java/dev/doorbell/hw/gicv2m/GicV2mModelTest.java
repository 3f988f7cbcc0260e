package dev.doorbell.hw.gicv2m;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.doorbell.bits.Decoded;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.hw.gicv2.GicV2Config;
import dev.doorbell.hw.gicv2.GicV2Model;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("GICv2m frame")
class GicV2mModelTest {
  private static final int REQUESTER = 0x108;

  private final List<String> lines = new ArrayList<>();
  private final GicV2mModel frame =
      new GicV2mModel(80, 64, intid -> level -> lines.add(intid + (level ? "+" : "-")));

  @Test
  @DisplayName("MSI_TYPER and MSI_IIDR as QEMU's frame has them, explained")
  void golden() {
    assertEquals(
        "Base SPI=0x50 Number of SPIs=0x40",
        GicV2mRegisters.TYPER_LAYOUT.decode(0x0050_0040).stream()
            .map(Decoded::toString)
            .collect(Collectors.joining(" ")));
    assertEquals(
        "ProductID=0x51 Architecture version=0x0 Revision=0x0 Implementer=0x0",
        GicV2mRegisters.IIDR_LAYOUT.decode(0x0510_0000).stream()
            .map(Decoded::toString)
            .collect(Collectors.joining(" ")));
    assertEquals(BusRead.ok(0x0050_0040), frame.read(0x008, 4));
  }

  @Test
  @DisplayName(
      "MSI_SETSPI_NS: a number of the frame pulses its line, in 32 and in 16 bits, whoever writes")
  void pulses() {
    assertEquals(BusOutcome.OK, frame.write(0x040, 80, 4, REQUESTER));
    assertEquals(BusOutcome.OK, frame.write(0x040, 143, 2, REQUESTER + 1));
    assertEquals(List.of("80+", "80-", "143+", "143-"), lines);
    assertEquals(BusRead.ok(0), frame.read(0x040, 4));
  }

  @Test
  @DisplayName("numbers outside the frame and writes beside the register are dropped")
  void drops() {
    frame.write(0x040, 79, 4, REQUESTER);
    frame.write(0x040, 144, 4, REQUESTER);
    frame.write(0x040, 0, 4, REQUESTER);
    assertEquals(3, frame.droppedMessages());
    assertEquals(BusOutcome.OK, frame.write(0x044, 80, 4, REQUESTER));
    assertEquals(BusOutcome.OK, frame.write(0x008, 80, 4, REQUESTER));
    assertEquals(List.of(), lines);
    assertEquals(BusRead.ok(0x0050_0040), frame.read(0x008, 4));
  }

  @Test
  @DisplayName("other sizes, misaligned accesses and what lies beyond the frame are bus errors")
  void sizes() {
    assertEquals(BusOutcome.ERROR, frame.write(0x040, 80, 8, REQUESTER));
    assertEquals(BusOutcome.ERROR, frame.write(0x040, 80, 1, REQUESTER));
    assertEquals(BusOutcome.ERROR, frame.write(0x042, 80, 4, REQUESTER));
    assertEquals(BusOutcome.ERROR, frame.write(0x1000, 80, 4, REQUESTER));
    assertEquals(BusRead.error(4), frame.read(0x1000, 4));
    assertEquals(List.of(), lines);
  }

  @Test
  @DisplayName("SPIs that a frame cannot have are refused")
  void refused() {
    assertThrows(
        IllegalArgumentException.class, () -> new GicV2mModel(31, 2, i -> InterruptLine.NONE));
    assertThrows(
        IllegalArgumentException.class, () -> new GicV2mModel(1000, 21, i -> InterruptLine.NONE));
    assertThrows(
        IllegalArgumentException.class, () -> new GicV2mModel(80, 0, i -> InterruptLine.NONE));
    GicV2Model gic = new GicV2Model(new GicV2Config(1, 96, 5));
    assertThrows(IllegalArgumentException.class, () -> new GicV2mModel(100, 64, gic::spi));
  }

  @Test
  @DisplayName("a message allocates nothing on the Java heap")
  void allocates() {
    GicV2Model gic = new GicV2Model(new GicV2Config(1, 160, 5));
    GicV2mModel on = new GicV2mModel(80, 64, gic::spi);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    int messages = 100_000;
    for (int i = 0; i < messages; i++) {
      on.write(0x040, 80 + i % 64, 4, REQUESTER);
    }
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < messages; i++) {
      on.write(0x040, 80 + i % 64, 4, REQUESTER);
    }
    long each = (threads.getCurrentThreadAllocatedBytes() - before) / messages;
    assertTrue(each == 0, () -> each + " bytes a message");
  }
}
