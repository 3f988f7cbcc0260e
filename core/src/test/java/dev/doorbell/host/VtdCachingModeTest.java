package dev.doorbell.host;

import static dev.doorbell.host.VtdBench.US;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.vtd.VtdDriver;
import dev.doorbell.hw.vtd.VtdHardware;
import dev.doorbell.hw.vtd.VtdSettings;
import dev.doorbell.hw.vtd.VtdTags;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.ModelRegisters;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("VT-d 4.1, 6.1: a unit in caching mode keeps entries that are not present")
class VtdCachingModeTest {
  private static final long CAP = 0x8;
  private static final long CM = 0x80;
  private static final long IQT = 0x88;
  private static final long IQA = 0x90;

  /// A context cache invalidation (1) of one function (11b).
  private static final int ONE_CONTEXT = 0x31;

  private static final int WAIT_BYTES = 16;

  private final VtdBench bench = new VtdBench(List.of(0L, 1L));
  private final RegisterBus unit = new ModelRegisters(bench.model);
  private final List<Long> forgotten = new ArrayList<>();
  private int submissions;
  private int failing = -1;

  /// The model's registers, with caching mode in what it can do; notes which entries it is told to forget.
  private final RegisterBus caching =
      new RegisterBus() {
        @Override
        public long read(long offset, int bytes) {
          return unit.read(offset, bytes) | (offset == CAP ? CM : 0);
        }

        @Override
        public void write(long offset, long value, int bytes) {
          if (offset == IQT) {
            if (submissions++ == failing) {
              throw new BusErrorException("write", offset, bytes);
            }
            long queue = unit.read64(IQA) & -0x1000L;
            long at = (value - 2 * WAIT_BYTES) & 0xfff;
            long descriptor = bench.memory.read64(queue + at);
            if ((descriptor & 0x3f) == ONE_CONTEXT) {
              forgotten.add(descriptor);
            }
          }
          unit.write(offset, value, bytes);
        }
      };

  @Test
  @DisplayName(
      "an attach that is taken back has the unit forget the entry that was absent in between")
  void takenBack() {
    VtdDriver driver =
        VtdDriver.open(
            new VtdHardware("vt-d@0xfed90000", caching, bench.memory, bench.frames),
            new VtdSettings(new VtdTags(), false, false));
    AddressSpace a = driver.createAddressSpace(Granule.K4);
    AddressSpace b = driver.createAddressSpace(Granule.K4);
    a.map(new Iova(0x1000), new Pa(0xa000), 0x1000, Protection.READ_WRITE);
    driver.attach(US, a);
    int failures = 0;
    for (int n = 0; ; n++) {
      submissions = 0;
      failing = n;
      forgotten.clear();
      try {
        driver.attach(US, b);
        break;
      } catch (RuntimeException expected) {
        failures++;
      }
      failing = -1;
      // Domain 0, this source-id: how an entry that was not present is known (6.1).
      long absent = forgotten.getLast();
      assertEquals(0, absent >>> 16 & 0xffff, "submission " + n);
      assertEquals(US, absent >>> 32 & 0xffff, "submission " + n);
      assertEquals(0xa008, bench.write(US, 0x1008), "submission " + n);
    }
    failing = -1;
    assertTrue(failures > 2, "an attach tells the unit several things");
    a.close();
    driver.block(US);
    b.close();
  }
}
