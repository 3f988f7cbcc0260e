package dev.doorbell.hw.papr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("LoPAPR 14.5.4.2, 7.4: a PE's windows by calls")
class PaprDriverTest {
  private static final int STREAM = (int) PaprBench.LIOBN;
  private static final int ROUNDS = 500;
  private static final Pa PAGE = new Pa(PaprBench.RAM + 0x2000);

  private final PaprBench bench = new PaprBench();

  private AddressSpace mapped() {
    AddressSpace s = bench.driver.createAddressSpace(Granule.K4);
    s.map(new Iova(0x1000), PAGE, 0x3000, Protection.READ_WRITE);
    return s;
  }

  private void attach(AddressSpace s) {
    bench.driver.attach(STREAM, s);
  }

  @Test
  @DisplayName(
      "mappings made before and after the attach are in the window, and are gone when it is left")
  void mapAndLeave() {
    AddressSpace s = mapped();
    attach(s);
    assertEquals(PAGE.value() + 0x2008, bench.write(PaprBench.RID, 0x3008));
    s.map(new Iova(0x10_0000), PAGE, 0x1000, Protection.READ_ONLY);
    assertEquals(PAGE.value(), bench.access(PaprBench.RID, 0x10_0000, Translator.READ));
    assertEquals(0x3000, s.unmap(new Iova(0), 0x8000));
    assertEquals(Translator.FAULT, bench.write(PaprBench.RID, 0x1000));
    bench.driver.block(STREAM);
    assertEquals(Translator.FAULT, bench.access(PaprBench.RID, 0x10_0000, Translator.READ));
    s.close();
  }

  @Test
  @DisplayName("a mapping that is made while the window is left is not in it afterwards")
  void mapWhileLeaving() throws Exception {
    AddressSpace s = bench.driver.createAddressSpace(Granule.K4);
    AtomicInteger round = new AtomicInteger();
    AtomicInteger mapped = new AtomicInteger();
    Thread mapper =
        Thread.ofPlatform()
            .start(() -> {
              for (int i = 1; i <= ROUNDS; i++) {
                while (round.get() < i) {
                  Thread.onSpinWait();
                }
                s.map(new Iova(0x5000), PAGE, 0x1000, Protection.READ_WRITE);
                mapped.set(i);
              }
            });
    int left = 0;
    for (int i = 1; i <= ROUNDS; i++) {
      attach(s);
      round.set(i);
      bench.driver.block(STREAM);
      while (mapped.get() < i) {
        Thread.onSpinWait();
      }
      left += bench.write(PaprBench.RID, 0x5000) == Translator.FAULT ? 0 : 1;
      bench.driver.thaw();
      s.unmap(new Iova(0x5000), 0x1000);
      bench.made.clear();
    }
    mapper.join();
    assertEquals(0, left, "times that the device reached the page after its stream was blocked");
  }

  @Test
  @DisplayName("a PE that did what it may not is stopped, alone, until it is let go on")
  void stopped() {
    AddressSpace s = mapped();
    attach(s);
    bench.other.attach((int) PaprBench.OTHER, s);
    assertEquals(Translator.FAULT, bench.write(PaprBench.RID, 0x9000));
    assertTrue(bench.driver.isStopped());
    assertEquals(Translator.FAULT, bench.write(PaprBench.RID, 0x1000), "all of it");
    assertEquals(PAGE.value(), bench.write(PaprBench.OTHER_RID, 0x1000), "and nobody else");
    bench.driver.thaw();
    assertFalse(bench.driver.isStopped());
    assertEquals(PAGE.value(), bench.write(PaprBench.RID, 0x1000));
  }

  @Test
  @DisplayName(
      "7.3.11: a state that is not there for the moment is asked for again, after the time that is told")
  void unavailable() {
    AddressSpace s = mapped();
    attach(s);
    bench.write(PaprBench.RID, 0x9000);
    bench.unavailable = 3;
    assertTrue(bench.driver.isStopped());
    assertEquals(List.of(50L, 50L, 50L), bench.pauses);
    bench.unavailable = 1000;
    PaprException e = assertThrows(PaprException.class, bench.driver::isStopped);
    assertEquals("HypervisorBusy", e.refusal().type());
  }

  @Test
  @DisplayName("7.3.11: a PE is named by the address that the hypervisor tells")
  void named() {
    bench.named.clear();
    assertFalse(bench.driver.isStopped());
    assertEquals(List.of(PaprBench.RID << 8), bench.named);
  }

  @ParameterizedTest
  @DisplayName("a hypervisor without EEH for a function: its window is driven all the same")
  @ValueSource(strings = {"ibm,set-eeh-option", "ibm,get-config-addr-info2"})
  void withoutEeh(String absent) {
    bench.driver.close();
    bench.absent.add(absent);
    PaprDriver d =
        bench.open("tce@c", PaprBench.LIOBN, PaprBench.RID, AddressRange.ofSize(0, 0x40_0000));
    AddressSpace s = d.createAddressSpace(Granule.K4);
    s.map(new Iova(0x1000), PAGE, 0x1000, Protection.READ_WRITE);
    d.attach(STREAM, s);
    assertEquals(PAGE.value(), bench.write(PaprBench.RID, 0x1000));
    assertFalse(d.isStopped());
  }

  @Test
  @DisplayName("write-only, read-only and read-write pages")
  void protection() {
    AddressSpace s = bench.driver.createAddressSpace(Granule.K4);
    s.map(new Iova(0x1000), PAGE, 0x1000, Protection.DOORBELL);
    s.map(new Iova(0x2000), PAGE, 0x1000, Protection.READ_ONLY);
    attach(s);
    assertEquals(PAGE.value(), bench.write(PaprBench.RID, 0x1000));
    assertEquals(PAGE.value(), bench.access(PaprBench.RID, 0x2000, Translator.READ));
    assertEquals(Translator.FAULT, bench.access(PaprBench.RID, 0x1000, Translator.READ));
    bench.driver.thaw();
    assertEquals(Translator.FAULT, bench.write(PaprBench.RID, 0x2000));
  }

  @ParameterizedTest
  @DisplayName("without hcall-multi-tce every TCE is a call of its own")
  @ValueSource(strings = {"H_PUT_TCE_INDIRECT", "H_STUFF_TCE"})
  void single(String absent) {
    bench.absent.add(absent);
    AddressSpace s = mapped();
    attach(s);
    assertEquals(PAGE.value() + 0x2000, bench.write(PaprBench.RID, 0x3000));
    s.unmap(new Iova(0x1000), 0x3000);
    assertEquals(Translator.FAULT, bench.write(PaprBench.RID, 0x2000));
    assertTrue(Collections.frequency(bench.made, "H_PUT_TCE") >= 3);
  }

  @Test
  @DisplayName("a refused TCE: nothing is mapped, the call and its answer are told")
  void refused() {
    AddressSpace s = mapped();
    attach(s);
    Pa nobodys = new Pa(0x7000_0000);
    PaprException e =
        assertThrows(
            PaprException.class,
            () -> s.map(new Iova(0x8000), nobodys, 0x2000, Protection.READ_WRITE));
    assertEquals("HypervisorRefused", e.refusal().type());
    assertTrue(e.getMessage().contains("H_PUT_TCE_INDIRECT with H_PARAMETER"));
    assertEquals(Optional.empty(), s.translate(new Iova(0x8000)));
    s.map(new Iova(0x8000), PAGE, 0x2000, Protection.READ_WRITE);
    assertEquals(PAGE.value(), bench.write(PaprBench.RID, 0x8000));
  }

  @Test
  @DisplayName(
      "7.2.8.1: what is put off is asked for again, after the time that is told, and not for ever")
  void busy() {
    AddressSpace s = mapped();
    attach(s);
    bench.model.beBusy(3, 9901);
    s.map(new Iova(0x8000), PAGE, 0x1000, Protection.READ_WRITE);
    assertEquals(List.of(10L, 10L, 10L), bench.pauses);
    assertEquals(PAGE.value(), bench.write(PaprBench.RID, 0x8000));
    bench.model.beBusy(PaprCalls.MOST, 1);
    PaprException e =
        assertThrows(
            PaprException.class,
            () -> s.map(new Iova(0x9000), PAGE, 0x1000, Protection.READ_WRITE));
    assertEquals("HypervisorBusy", e.refusal().type());
    assertEquals(PaprCalls.MOST, e.refusal().needed().orElseThrow().value());
  }

  @Test
  @DisplayName("7.4.1: 64 KiB pages have a window of their own, which goes with the driver")
  void dynamicWindow() {
    assertEquals(List.of(Granule.K4, Granule.K64), bench.driver.capabilities().granules());
    AddressSpace s = bench.driver.createAddressSpace(Granule.K64);
    long start = s.aperture().start();
    assertEquals(0x800_0000_0000_0000L, start);
    s.map(new Iova(start + 0x1_0000), new Pa(PaprBench.RAM), 0x2_0000, Protection.READ_WRITE);
    attach(s);
    assertEquals(PaprBench.RAM + 0x1_2345, bench.write(PaprBench.RID, start + 0x2_2345));
    AddressSpace first = mapped();
    attach(first);
    assertEquals(PAGE.value(), bench.write(PaprBench.RID, 0x1000));
    assertEquals(Translator.FAULT, bench.write(PaprBench.RID, start + 0x2_2345));
    assertThrows(IllegalStateException.class, () -> bench.driver.close(), "still attached");
    bench.driver.block(STREAM);
    long inUse = bench.frames.bytesInUse();
    bench.driver.close();
    assertEquals(inUse - 0x1000, bench.frames.bytesInUse());
    int[] told = new int[5];
    bench.rtas(
        Calls.QUERY_WINDOW,
        new int[] {PaprBench.RID << 8, (int) (PaprBench.BUID >>> 32), (int) PaprBench.BUID},
        told);
    assertEquals(1, told[1], "the window was given back");
  }

  @Test
  @DisplayName("another's stream, another's tables, and no way around the window")
  void strangers() {
    assertThrows(IllegalArgumentException.class, () -> bench.driver.block(7));
    AddressSpace s = mapped();
    assertThrows(IllegalArgumentException.class, () -> bench.driver.attach(7, s));
    assertEquals(
        "NoBypass",
        assertThrows(PaprException.class, () -> bench.driver.bypass(STREAM)).refusal().type());
    assertThrows(
        IllegalArgumentException.class, () -> bench.driver.createAddressSpace(new Granule(24)));
  }

  @ParameterizedTest
  @DisplayName("a call that is left out shows")
  @ValueSource(
      strings = {"", "H_PUT_TCE", "H_PUT_TCE_INDIRECT", "H_STUFF_TCE", "ibm,set-eeh-option"})
  void sabotage(String leftOut) {
    AddressSpace s = mapped();
    bench.leftOut.add(leftOut);
    attach(s);
    boolean put = bench.write(PaprBench.RID, 0x1000) == PAGE.value();
    assertEquals(!leftOut.equals("H_PUT_TCE_INDIRECT"), put);
    bench.leftOut.remove(leftOut);
    attach(mapped());
    bench.leftOut.add(leftOut);
    AddressSpace again = mapped();
    attach(again);
    again.map(new Iova(0x8000), PAGE, 0x1000, Protection.READ_WRITE);
    if (put) {
      assertEquals(
          leftOut.equals("H_PUT_TCE") ? Translator.FAULT : PAGE.value(),
          bench.write(PaprBench.RID, 0x8000));
    }
    bench.model.rtas(
        Calls.EEH_OPTION,
        new int[] {
          PaprBench.RID << 8,
          (int) (PaprBench.BUID >>> 32),
          (int) PaprBench.BUID,
          Calls.EEH_THAW_DMA
        },
        new int[1]);
    again.unmap(new Iova(0x1000), 0x3000);
    if (put) {
      assertEquals(
          leftOut.equals("H_STUFF_TCE") ? PAGE.value() : Translator.FAULT,
          bench.write(PaprBench.RID, 0x1000));
    }
    bench.write(PaprBench.RID, 0x20_0000);
    bench.driver.thaw();
    assertEquals(leftOut.equals("ibm,set-eeh-option"), bench.driver.isStopped());
  }

  @Test
  @DisplayName(
      "any maps, unmaps and attachments: a device reaches what is mapped, and nothing else")
  void property() {
    Random random = new Random(7);
    for (int round = 0; round < 20; round++) {
      PaprBench b = new PaprBench();
      AddressSpace s = b.driver.createAddressSpace(Granule.K4);
      TreeMap<Long, Long> pages = new TreeMap<>();
      boolean on = false;
      for (int step = 0; step < 60; step++) {
        long at = random.nextLong(1, 64) << 12;
        long count = random.nextLong(1, 5);
        switch (random.nextInt(4)) {
          case 0 -> {
            boolean free = pages.subMap(at, at + (count << 12)).isEmpty();
            Pa pa = new Pa(PaprBench.RAM + (random.nextLong(0, 32) << 12));
            if (free) {
              s.map(new Iova(at), pa, count << 12, Protection.READ_WRITE);
              for (long i = 0; i < count; i++) {
                pages.put(at + (i << 12), pa.value() + (i << 12));
              }
            } else {
              assertThrows(
                  IllegalArgumentException.class,
                  () -> s.map(new Iova(at), pa, count << 12, Protection.READ_WRITE));
            }
          }
          case 1 -> {
            int had = pages.subMap(at, at + (count << 12)).size();
            assertEquals((long) had << 12, s.unmap(new Iova(at), count << 12));
            pages.subMap(at, at + (count << 12)).clear();
          }
          case 2 -> {
            on = !on;
            if (on) {
              b.driver.attach(STREAM, s);
            } else {
              b.driver.block(STREAM);
            }
          }
          default -> {
            long expected = on ? pages.getOrDefault(at, Translator.FAULT) : Translator.FAULT;
            assertEquals(expected, b.write(PaprBench.RID, at), "0x%x".formatted(at));
            b.driver.thaw();
            assertEquals(
                Optional.ofNullable(pages.get(at)), s.translate(new Iova(at)).map(Pa::value));
          }
        }
      }
    }
  }
}
