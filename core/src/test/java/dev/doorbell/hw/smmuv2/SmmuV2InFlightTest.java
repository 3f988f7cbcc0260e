package dev.doorbell.hw.smmuv2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@DisplayName("SMMUv2 driver: caches and accesses in flight")
@Timeout(60)
class SmmuV2InFlightTest {
  private static final int SID = 0x108;
  private static final int PATIENCE = 200;

  private final V2Bench bench = new V2Bench();
  private final SmmuV2Driver smmu = bench.open();
  private final AddressSpace space = smmu.createAddressSpace(Granule.K4);

  /// Has another thread change something while an access of this thread is in flight.
  ///
  /// {@return what ended first}
  private List<String> whileInFlight(Runnable change) throws InterruptedException {
    List<String> ended = new CopyOnWriteArrayList<>();
    bench.failWrites(number -> false);
    bench.model.begin();
    Thread other =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              change.run();
              ended.add("change");
            });
    while (bench.writes() == 0) {
      Thread.yield();
    }
    for (int i = 0; i < PATIENCE && other.isAlive(); i++) {
      Thread.yield();
    }
    ended.add("access");
    bench.model.end();
    other.join();
    return ended;
  }

  @Test
  @DisplayName("IHI 0062 4.5: an unmap returns when accesses that began before have ended")
  void unmap() throws InterruptedException {
    space.map(new Iova(0x1000), new Pa(0x5000), 0x1000, Protection.READ_WRITE);
    smmu.attach(SID, space);
    assertEquals(0x5000, bench.write(SID, 0x1000));
    assertEquals(
        List.of("access", "change"), whileInFlight(() -> space.unmap(new Iova(0x1000), 0x1000)));
    assertEquals(Translator.FAULT, bench.write(SID, 0x1000));
  }

  @Test
  @DisplayName("a stream that passed is blocked when accesses that began before have ended")
  void block() throws InterruptedException {
    smmu.bypass(SID);
    assertEquals(0x1000, bench.write(SID, 0x1000));
    assertEquals(List.of("access", "change"), whileInFlight(() -> smmu.block(SID)));
    assertEquals(Translator.FAULT, bench.write(SID, 0x1000));
  }

  @Test
  @DisplayName("a stream that passed is translated when accesses that began before have ended")
  void attach() throws InterruptedException {
    space.map(new Iova(0x1000), new Pa(0x5000), 0x1000, Protection.READ_WRITE);
    smmu.bypass(SID);
    assertEquals(0x1000, bench.write(SID, 0x1000));
    assertEquals(List.of("access", "change"), whileInFlight(() -> smmu.attach(SID, space)));
    assertEquals(0x5000, bench.write(SID, 0x1000));
  }

  @Test
  @DisplayName("IHI 0062 4.5: where a table goes, what the TLB knows of the way to it goes, too")
  void tableGone() {
    smmu.attach(SID, space);
    space.map(new Iova(0x20_0000), new Pa(0x5000), 0x1000, Protection.READ_WRITE);
    assertEquals(0x5000, bench.write(SID, 0x20_0000));
    space.unmap(new Iova(0x20_0000), 0x1000);
    for (int i = 0; i < 4; i++) {
      // The tables' memory becomes somebody else's.
      bench.frames.allocate(0x1000, 0x1000);
    }
    space.map(new Iova(0x20_0000), new Pa(0x6000), 0x1000, Protection.READ_WRITE);
    assertEquals(0x6000, bench.write(SID, 0x20_0000));
  }
}
