package dev.doorbell.vmsa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.testkit.Property;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class VmsaWalkerHostileTest {
  private static final VmsaGeometry G = VmsaGeometry.of(Granule.K4, Stage.STAGE1, 48, 44);

  private static VmsaOutcome walk(VmsaGeometry g, MemoryView memory, long input) {
    return new VmsaWalker(g, new Pa(0x1000), memory, VmsaWalker.Options.PLAIN)
        .walk(input, true)
        .outcome();
  }

  @Test
  @DisplayName("Whatever memory holds, a walk ends after at most four reads with a typed outcome")
  void bounded() {
    Property.check(
        "VMSA hostile walk",
        2000,
        random -> {
          Granule granule = random.pick(List.of(Granule.K4, Granule.K16, Granule.K64));
          VmsaGeometry g =
              VmsaGeometry.of(granule, random.pick(Stage.values()), random.between(25, 40), 40);
          AtomicInteger reads = new AtomicInteger();
          MemoryView memory =
              pa -> {
                reads.incrementAndGet();
                return random.oneIn(8)
                    ? OptionalLong.empty()
                    : OptionalLong.of(random.nextLong() | random.below(4));
              };
          VmsaOutcome outcome = walk(g, memory, random.anyMagnitude());
          assertTrue(reads.get() <= 4);
          assertTrue(outcome instanceof VmsaOutcome.Mapped || !outcome.message().isEmpty());
        });
  }

  @Test
  @DisplayName("A table that points to itself ends as a page at level 3, as it does in hardware")
  void selfLoop() {
    VmsaOutcome outcome = walk(G, pa -> OptionalLong.of(0x1000 | 0b11 | 1 << 10 | 1 << 6), 0x123);
    assertEquals(new Pa(0x1123), assertInstanceOf(VmsaOutcome.Mapped.class, outcome).output());
  }

  @Test
  @DisplayName("IHI 0070 CD.AFFD: a clear access flag is no fault, rights count all the same")
  void accessFlagIgnored() {
    VmsaWalker.Options ignored = new VmsaWalker.Options(true, false, Descriptors.MAIR, false);
    MemoryView memory = pa -> OptionalLong.of(0x1000 | 0b11 | 3 << 6);
    VmsaWalker walker = new VmsaWalker(G, new Pa(0x1000), memory, ignored);
    assertInstanceOf(VmsaOutcome.Mapped.class, walker.walk(0x123, false).outcome());
    assertInstanceOf(VmsaOutcome.Denied.class, walker.walk(0x123, true).outcome());
    assertInstanceOf(VmsaOutcome.NoAccessFlag.class, walk(G, memory, 0x123));
  }

  @Test
  @DisplayName("DDI 0487 D8.3.1: a block at level 0, and 01 at level 3, are reserved")
  void reserved() {
    assertEquals(
        new VmsaOutcome.Reserved(
            0, "the level 0 descriptor is 0x401, and granule 4K has no block there"),
        walk(G, pa -> OptionalLong.of(0x401), 0));
    VmsaGeometry flat = VmsaGeometry.of(Granule.K64, Stage.STAGE1, 25, 44);
    assertInstanceOf(VmsaOutcome.Reserved.class, walk(flat, pa -> OptionalLong.of(0x401), 0));
  }

  @Test
  @DisplayName("IHI 0070 7.3 F_ADDR_SIZE: table and output addresses beyond the output width")
  void addressSize() {
    assertEquals(
        new VmsaOutcome.AddressSize(
            0,
            new Pa(1L << 45),
            "the next table at 0x200000000000 is wider than the 44-bit output"),
        walk(G, pa -> OptionalLong.of((1L << 45) | 0b11), 0));
  }

  @Test
  @DisplayName(
      "A page of the dump that is missing is told with its address, and is not a zero descriptor")
  void unreadable() {
    assertEquals(
        new VmsaOutcome.Unreadable(
            0, new Pa(0x1008), "the level 0 descriptor at 0x1008 cannot be seen"),
        walk(G, pa -> OptionalLong.empty(), 1L << 39));
  }

  @Test
  @DisplayName("DDI 0487 D8.4: APTable takes rights away below; a clear access flag faults")
  void permissions() {
    long page = 0x5000 | 0b11 | 1 << 10 | 1 << 6;
    long table = 0x2000 | 0b11;
    assertInstanceOf(VmsaOutcome.Mapped.class, walk(G, levels(table, page), 0));
    assertInstanceOf(VmsaOutcome.Denied.class, walk(G, levels(table | 1L << 62, page), 0));
    assertInstanceOf(VmsaOutcome.Denied.class, walk(G, levels(table | 1L << 61, page), 0));
    assertInstanceOf(VmsaOutcome.Denied.class, walk(G, levels(table, page | 1 << 7), 0));
    assertInstanceOf(VmsaOutcome.NoAccessFlag.class, walk(G, levels(table, page & ~(1 << 10)), 0));
  }

  private static MemoryView levels(long table, long page) {
    AtomicInteger level = new AtomicInteger();
    return pa -> OptionalLong.of(level.getAndIncrement() < 3 ? table : page);
  }
}
