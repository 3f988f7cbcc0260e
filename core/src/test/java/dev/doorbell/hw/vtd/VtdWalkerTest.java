package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.IrteLayout.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.X86Interrupt;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class VtdWalkerTest {
  private static final long TABLE = 0x10_0000L;
  private static final long ENABLED = VtdRegisters.IRES.place(1) | VtdRegisters.TES.place(1);
  private static final long MESSAGE =
      0xfee0_0000L | FORMAT.place(1) | SHV.place(1) | HANDLE_LOW.place(3);
  private static final int REQUESTER = 0x412;

  private final Map<Long, Long> memory = new HashMap<>();
  private final Map<String, Long> registers =
      new HashMap<>(
          Map.of(
              "GSTS",
              ENABLED,
              "IRTA",
              VtdRegisters.IRTA.place(TABLE) | VtdRegisters.SIZE.place(3)));

  private VtdWalker walker() {
    return new VtdWalker("vt-d", registers, pa -> OptionalLong.of(memory.getOrDefault(pa, 0L)));
  }

  private void entry(long low, long high) {
    memory.put(TABLE + 3 * BYTES, low);
    memory.put(TABLE + 3 * BYTES + 8, high);
  }

  private String stopped(int requester, long address, int data) {
    return walker().message(requester, address, data).stoppedAt().orElse("not stopped");
  }

  @Test
  @DisplayName("VT-d 9.10 SVT, SQ, SID: who may send is compared as they say")
  void sourceIds() {
    long low = P.place(1) | V.place(65);
    entry(low, SVT.place(SVT_SID) | SID.place(REQUESTER));
    assertEquals(65, walker().message(REQUESTER, MESSAGE, 0).interrupt().orElseThrow().vector());
    assertTrue(stopped(REQUESTER ^ 4, MESSAGE, 0).startsWith("fault 26h"));
    entry(low, SVT.place(SVT_SID) | SQ.place(1) | SID.place(REQUESTER));
    assertEquals("not stopped", stopped(REQUESTER ^ 4, MESSAGE, 0));
    assertTrue(stopped(REQUESTER ^ 2, MESSAGE, 0).startsWith("fault 26h"));
    entry(low, SVT.place(SVT_SID) | SQ.place(2) | SID.place(REQUESTER));
    assertEquals("not stopped", stopped(REQUESTER ^ 6, MESSAGE, 0));
    assertTrue(stopped(REQUESTER ^ 1, MESSAGE, 0).startsWith("fault 26h"));
    entry(low, SVT.place(SVT_SID) | SQ.place(3) | SID.place(REQUESTER));
    assertEquals("not stopped", stopped(REQUESTER ^ 7, MESSAGE, 0));
    assertTrue(stopped(REQUESTER ^ 8, MESSAGE, 0).startsWith("fault 26h"));
    entry(low, SVT.place(SVT_BUS) | SID.place(0x0305));
    assertEquals("not stopped", stopped(REQUESTER, MESSAGE, 0));
    assertTrue(stopped(0x600, MESSAGE, 0).startsWith("fault 26h"));
    entry(low, SVT.place(SVT_NONE) | SID.place(0x0305));
    assertEquals("not stopped", stopped(0x600, MESSAGE, 0));
  }

  @Test
  @DisplayName("VT-d 7.1: faults 20h, 21h, 22h and 25h")
  void faults() {
    entry(P.place(1) | V.place(65), 0);
    assertTrue(stopped(REQUESTER, MESSAGE, 0x1_0000).startsWith("fault 20h"));
    assertTrue(stopped(REQUESTER, MESSAGE, 13).startsWith("fault 21h"));
    assertTrue(stopped(REQUESTER, MESSAGE, 1).startsWith("fault 22h"));
    assertTrue(stopped(REQUESTER, 0xfee0_0000L, 65).startsWith("fault 25h"));
    registers.put("GSTS", ENABLED | VtdRegisters.CFIS.place(1));
    assertEquals("not stopped", stopped(REQUESTER, 0xfee0_0000L, 65));
    registers.merge("IRTA", VtdRegisters.EIME.place(1), (a, b) -> a | b);
    assertTrue(stopped(REQUESTER, 0xfee0_0000L, 65).startsWith("fault 25h"));
  }

  @Test
  @DisplayName(
      "VT-d 5.1.2.1: an I/O APIC's request has SHV=0 and its vector in the datum, which is no subhandle")
  void withoutSubhandle() {
    entry(P.place(1) | V.place(65), 0);
    long address = MESSAGE ^ SHV.place(1);
    assertEquals(
        65, walker().message(REQUESTER, address, 0x8041).interrupt().orElseThrow().vector());
  }

  @Test
  @DisplayName(
      "VT-d 9.10 DST: 8 bits in xAPIC mode, 32 with EIME; 9.11: a posted entry leads to its descriptor")
  void destinations() {
    entry(P.place(1) | V.place(65) | DST.place(0x1234_0500L), 0);
    assertEquals(
        5, walker().message(REQUESTER, MESSAGE, 0).interrupt().orElseThrow().destination());
    registers.merge("IRTA", VtdRegisters.EIME.place(1), (a, b) -> a | b);
    assertEquals(
        0x1234_0500L,
        walker().message(REQUESTER, MESSAGE, 0).interrupt().orElseThrow().destination());
    entry(
        POSTED_P.place(1) | POSTED_IM.place(1) | POSTED_V.place(77) | PDA_L.place(3),
        PDA_H.place(1));
    assertEquals(
        new PostedInterrupt(0x1_0000_00c0L, 77, false),
        walker().message(REQUESTER, MESSAGE, 0).posted().orElseThrow().interrupt());
  }

  @Test
  @DisplayName("VT-d 5.2.3: a post notifies unless ON is set, or SN is and the entry is not urgent")
  void notifications() {
    long urgent = POSTED_P.place(1) | POSTED_IM.place(1) | POSTED_V.place(77) | PDA_L.place(3);
    long control = PostedLayout.NV.place(0xf2) | PostedLayout.ndst(5, false);
    for (boolean on : List.of(false, true)) {
      for (boolean sn : List.of(false, true)) {
        for (boolean urg : List.of(false, true)) {
          entry(urgent | (urg ? URG.mask() : 0), 0);
          memory.put(
              0xe0L,
              control | (on ? PostedLayout.ON.mask() : 0) | (sn ? PostedLayout.SN.mask() : 0));
          Optional<X86Interrupt> told =
              walker().message(REQUESTER, MESSAGE, 0).posted().orElseThrow().notification();
          assertEquals(
              !on && (urg || !sn)
                  ? Optional.of(new X86Interrupt(0xf2, 5, false, 0, false))
                  : Optional.empty(),
              told,
              "ON %s SN %s URG %s".formatted(on, sn, urg));
        }
      }
    }
  }

  @Test
  @DisplayName("what was not recorded cannot be seen, which is no fault")
  void unseen() {
    registers.remove("IRTA");
    assertTrue(stopped(REQUESTER, MESSAGE, 0).startsWith("cannot see"));
    registers.remove("GSTS");
    assertTrue(
        walker().dma(REQUESTER, new Iova(0), true).stoppedAt().orElseThrow().startsWith("cannot"));
  }

  @Test
  @DisplayName(
      "VT-d 9.8: a page of 2 MiB at level 2; reads and writes by their own bits; an address beyond AW is fault 4h")
  void secondStage() {
    registers.put("RTADDR", VtdRegisters.RTA.place(0x1000));
    memory.put(0x1000 + 4 * 16L, ContextLayout.ROOT_P.place(1) | ContextLayout.CTP.place(0x2000));
    memory.put(0x2000 + 0x12 * 16L, ContextLayout.P.place(1) | ContextLayout.SSPTPTR.place(0x3000));
    memory.put(0x2000 + 0x12 * 16L + 8, ContextLayout.AW.place(1));
    memory.put(0x3000L, PagingLayout.R.place(1) | PagingLayout.ADDRESS.place(0x4000));
    memory.put(
        0x4008L,
        PagingLayout.R.place(1) | PagingLayout.PS.place(1) | PagingLayout.ADDRESS.place(0x60_0000));
    assertEquals(
        Optional.of(new Pa(0x61_2345L)),
        walker().dma(REQUESTER, new Iova(0x21_2345L), false).output());
    assertTrue(
        walker()
            .dma(REQUESTER, new Iova(0x21_2345L), true)
            .stoppedAt()
            .orElseThrow()
            .startsWith("fault 5h"));
    assertTrue(
        walker()
            .dma(REQUESTER, new Iova(1L << 39), false)
            .stoppedAt()
            .orElseThrow()
            .startsWith("fault 4h"));
  }

  /// Scalable mode: requester 0x412 with PASID 0.
  private void scalable(long first, long third) {
    registers.put(
        "RTADDR",
        VtdRegisters.RTA.place(0x1000) | VtdRegisters.TTM.place(VtdRegisters.TTM_SCALABLE));
    memory.put(0x1000 + 4 * 16L, ContextLayout.LP.place(1) | ContextLayout.LCTP.place(0x2000));
    memory.put(
        0x2000 + 0x12 * 32L, ContextLayout.SM_P.place(1) | ContextLayout.PASIDDIRPTR.place(0x3000));
    memory.put(0x3000L, PasidLayout.DIR_P.place(1) | PasidLayout.SMPTBLPTR.place(0x4000));
    memory.put(0x4000L, PasidLayout.P.place(1) | first);
    memory.put(0x4010L, third);
  }

  private String access(long iova, boolean write) {
    return walker().dma(REQUESTER, new Iova(iova), write).stoppedAt().orElse("not stopped");
  }

  @Test
  @DisplayName("VT-d 7.1.3: scalable mode has codes of its own for what its stages do not let pass")
  void scalableFaults() {
    long second = PasidLayout.PGTT.place(PasidLayout.SECOND_STAGE);
    scalable(second | PasidLayout.AW.place(1) | PasidLayout.SSPTPTR.place(0x5000), 0);
    memory.put(0x2000 + 0x12 * 32L + 24, 1L);
    assertTrue(access(0, true).startsWith("fault 42h"), access(0, true));
    memory.put(0x2000 + 0x12 * 32L + 24, 0L);
    assertTrue(access(0, true).startsWith("fault 79h"), access(0, true));
    assertTrue(access(0, false).startsWith("fault 79h"), access(0, false));
    assertTrue(access(1L << 39, false).startsWith("fault 84h"), access(1L << 39, false));
    scalable(second, 0);
    assertTrue(access(0, false).startsWith("fault 5bh"), access(0, false));
    scalable(PasidLayout.PGTT.place(PasidLayout.FIRST_STAGE), PasidLayout.FSPTPTR.place(0x5000));
    assertTrue(access(0, false).startsWith("fault 71h"), access(0, false));
    assertTrue(access(1L << 47, false).startsWith("fault 80h"), access(1L << 47, false));
    memory.put(0x5000L, PagingLayout.P.place(1) | PagingLayout.US.place(1));
    assertTrue(access(0, true).startsWith("fault 85h"), access(0, true));
    memory.put(0x5000L, PagingLayout.P.place(1));
    assertTrue(access(0, false).startsWith("fault 81h"), access(0, false));
  }

  @Test
  @DisplayName(
      "VT-d 3.8: nested translation reads the first stage's tables, and reaches its pages, where the second stage says")
  void nested() {
    scalable(
        PasidLayout.PGTT.place(PasidLayout.NESTED)
            | PasidLayout.AW.place(1)
            | PasidLayout.SSPTPTR.place(0x5000),
        PasidLayout.FSPTPTR.place(0x10_0000));
    // The guest's memory of 2 MiB at 0 lies at 0x40_0000.
    assertTrue(access(0x1234, true).startsWith("fault 75h"), access(0x1234, true));
    long through = PagingLayout.R.place(1) | PagingLayout.W.place(1);
    memory.put(0x5000L, through | PagingLayout.ADDRESS.place(0x6000));
    memory.put(0x6000L, through | PagingLayout.PS.place(1) | PagingLayout.ADDRESS.place(0x40_0000));
    long user = PagingLayout.P.place(1) | PagingLayout.US.place(1) | PagingLayout.RW.place(1);
    memory.put(0x50_0000L, user | PagingLayout.FS_ADDRESS.place(0x10_1000));
    memory.put(0x50_1000L, user | PagingLayout.FS_ADDRESS.place(0x30_0000));
    assertTrue(access(0x1234, true).startsWith("fault 76h"), access(0x1234, true));
    memory.put(0x50_1000L, user | PagingLayout.FS_ADDRESS.place(0x10_2000));
    memory.put(0x50_2000L, user | PagingLayout.FS_ADDRESS.place(0x10_3000));
    memory.put(0x50_3008L, user | PagingLayout.FS_ADDRESS.place(0x7000));
    assertEquals(
        Optional.of(new Pa(0x40_7234L)), walker().dma(REQUESTER, new Iova(0x1234), true).output());
    memory.put(0x6000L, PagingLayout.R.place(1) | PagingLayout.PS.place(1) | 0x40_0000);
    assertTrue(access(0x1234, true).startsWith("fault 85h"), access(0x1234, true));
    memory.put(0x5000L, 0L);
    memory.put(0x50_0000L, 0L);
  }

  @Test
  @DisplayName(
      "whatever registers and memory hold, a walk ends, bounded, at a result or at a reason with its source")
  void bounded() {
    Property.check(
        "VT-d hostile walk",
        5000,
        random -> {
          Map<String, Long> regs = new HashMap<>();
          regs.put("GSTS", random.oneIn(4) ? random.nextLong() : ENABLED);
          regs.put("RTADDR", random.nextLong());
          regs.put("IRTA", random.nextLong());
          if (random.oneIn(20)) {
            regs.remove(random.pick(List.copyOf(regs.keySet())));
          }
          AtomicInteger reads = new AtomicInteger();
          VtdWalker walker =
              new VtdWalker(
                  "vt-d",
                  regs,
                  pa -> {
                    reads.incrementAndGet();
                    return random.oneIn(20) ? OptionalLong.empty() : OptionalLong.of(word(random));
                  });
          VtdWalk walk =
              walker.dma(
                  random.below(0x1_0000), new Iova(random.anyMagnitude()), random.nextBoolean());
          assertEquals(walk.output().isEmpty(), walk.stoppedAt().isPresent());
          VtdMessage message =
              walker.message(
                  random.below(0x1_0000),
                  0xfee0_0000L | random.below(1 << 20),
                  random.below(1 << 16));
          int ends =
              (message.interrupt().isPresent() ? 1 : 0)
                  + (message.posted().isPresent() ? 1 : 0)
                  + (message.stoppedAt().isPresent() ? 1 : 0);
          assertEquals(1, ends);
          assertTrue(reads.get() <= 50, "reads");
          assertTrue(walk.hops().stream().noneMatch(hop -> hop.source().where().isEmpty()));
        });
  }

  /// Words that get a walk further than noise does.
  private static long word(SeededRandom random) {
    return random.nextBoolean() ? random.nextLong() : random.nextLong() & ~0xfffL | 3;
  }
}
