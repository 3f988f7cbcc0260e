package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.DteLayout.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Field;
import dev.doorbell.irq.X86Interrupt;
import dev.doorbell.testkit.Property;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class AmdViWalkerTest {
  private static final long DEVICES = 0x10_0000L;
  private static final long INTERRUPTS = 0x20_0000L;
  private static final long PAGES = 0x30_0000L;
  private static final long LEVEL_1 = 0x31_0000L;
  private static final int DEVICE = 0x12;

  private final Map<Long, Long> memory = new HashMap<>();
  private final Map<String, Long> registers =
      new HashMap<>(
          Map.of(
              "DEVTAB_BASE", AmdViRegisters.DEV_TAB_BASE.place(DEVICES),
              "CONTROL", AmdViRegisters.IOMMU_EN.place(1)));

  private AmdViWalker walker() {
    return new AmdViWalker("amd-vi", registers, pa -> OptionalLong.of(memory.getOrDefault(pa, 0L)));
  }

  private void dte(int word, long value) {
    memory.put(DEVICES + (long) DEVICE * BYTES + word * 8L, value);
  }

  private void interrupts(int control) {
    dte(0, V.place(1) | TV.place(1));
    dte(
        2,
        IV.place(1)
            | INT_TAB_LEN.place(3)
            | INT_TAB_ROOT.place(INTERRUPTS)
            | INT_CTL.place(control));
  }

  private AmdViMessage message(int data) {
    return walker().message(DEVICE, 0xfee0_0000L, data);
  }

  @Test
  @DisplayName(
      "48882 2.2.5: entries of 32 bits, then with GAEn of 128 bits, whose destination is wide with XTEn")
  void entries() {
    interrupts(INT_REMAP);
    long narrow =
        IrteLayout.REMAP_EN.place(1)
            | IrteLayout.DESTINATION.place(9)
            | IrteLayout.VECTOR.place(70);
    memory.put(INTERRUPTS, narrow << Integer.SIZE);
    assertEquals(Optional.of(new X86Interrupt(70, 9, false, 0, false)), message(1).interrupt());
    assertTrue(message(0).stoppedAt().orElseThrow().contains("RemapEn=0"));
    registers.merge("CONTROL", AmdViRegisters.GA_EN.place(1), (a, b) -> a | b);
    memory.put(
        INTERRUPTS + 16,
        IrteLayout.WIDE_REMAP_EN.place(1) | IrteLayout.DESTINATION_LOW.place(0x302));
    memory.put(
        INTERRUPTS + 24, IrteLayout.WIDE_VECTOR.place(71) | IrteLayout.DESTINATION_HIGH.place(1));
    assertEquals(Optional.of(new X86Interrupt(71, 2, false, 0, false)), message(1).interrupt());
    registers.merge("CONTROL", AmdViRegisters.XT_EN.place(1), (a, b) -> a | b);
    assertEquals(
        Optional.of(new X86Interrupt(71, 0x100_0302L, false, 0, true)), message(1).interrupt());
    memory.put(
        INTERRUPTS + 16, IrteLayout.GUEST_REMAP_EN.place(1) | IrteLayout.GUEST_GUEST_MODE.place(1));
    memory.put(
        INTERRUPTS + 24, IrteLayout.GUEST_VECTOR.place(72) | IrteLayout.GUEST_APIC.place(0x5000));
    assertTrue(message(1).stoppedAt().orElseThrow().contains("reserved bits"), "GAMEn=0");
    registers.merge("CONTROL", AmdViRegisters.GAM_EN.place(1), (a, b) -> a | b);
    assertEquals(Optional.of(new AmdViMessage.Guest(0x5000, 72)), message(1).guest());
    told("nobody is told");
    memory.merge(INTERRUPTS + 16, 0x55L << 32 | 1 << 2, (a, b) -> a | b);
    told("log is told with tag 0x55");
    memory.merge(INTERRUPTS + 16, 9L << 8 | 1 << 6, (a, b) -> a | b);
    told("APIC id 0x9 is told");
    memory.merge(INTERRUPTS + 24, 1L << 11, (a, b) -> a | b);
    assertTrue(message(1).stoppedAt().orElseThrow().contains("reserved bits"));
  }

  private void told(String what) {
    String out = message(1).hops().getLast().out();
    assertTrue(out.contains(what), out);
  }

  @Test
  @DisplayName(
      "48882 2.2.2.1: IV, IntCtl, IntTabLen and the size of the device table decide before the entry does")
  void control() {
    interrupts(INT_ABORT);
    assertTrue(message(1).stoppedAt().orElseThrow().contains("aborts"));
    interrupts(INT_FORWARD);
    assertEquals(33, message(33).interrupt().orElseThrow().vector());
    interrupts(INT_REMAP);
    assertTrue(message(8).stoppedAt().orElseThrow().contains("beyond the table's 8 entries"));
    dte(2, 0);
    assertEquals(34, message(34).interrupt().orElseThrow().vector(), "IV=0 passes");
    assertTrue(
        walker()
            .message(0x80, 0xfee0_0000L, 1)
            .stoppedAt()
            .orElseThrow()
            .contains("beyond the table's 128 entries"));
  }

  @Test
  @DisplayName(
      "48882 2.2.2.1: NMIPass, InitPass and EIntPass decide on their messages, and not IntCtl")
  void otherModes() {
    int[] modes = {4, 5, 7};
    Field[] passes = {NMI_PASS, INIT_PASS, EINT_PASS};
    for (int i = 0; i < modes.length; i++) {
      int data = modes[i] << 8 | 33;
      interrupts(INT_REMAP);
      String stopped = message(data).stoppedAt().orElse("not stopped");
      assertTrue(stopped.contains(passes[i].name() + "=0"), stopped);
      dte(2, IV.place(1) | INT_CTL.place(INT_ABORT) | passes[i].place(1));
      assertEquals(modes[i], message(data).interrupt().orElseThrow().deliveryMode());
      assertTrue(message(33).stoppedAt().orElseThrow().contains("aborts"));
    }
    assertTrue(message(2 << 8).stoppedAt().orElseThrow().startsWith("cannot see"), "SMI");
  }

  @Test
  @DisplayName(
      "48882 3.4.1 NumIntRemapMode: with 2048 entries a function all eleven bits are the index")
  void manyEntries() {
    interrupts(INT_REMAP);
    dte(
        2,
        IV.place(1)
            | INT_TAB_LEN.place(11)
            | INT_TAB_ROOT.place(INTERRUPTS)
            | INT_CTL.place(INT_REMAP));
    memory.put(INTERRUPTS + 0x400 * 4L, IrteLayout.REMAP_EN.place(1) | IrteLayout.VECTOR.place(70));
    registers.merge("CONTROL", AmdViRegisters.NUM_INT_REMAP_MODE.place(1), (a, b) -> a | b);
    assertEquals(70, message(0x400).interrupt().orElseThrow().vector());
  }

  @Test
  @DisplayName(
      "48882 2.2.3: a level may be skipped, NextLevel 7 encodes its page's size, permissions are checked at each level")
  void pages() {
    dte(
        0,
        V.place(1) | TV.place(1) | MODE.place(3) | ROOT.place(PAGES) | IR.place(1) | IW.place(1));
    long open = IoPageLayout.PR.place(1) | IoPageLayout.IR.place(1);
    memory.put(
        PAGES,
        open
            | IoPageLayout.IW.place(1)
            | IoPageLayout.NEXT_LEVEL.place(1)
            | IoPageLayout.ADDRESS.place(LEVEL_1));
    // 0x7f000 has seven ones from bit 12 on: a page of 2^20 bytes; its address begins above them.
    memory.put(
        LEVEL_1 + 8,
        open | IoPageLayout.NEXT_LEVEL.place(7) | IoPageLayout.ADDRESS.place(0x4_0007_f000L));
    assertEquals(
        Optional.of(new Pa(0x4_0000_1234L)),
        walker().dma(DEVICE, new Iova(0x1234), false).output());
    assertTrue(
        walker().dma(DEVICE, new Iova(0x1234), true).stoppedAt().orElseThrow().contains("IW=0"));
    assertTrue(
        walker()
            .dma(DEVICE, new Iova(0x20_1234), false)
            .stoppedAt()
            .orElseThrow()
            .contains("skipped"));
    assertTrue(
        walker()
            .dma(DEVICE, new Iova(1L << 39), false)
            .stoppedAt()
            .orElseThrow()
            .contains("more than 39 bits"));
  }

  @Test
  @DisplayName(
      "whatever registers and memory hold, a walk ends, bounded, at a result or at a reason with its source")
  void bounded() {
    Property.check(
        "AMD-Vi hostile walk",
        5000,
        random -> {
          Map<String, Long> regs = new HashMap<>();
          regs.put("CONTROL", random.nextLong() | 1);
          regs.put("DEVTAB_BASE", random.nextLong() | 0x1ff);
          AtomicInteger reads = new AtomicInteger();
          AmdViWalker walker =
              new AmdViWalker(
                  "amd-vi",
                  regs,
                  pa -> {
                    reads.incrementAndGet();
                    long word = random.nextLong();
                    return random.oneIn(20)
                        ? OptionalLong.empty()
                        : OptionalLong.of(random.nextBoolean() ? word : word | 3 | 3L << 61);
                  });
          AmdViWalk walk =
              walker.dma(
                  random.below(0x1_0000), new Iova(random.anyMagnitude()), random.nextBoolean());
          assertEquals(walk.output().isEmpty(), walk.stoppedAt().isPresent());
          AmdViMessage message =
              walker.message(random.below(0x1_0000), 0xfee0_0000L, random.below(1 << 16));
          int ends =
              (message.interrupt().isPresent() ? 1 : 0)
                  + (message.guest().isPresent() ? 1 : 0)
                  + (message.stoppedAt().isPresent() ? 1 : 0);
          assertEquals(1, ends);
          assertTrue(reads.get() <= 20, "reads");
          assertTrue(walk.hops().stream().noneMatch(hop -> hop.source().where().isEmpty()));
        });
  }
}
