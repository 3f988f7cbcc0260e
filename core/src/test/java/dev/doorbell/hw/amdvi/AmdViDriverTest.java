package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViBench.read;
import static dev.doorbell.hw.amdvi.AmdViBench.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.InjectedFault;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AmdViDriverTest {
  private static final int DEVICE = 0x108;
  private static final int OTHER = 0x210;

  private final AmdViBench bench = new AmdViBench();
  private final AmdViModel model = bench.model(AmdViFeatures.all());

  @Test
  @DisplayName(
      "Devices move between block, bypass and address spaces; who else uses one does not notice")
  void moves() {
    try (AmdViDriver iommu = bench.open(model)) {
      long empty = bench.frames.bytesInUse();
      AddressSpace a = iommu.createAddressSpace(Granule.K4);
      AddressSpace b = iommu.createAddressSpace(Granule.K4);
      a.map(new Iova(0x10000), new Pa(0xa0000), 0x10000, Protection.READ_WRITE);
      b.map(new Iova(0x10000), new Pa(0xb0000), 0x10000, Protection.READ_ONLY);
      assertEquals(Translator.FAULT, write(model, DEVICE, 0x10004), "blocked at first");
      iommu.attach(OTHER, a);
      for (int i = 0; i < 3; i++) {
        iommu.bypass(DEVICE);
        assertEquals(0x10004, write(model, DEVICE, 0x10004));
        iommu.attach(DEVICE, a);
        assertEquals(0xa0004, write(model, DEVICE, 0x10004));
        iommu.attach(DEVICE, b);
        assertEquals(Translator.FAULT, write(model, DEVICE, 0x10004));
        assertEquals(0xb0004, read(model, DEVICE, 0x10004));
        iommu.block(DEVICE);
        assertEquals(Translator.FAULT, read(model, DEVICE, 0x10004));
        assertEquals(0xa0004, write(model, OTHER, 0x10004));
      }
      assertThrows(IllegalStateException.class, a::close);
      iommu.block(OTHER);
      a.close();
      b.close();
      assertEquals(empty, bench.frames.bytesInUse());
    }
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("An entry is replaced as well where memory has no write of 16 bytes")
  void withoutPairs() {
    bench.pairs = false;
    moves();
  }

  @ParameterizedTest
  @DisplayName(
      "48882 2.2.3: pages of every size from 4 KiB to 256 GiB are made in one piece, and translate")
  @ValueSource(ints = {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 25, 29, 30, 31, 34, 37, 38})
  void sizes(int bits) {
    AmdViDriver iommu = bench.open(model);
    AddressSpace space = iommu.createAddressSpace(Granule.K4);
    long before = bench.frames.bytesInUse();
    long size = 1L << bits;
    assertTrue((space.pageSizes() & size) != 0);
    space.map(new Iova(size), new Pa(2 * size), size, Protection.READ_WRITE);
    int tables = IoPages.LEVELS - 1 - (bits - 12) / 9;
    assertEquals(before + tables * 4096L, bench.frames.bytesInUse(), "no smaller pages");
    iommu.attach(DEVICE, space);
    for (long at : List.of(size, size + 0xff8, size + size / 2, 2 * size - 8)) {
      assertEquals(at + size, write(model, DEVICE, at));
      assertEquals(new Pa(at + size), space.translate(new Iova(at)).orElseThrow());
    }
    assertEquals(Translator.FAULT, write(model, DEVICE, 2 * size));
    assertEquals(Translator.FAULT, write(model, DEVICE, size - 8));
    long hole = size + (size / 2 & -0x1000L);
    assertEquals(0x1000, space.unmap(new Iova(hole), 0x1000));
    assertEquals(Translator.FAULT, write(model, DEVICE, hole));
    if (bits > 13) {
      assertEquals(2 * size + 0x10, write(model, DEVICE, size + 0x10), "the rest stays");
      assertEquals(3 * size - 8, write(model, DEVICE, 2 * size - 8));
    }
    assertEquals(size - 0x1000, space.unmap(new Iova(0), 4 * size));
    assertEquals(before, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("One address space on two IOMMUs: an unmap reaches the caches of both")
  void twoIommus() {
    AmdViModel second = bench.model(AmdViFeatures.all());
    AmdViDriver one = bench.open(model);
    AmdViDriver two = bench.open(second);
    AddressSpace space = one.createAddressSpace(Granule.K4);
    one.attach(1, space);
    two.attach(2, space);
    space.map(new Iova(0x1000), new Pa(0x5000), 0x2000, Protection.READ_WRITE);
    assertEquals(0x5008, write(model, 1, 0x1008));
    assertEquals(0x5008, write(second, 2, 0x1008));
    space.unmap(new Iova(0x1000), 0x1000);
    assertEquals(Translator.FAULT, write(model, 1, 0x1008));
    assertEquals(Translator.FAULT, write(second, 2, 0x1008));
    assertEquals(0x6000, read(second, 2, 0x2000));
    two.block(2);
    space.unmap(new Iova(0x2000), 0x1000);
    two.attach(2, space);
    assertEquals(Translator.FAULT, read(second, 2, 0x2000), "nothing from before is left");
  }

  @Test
  @DisplayName("Faults of devices are read from the event log, with who, where and what for")
  void events() {
    AmdViDriver iommu = bench.open(model);
    assertEquals(List.of(), iommu.drainEvents().events());
    write(model, DEVICE, 0x7000);
    AmdViEvents events = iommu.drainEvents();
    assertEquals(
        List.of(new AmdViEvent("IO_PAGE_FAULT", DEVICE, 0, false, true, 0x7000)), events.events());
    assertFalse(events.lost());
    for (int i = 0; i < 600; i++) {
      read(model, OTHER, 0x1000L * i);
    }
    events = iommu.drainEvents();
    assertEquals(511, events.events().size());
    assertTrue(events.lost());
    read(model, OTHER, 0x1000);
    assertEquals(1, iommu.drainEvents().events().size(), "the log runs again");
  }

  @Test
  @DisplayName("48882 2.4: without INVALIDATE_IOMMU_ALL the start forgets device by device")
  void withoutInvalidateAll() {
    AmdViModel plain = bench.model(AmdViFeatures.all().with(AmdViRegisters.IA_SUP, 0));
    try (AmdViDriver iommu = bench.open(plain)) {
      iommu.bypass(DEVICE);
      assertEquals(0x1000, write(plain, DEVICE, 0x1000));
    }
  }

  @Test
  @DisplayName(
      "A command that the hardware stops at is told, taken out of the way, and the buffer goes on")
  void refusedCommand() {
    AmdViPort port = new AmdViPort("amd", bench.window(model), 1000);
    AmdViStart start =
        AmdViStart.run(port, bench.memory, bench.frames, AmdViSettings.of(bench.domains));
    AmdViCommandException refused =
        assertThrows(
            AmdViCommandException.class,
            () ->
                start
                    .commands()
                    .run(
                        List.of(
                            new AmdViCommand(0xf000_0000_0000_0000L, 0), AmdViCommand.device(3))));
    assertEquals("command 15", refused.command());
    start.commands().run(List.of(AmdViCommand.device(4)));
    assertEquals("ILLEGAL_COMMAND_ERROR", start.logs().events().drain().events().getFirst().name());
  }

  @Test
  @DisplayName("x2APIC ids need XTSup: the driver says so and keeps nothing")
  void unsupported() {
    AmdViModel old = bench.model(AmdViFeatures.all().with(AmdViRegisters.XT_SUP, 0));
    assertThrows(
        AmdViUnsupportedException.class,
        () ->
            bench.open(old, AmdViSettings.of(bench.domains).with(AmdViSettings.Use.X2APIC, true)));
    AmdViModel host = bench.model(AmdViFeatures.all().with(AmdViRegisters.GT_SUP, 0));
    AmdViUnsupportedException no =
        assertThrows(
            AmdViUnsupportedException.class,
            () ->
                bench.open(
                    host,
                    AmdViSettings.of(bench.domains).with(AmdViSettings.Use.GUEST_TABLES, true)));
    assertTrue(no.refusal().advice().contains("stage 2"), no.refusal().advice());
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName("A start that has no memory or fails at any write keeps nothing")
  void failedStart() {
    for (long limit : new long[] {0, DeviceTable.TABLE, DeviceTable.TABLE + 8192}) {
      bench.frames.limit(limit);
      assertThrows(OutOfFramesException.class, () -> bench.open(model));
      assertEquals(0, bench.frames.bytesInUse());
    }
    bench.frames.limit(Long.MAX_VALUE);
    for (int last = 1; last < 12; last++) {
      bench.writes.failAt(2L * DeviceTable.DEVICES + last);
      assertThrows(InjectedFault.class, () -> bench.open(model));
      assertEquals(0, bench.frames.bytesInUse(), "write " + last);
    }
  }
}
