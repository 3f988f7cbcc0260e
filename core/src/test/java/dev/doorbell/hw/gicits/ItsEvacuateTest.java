package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.irq.VectorBlock;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ItsEvacuateTest {
  private static final int DEVICE = 0x100;

  @ParameterizedTest(name = "cpuInterface = {0}")
  @ValueSource(booleans = {true, false})
  @DisplayName(
      "IHI 0069 5.3.13: a CPU that stops gives away all its vectors, with what is pending, masked and not, of every ITS; others stay")
  void evacuate(boolean cpuInterface) {
    DrivenIts m = new DrivenIts(3, cpuInterface);
    ItsModel secondModel = new ItsModel(ItsConfig.QEMU, m.memory, m.gicModel);
    ItsDriver second = ItsDriver.open(m.itsHardware("its@0x8090000", secondModel), m.gic);
    VectorBlock a = m.allocate(DEVICE, 4);
    VectorBlock b = second.allocate(DrivenIts.source(DEVICE), 1, false);
    for (int i = 0; i < 3; i++) {
      a.activate(i, i == 2 ? 0 : 1);
    }
    b.activate(0, 1);
    a.mask(1);
    for (int i = 0; i < 3; i++) {
      m.fire(a, i, DEVICE);
    }
    secondModel.write(0x1_0040, b.data(0), 4, DEVICE);
    List<ItsDriver> both = List.of(m.its, second);
    assertThrows(IllegalArgumentException.class, () -> ItsDriver.evacuate(both, 1, 3));
    assertThrows(IllegalArgumentException.class, () -> ItsDriver.evacuate(both, -1, 0));
    assertEquals(1, a.cpu(0));
    ItsDriver.evacuate(both, 1, 1);
    assertEquals(1, a.cpu(0));
    ItsDriver.evacuate(both, 1, 2);
    assertEquals(List.of(2, 2, 0), List.of(a.cpu(0), a.cpu(1), a.cpu(2)));
    assertEquals(2, b.cpu(0));
    assertEquals(
        Set.of(a.intid(0) + "@2", a.intid(2) + "@0"), new HashSet<>(m.collect()), "once each");
    assertEquals(
        1, second.collect((intid, cpu) -> assertEquals(b.intid(0) + "@2", intid + "@" + cpu)));
    a.unmask(1);
    assertEquals(List.of(a.intid(1) + "@2"), m.collect());
    m.fire(a, 0, DEVICE);
    assertEquals(List.of(a.intid(0) + "@2"), m.collect());
    a.activate(3, 1);
    m.fire(a, 3, DEVICE);
    assertEquals(List.of(a.intid(3) + "@1"), m.collect(), "the CPU takes vectors again");
    assertEquals(0, m.itsModel.commandErrors(), m.itsModel::lastCommandError);
    a.free();
    b.free();
  }
}
