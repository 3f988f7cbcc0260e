package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.XiveEventLayout;
import dev.doorbell.simple.BigEndianDump;
import dev.doorbell.vmsa.VmsaGeometry;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// What an independent pair of programs, skiboot 7.0 and Linux 6.12, wrote into the bridges of QEMU 7.2's machines, on which their devices worked: our walker
/// finds the same way through it, and what our driver would write for the same are the same words.
@DisplayName("PHB3 and PHB4: tables that skiboot and Linux wrote")
class PhbLinuxTablesTest {
  /// PEs of the devices' bus and of the root port's.
  private static final int PE = 0xfd;

  private static final int PORT = 0xfe;
  private static final int RID = 0x100;
  private static final int SERVER = 8;

  private static BigEndianDump dump(String name) throws IOException {
    return BigEndianDump.of(PhbLinuxTablesTest.class, name);
  }

  private static PhbWalker walker(BigEndianDump dump) {
    return new PhbWalker("phb", dump.values(), dump);
  }

  private static Optional<Pa> dma(BigEndianDump dump, int rid, long iova) {
    return walker(dump).dma(rid, iova, true).output();
  }

  @Test
  @DisplayName(
      "PHB4: an NVMe's queues lie where its TCEs of two levels say; both its messages are its PE's")
  void power9() throws IOException {
    BigEndianDump dump = dump("linux-powernv9.txt");
    assertEquals(Optional.of(new Pa(0x248_3000L)), dma(dump, RID, 0x1_0000L));
    assertEquals(Optional.of(new Pa(0x248_2000L)), dma(dump, RID, 0x1000L));
    assertEquals(Optional.empty(), dma(dump, 0, 0x1000L), "the root port's PE has no window");
    assertEquals(Optional.empty(), dma(dump, RID, 1L << 59 | 0x1000), "iommu=nobypass");
    for (int n = 0; n < 2; n++) {
      assertEquals(OptionalInt.of(n), walker(dump).message(RID, n).number());
      assertTrue(
          walker(dump).message(0, n).stoppedAt().orElseThrow().contains("is PE 0xfd's"), "owner");
    }
    assertEquals(dump.value("TVT506"), TveLayout.tables(0x32f9_e000L, 2, 10, 12));
    same(dump, 0x2826_4008L, 0x248_2000L);
    entries(dump);
    assertEquals(dump.value("NOTIFY_INDEX"), XiveEventLayout.base(0xf_d000));
    assertTrue(Phb4Registers.MSI32_EN.isSet(dump.value("CONFIG")));
    assertTrue(Phb4Registers.MSI64_EN.isSet(dump.value("CONFIG")));
    assertTrue(Phb4Registers.IRQ_PGSZ_64K.isSet(dump.value("CTRLR")));
    long mist = dump.value("MIST0");
    assertEquals(PE, MistLayout.owner(0).getInt(mist));
    assertEquals(PE, MistLayout.owner(1).getInt(mist));
  }

  @Test
  @DisplayName(
      "PHB4: the second window untranslated, as Linux has it: physical memory from bit 59 on, and no more of it than there is")
  void bypass() throws IOException {
    BigEndianDump dump = dump("linux-powernv9-bypass.txt");
    assertEquals(Optional.of(new Pa(0x247_9000L)), dma(dump, RID, 0x800_0000_0247_9000L));
    assertEquals(Optional.empty(), dma(dump, RID, 1L << 59 | 1L << 40));
    long whole = TveLayout.untranslated();
    long limited =
        TveLayout.REAL_END.with(TveLayout.REAL_END_HIGH.with(whole, 0), 0x8000_0000L >>> 24);
    assertEquals(dump.value("TVT507"), limited);
  }

  @Test
  @DisplayName(
      "PHB3: an e1000e's rings lie where its TCEs of 256 MiB say; its messages go to the first thread's server")
  void power8() throws IOException {
    BigEndianDump dump = dump("linux-powernv8.txt");
    assertEquals(Optional.of(new Pa(0x284a_2000L)), dma(dump, RID, 0x1_284a_2000L));
    assertEquals(Optional.of(new Pa(0x248_7000L)), dma(dump, RID, 0x1_0248_7000L));
    for (int n = 0; n < 3; n++) {
      assertEquals(OptionalInt.of(SERVER), walker(dump).message(RID, n).server(), "entry " + n);
      assertEquals(OptionalInt.empty(), walker(dump).message(0, n).server());
    }
    assertEquals(dump.value("TVT506"), TveLayout.tables(0x243_f000L, 1, 9, 28));
    same(dump, 0x243_f090L, 0x2000_0000L);
    entries(dump);
    int upper = Integer.reverseBytes(IveLayout.route(SERVER, 5));
    assertEquals(dump.word(0x31e0_0080L) >>> Integer.SIZE, Integer.toUnsignedLong(upper));
    long bar = dump.value("IVT_BAR");
    assertEquals(Phb3Tables.ENTRIES, Phb3Registers.IVT_LENGTH.get(bar));
    assertEquals(0x31e0_0000L, Phb3Registers.IVT_BASE.get(bar));
    assertEquals(0x80, IveLayout.bytes(dump.value("CONTROL")), "as firmware sets it");
  }

  /// A TCE that Linux wrote is the one that we would write.
  private static void same(BigEndianDump dump, long at, long pa) {
    VmsaGeometry g = TceWindow.shape(Granule.K4, 31);
    long ours = new TceFormat().leaf(g, VmsaGeometry.LAST_LEVEL, pa, Protection.READ_WRITE);
    assertEquals(dump.word(at), TceLayout.swapped(ours));
  }

  /// RTT, PELT-V and PEST have the same shape on both.
  private static void entries(BigEndianDump dump) {
    long rtt = Phb4Registers.RTT_BASE.get(dump.value("RTT_BAR"));
    assertEquals(PE, RttLayout.PE.get(dump.word(rtt + (long) RID * RttLayout.BYTES) >>> 48));
    assertEquals(PORT, RttLayout.PE.get(dump.word(rtt) >>> 48));
    long row = Phb4Registers.PELTV_BASE.get(dump.value("PELTV_BAR")) + PE * 32L;
    long own = PeVectorLayout.bit(PE % PeVectorLayout.PER_WORD);
    assertEquals(own, dump.word(row + 24), "its own row names itself alone");
    assertEquals(
        own | PeVectorLayout.bit(PORT % PeVectorLayout.PER_WORD),
        dump.word(row + 32 + 24),
        "the bus above takes it along");
    long pest = Phb4Registers.PEST_BASE.get(dump.value("PEST_BAR"));
    assertEquals(0, dump.word(pest + (long) PE * PestLayout.BYTES), "it runs");
  }
}
