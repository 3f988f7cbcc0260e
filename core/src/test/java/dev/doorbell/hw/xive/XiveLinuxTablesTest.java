package dev.doorbell.hw.xive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.simple.BigEndianDump;
import java.io.IOException;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("XIVE: tables that skiboot and Linux wrote")
class XiveLinuxTablesTest {
  private static final int NVME = 0xf_d000;
  private static final long END = 0x328e_01e0L;

  @Test
  @DisplayName(
      "both interrupts of an NVMe go through their assignment and descriptor to the first thread; queue and priority are what QEMU tells of them")
  void power9() throws IOException {
    BigEndianDump dump = BigEndianDump.of(getClass(), "linux-powernv9.txt");
    XiveWalker walker = new XiveWalker("xive", XiveGeneration.FIRST, dump.values(), dump);
    assertEquals(OptionalInt.of(0), walker.walk(NVME).thread());
    assertEquals(OptionalInt.of(0), walker.walk(NVME + 1).thread());
    assertTrue(walker.walk(NVME + 2).thread().isEmpty(), "not recorded");
    long eas = dump.word(0x327e_8000L);
    assertEquals(0xf, EasLayout.END_INDEX.get(eas));
    assertEquals(0x33, EasLayout.END_DATA.get(eas), "the number that Linux gave it");
    long w0 = dump.word(END) >>> Integer.SIZE;
    long w2 = dump.word(END + 8) >>> Integer.SIZE;
    long w3 = dump.word(END + 8) & 0xffff_ffffL;
    long w6 = dump.word(END + 24) >>> Integer.SIZE;
    long w7 = dump.word(END + 24) & 0xffff_ffffL;
    assertEquals(0x2a6_3000L, EndLayout.queue(w2, w3));
    assertEquals(1024 * 4, EndLayout.queueBytes(w0));
    assertEquals(7, EndLayout.F0_PRIORITY.get(w7));
    assertEquals(NvtLayout.index(0), EndLayout.NVT_INDEX.getInt(w6));
    assertTrue(EndLayout.VALID.isSet(w0));
    assertTrue(EndLayout.ENQUEUE.isSet(w0));
    assertTrue(EndLayout.UCOND_NOTIFY.isSet(w0));
    assertTrue(EndLayout.GENERATION.isSet(dump.word(END)), "its first round");
  }
}
