package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class MsiPathZeroAllocationTest {
  private static final int MESSAGES = 20_000;

  private final RawIts raw = new RawIts(1, ItsConfig.QEMU, new FlatMemory(RawIts.RAM, 0x200_0000));

  private void messages() {
    for (int i = 0; i < MESSAGES; i++) {
      raw.its.write(0x1_0040, i & 7, 4, 0x100 + (i & 1));
      if ((i & 3) == 3) {
        int intid = raw.gic.acknowledge(0);
        raw.gic.endOfInterrupt(0, intid);
      }
    }
  }

  @Test
  @DisplayName(
      "a message from the write of GITS_TRANSLATER to the acknowledgement allocates nothing, dropped ones included")
  void allocatesNothing() {
    raw.memory.fill(RawIts.CONFIG, 16, (byte) 0xa3);
    raw.enableLpis().enableIts(true);
    raw.memory.write64(RawIts.DEVICES, 1L << 63 | RawIts.LEVEL2);
    raw.mapc(0, 0);
    raw.mapd(0x100, 2, RawIts.ITT);
    for (int event = 0; event < 6; event++) {
      raw.mapti(0x100, event, 8192 + event, 0);
    }
    messages();
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 5 && least > 0; run++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      messages();
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertEquals(0, least, "bytes over " + MESSAGES + " messages");
  }
}
