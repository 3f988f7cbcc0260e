package dev.doorbell.hw.amdvi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.PostedDescriptor;
import dev.doorbell.irq.PostedInterrupt;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.X86Interrupt;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A translation and an interrupt that are known allocate nothing")
class AmdViZeroAllocationTest {
  private static final int DEVICE = 0x108;

  private final AmdViBench bench = new AmdViBench();
  private final AmdViModel model =
      new AmdViModel(AmdViFeatures.all(), bench.plain, (_, _, _) -> true, _ -> {});
  private final AmdViDriver iommu = bench.open(model);
  private final AmdViModel guestModel =
      new AmdViModel(AmdViFeatures.all(), bench.plain, (_, _, _) -> true, _ -> {});

  private interface Work {
    boolean once(int i);
  }

  // The least of several runs: the first ones run in the interpreter and load classes.
  private static long bytes(Work work) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int run = 0; run < 6; run++) {
      int done = 0;
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 4000; i++) {
        done += work.once(i) ? 1 : 0;
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      assertEquals(4000, done);
    }
    return least;
  }

  @Test
  @DisplayName("translate")
  void translate() {
    AddressSpace space = iommu.createAddressSpace(Granule.K4);
    space.map(new Iova(0x1000), new Pa(0x10_1000), 0x7f_f000, Protection.READ_WRITE);
    iommu.attach(DEVICE, space);
    assertEquals(0, bytes(i -> AmdViBench.write(model, DEVICE, 0x1000 + 0x1000L * (i % 512)) > 0));
  }

  @Test
  @DisplayName("translate by guest page tables, of a PASID too")
  void guestTables() {
    AmdViDriver driver =
        bench.open(
            guestModel, AmdViSettings.of(bench.domains).with(AmdViSettings.Use.GUEST_TABLES, true));
    AddressSpace space = driver.createAddressSpace(Granule.K4);
    space.map(new Iova(0x1000), new Pa(0x10_1000), 0x7f_f000, Protection.READ_WRITE);
    driver.attach(DEVICE, space);
    assertEquals(
        0, bytes(i -> AmdViBench.write(guestModel, DEVICE, 0x1000 + 0x1000L * (i % 512)) > 0));
    assertEquals(
        0,
        bytes(i ->
            guestModel.translate(DEVICE, 0, 0x1000 + 0x1000L * (i % 512), Translator.READ) > 0));
  }

  @Test
  @DisplayName("message, remapped and passed")
  void message() {
    RemapEntries entries = iommu.allocate(new MsiSource("a", DEVICE), 64, false);
    for (int i = 0; i < 64; i++) {
      entries.route(i, new X86Interrupt(0x40 + i, 1, false, 0, false));
    }
    assertEquals(
        0,
        bytes(i ->
            model.message(DEVICE, entries.address(i % 64), entries.data(i % 64), 4)
                == BusOutcome.OK));
    AmdViModel off = new AmdViModel(AmdViFeatures.all(), bench.plain, (_, _, _) -> true, _ -> {});
    assertEquals(0, bytes(i -> off.message(DEVICE, AmdViBench.FEE, 0x41, 4) == BusOutcome.OK));
    assertTrue(model.isMessage(entries.address(0)));
  }

  @Test
  @DisplayName("message to a guest that runs, and to one that the log is told of")
  void posted() {
    AmdViDriver driver =
        bench.open(model, AmdViSettings.of(bench.domains).with(AmdViSettings.Use.POSTING, true));
    RemapEntries entries = driver.allocate(new MsiSource("a", DEVICE), 2, false);
    PostedDescriptor running = driver.posting().orElseThrow().create();
    PostedDescriptor waiting = driver.posting().orElseThrow().create();
    running.send(0, 3);
    running.resume();
    entries.post(0, new PostedInterrupt(running.address(), 0x40, false));
    entries.post(1, new PostedInterrupt(waiting.address(), 0x41, false));
    assertEquals(
        0,
        bytes(i ->
            model.message(DEVICE, entries.address(i % 2), entries.data(i % 2), 4)
                == BusOutcome.OK));
    assertTrue(driver.posting().orElseThrow().waiting().contains(waiting));
  }
}
