package dev.doorbell.hw.mpic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.simple.ModelRegisters;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("MPIC message banks: layout, model, driver, walker")
class MpicMsiDriverTest {
  private static final MsiSource WHO = new MsiSource("0000:01:00.0", 0x100);
  private static final int FUNCTION = 0x100;

  private final List<Integer> arrived = new ArrayList<>();

  private static MpicMsiDriver open(MpicMsiModel model, boolean wide) {
    return MpicMsiDriver.open(
        new MpicMsiBank(
            "bank", new ModelRegisters(model), new Pa(0x4_4140), wide, Source.rule("test")));
  }

  private void ring(MpicMsiModel model, boolean wide, int data) {
    // Once by the bank's own register, once where it is repeated.
    long at = wide ? MpicMsiRegisters.MSIIR1.offset() : MpicMsiRegisters.MSIIR.offset();
    if (data % 2 == 0) {
      model.write(at, Integer.toUnsignedLong(data), 4, FUNCTION);
    } else {
      model.alias().write(0, Integer.toUnsignedLong(data), 4, FUNCTION);
    }
  }

  private void collect(MpicMsiDriver driver) {
    arrived.clear();
    driver.collect((intid, _) -> arrived.add(intid));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName("every datum arrives once, as its own number, and as the walker says")
  void everyNumber(boolean wide) {
    MpicMsiModel model = new MpicMsiModel(wide);
    MpicMsiDriver driver = open(model, wide);
    int all = driver.vectorsFree();
    assertEquals(wide ? 512 : 256, all);
    VectorBlock block = driver.allocate(WHO, all, false);
    MpicMsiWalker walker = new MpicMsiWalker("bank", new Pa(block.doorbell(0)), wide);
    for (int i = 0; i < all; i++) {
      block.activate(i, 0);
      ring(model, wide, block.data(i));
      ring(model, wide, block.data(i));
      collect(driver);
      assertEquals(List.of(block.intid(i)), arrived);
      assertEquals(
          block.intid(i),
          walker
              .arrive(new Pa(block.doorbell(i)), block.data(i), Basis.DERIVED)
              .number()
              .orElseThrow());
    }
    assertThrows(VectorsExhausted.class, () -> driver.allocate(WHO, 1, false));
    block.free();
    assertEquals(all, driver.vectorsFree());
  }

  /// Linux 6.12 `fsl_msi.c`: `srs << srs_shift | ibs << ibs_shift`, with shifts 5 and 0, or 0 and 4 for MSIIR1.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName("numbers are composed of SRS and IBS as another publication does it")
  void numbers(boolean wide) {
    for (int srs = 0; srs < (wide ? 16 : 8); srs++) {
      for (int ibs = 0; ibs < 32; ibs++) {
        int linux = wide ? srs | ibs << 4 : srs << 5 | ibs;
        assertEquals(linux, MpicMsiRegisters.number(srs, ibs, wide));
        assertEquals(linux, MpicMsiRegisters.named(MpicMsiRegisters.swapped(linux), wide));
      }
    }
  }

  @Test
  @DisplayName("masked: kept for the unmask; inactive: dropped, and not told to the next owner")
  void masks() {
    MpicMsiModel model = new MpicMsiModel(false);
    MpicMsiDriver driver = open(model, false);
    VectorBlock block = driver.allocate(WHO, 4, true);
    assertEquals(0, block.data(0) % 4);
    for (int i = 0; i < 4; i++) {
      block.activate(i, 0);
    }
    block.mask(1);
    ring(model, false, block.data(1));
    ring(model, false, block.data(2));
    collect(driver);
    assertEquals(List.of(block.intid(2)), arrived);
    block.unmask(1);
    collect(driver);
    assertEquals(List.of(block.intid(1)), arrived);
    ring(model, false, block.data(3));
    ring(model, false, block.data(0));
    block.deactivate(3);
    ring(model, false, block.data(3));
    ring(model, false, block.data(2));
    block.activate(3, 0);
    collect(driver);
    assertEquals(List.of(block.intid(0), block.intid(2)), arrived);
    assertThrows(IllegalArgumentException.class, () -> block.retarget(0, 1));
    block.free();
  }

  @Test
  @DisplayName("a CPU's write is not swapped, a device's is")
  void endianness() {
    MpicMsiModel model = new MpicMsiModel(false);
    MpicMsiDriver driver = open(model, false);
    VectorBlock block = driver.allocate(WHO, 256, false);
    for (int i = 0; i < 256; i++) {
      block.activate(i, 0);
    }
    new ModelRegisters(model).write32(MpicMsiRegisters.MSIIR.offset(), 0x2300_0000);
    collect(driver);
    assertEquals(List.of(0x23), arrived);
    assertTrue(driver.id().equals("bank") && !driver.isolated());
  }
}
