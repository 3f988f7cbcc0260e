package dev.doorbell.hw.phb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("What a PHB4 has kept shows which register a driver does not write")
class Phb4SabotageTest {
  private static final long RTC = 0x208;
  private static final long TCE_KILL = 0x210;
  private static final long IODA_DATA0 = 0x228;

  private final Phb4Bench bench = new Phb4Bench();
  private final Phb4Driver driver = bench.driver;

  private static void shows(boolean culprit, Object right, Object seen) {
    if (culprit) {
      assertNotEquals(right, seen, "the missing write must show");
    } else {
      assertEquals(right, seen, "that write has nothing to do with it");
    }
  }

  private AddressSpace mapped() {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    s.map(new Iova(0x1000), new Pa(0x2000_0000L), 0x1000, Protection.READ_WRITE);
    return s;
  }

  @ParameterizedTest
  @DisplayName("PHB_TCE_KILL after an unmap")
  @ValueSource(longs = {0, RTC, TCE_KILL, IODA_DATA0})
  void unmap(long leftOut) {
    AddressSpace s = mapped();
    driver.attach(1, s);
    assertEquals(0x2000_0000L, bench.write(1, 0x1000));
    bench.leftOut = leftOut;
    s.unmap(new Iova(0x1000), 0x1000);
    shows(leftOut == TCE_KILL, Translator.FAULT, bench.write(1, 0x1000));
  }

  @ParameterizedTest
  @DisplayName("PHB_TCE_KILL, or the window itself, when a function moves to other tables")
  @ValueSource(longs = {0, RTC, TCE_KILL, IODA_DATA0})
  void move(long leftOut) {
    driver.attach(1, mapped());
    assertEquals(0x2000_0000L, bench.write(1, 0x1000));
    AddressSpace other = driver.createAddressSpace(Granule.K4);
    bench.leftOut = leftOut;
    driver.attach(1, other);
    boolean culprit = leftOut == TCE_KILL || leftOut == IODA_DATA0;
    shows(culprit, Translator.FAULT, bench.write(1, 0x1000));
  }

  @ParameterizedTest
  @DisplayName("PHB_RTC_INVALIDATE when a requester id gets a PE")
  @ValueSource(longs = {0, RTC, TCE_KILL})
  void pe(long leftOut) {
    assertEquals(Translator.FAULT, bench.write(1, 0x1000));
    bench.leftOut = leftOut;
    driver.attach(1, mapped());
    shows(leftOut == RTC, 0x2000_0000L, bench.write(1, 0x1000));
  }

  @ParameterizedTest
  @DisplayName("MIST when an interrupt gets an owner: its messages stop whoever sends them")
  @ValueSource(longs = {0, TCE_KILL, IODA_DATA0})
  void owner(long leftOut) {
    bench.leftOut = leftOut;
    VectorBlock b = driver.messages().allocate(new MsiSource("f", 1), 1, false);
    b.activate(0, 0);
    shows(leftOut == IODA_DATA0, BusOutcome.OK, bench.send(1, b, 0));
  }
}
