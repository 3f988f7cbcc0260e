package dev.doorbell.hw.gicv2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.simple.ModelRegisters;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("GICv2 driver on the model")
class GicV2DriverTest {
  private final GicV2Model model = new GicV2Model(new GicV2Config(2, 96, 5));
  private final RegisterBus gicd = new ModelRegisters(model.distributor(0));
  private final RegisterBus gicc = new ModelRegisters(model.cpuInterface(0));
  private final List<String> arrived = new ArrayList<>();

  private GicV2Hardware hardware() {
    return GicV2Hardware.of("gicd@0x8000000", gicd, Optional.of(gicc), 2);
  }

  private int collect(GicV2Driver driver, int first, int last) {
    arrived.clear();
    return driver.collect(first, last, (intid, cpu) -> arrived.add(intid + "@" + cpu));
  }

  private static void start(GicV2Driver driver, int intid, int cpu) {
    driver.configureEdge(intid);
    driver.route(intid, cpu);
    driver.enable(intid);
  }

  @Test
  @DisplayName(
      "opening clears what was pending, active and enabled among SPIs, and leaves SGIs and PPIs alone")
  void opens() {
    gicd.write32(0x100, 1 << 27);
    gicd.write32(0x104, -1);
    gicd.write32(0x204, -1);
    gicd.write32(0x304, -1);
    GicV2Driver driver = GicV2Driver.open(hardware());
    assertEquals(1 << 27, gicd.read32(0x100));
    assertEquals(0, gicd.read32(0x104));
    assertEquals(0, gicd.read32(0x204));
    assertEquals(0, gicd.read32(0x304));
    assertEquals(0x01010101, gicd.read32(0x820));
    assertEquals(0xa0a0a0a0, gicd.read32(0x420));
    assertEquals(1, gicd.read32(0x000));
    assertEquals(127, driver.lastSpi());
    assertEquals(2, driver.cpus());
  }

  @Test
  @DisplayName(
      "through GICC: SPIs of this CPU are acknowledged, those of the other are read from the Distributor")
  void throughGicc() {
    GicV2Driver driver = GicV2Driver.open(hardware());
    start(driver, 40, 0);
    start(driver, 41, 1);
    model.spi(40).pulse();
    model.spi(41).pulse();
    assertEquals(2, collect(driver, 32, 127));
    assertEquals(List.of("40@0", "41@1"), arrived);
    assertEquals(0, gicd.read32(0x204));
    assertEquals(0, gicd.read32(0x304));
    assertEquals(0, collect(driver, 32, 127));
    model.spi(40).pulse();
    assertEquals(1, collect(driver, 40, 40));
  }

  @Test
  @DisplayName("through processors: each CPU acknowledges its own")
  void throughProcessors() {
    model.openCpuInterfaces();
    GicV2Driver driver = GicV2Driver.open(hardware().with(model));
    start(driver, 40, 0);
    start(driver, 127, 1);
    model.spi(40).pulse();
    model.spi(127).pulse();
    assertEquals(2, collect(driver, 32, 127));
    assertEquals(List.of("40@0", "127@1"), arrived);
    assertEquals(0, gicd.read32(0x304));
  }

  @Test
  @DisplayName("without any CPU interface: pending and enabled ones are taken")
  void byPendingState() {
    GicV2Driver driver =
        GicV2Driver.open(GicV2Hardware.of("gicd@0x8000000", gicd, Optional.empty(), 2));
    start(driver, 40, 1);
    driver.configureEdge(42);
    model.spi(40).pulse();
    model.spi(42).pulse();
    assertEquals(1, collect(driver, 32, 127));
    assertEquals(List.of("40@1"), arrived);
    assertTrue(driver.isPending(42));
  }

  @Test
  @DisplayName(
      "one that was acknowledged for somebody else's range, or disabled since, waits and is not lost")
  void waits() {
    GicV2Driver driver = GicV2Driver.open(hardware());
    start(driver, 40, 0);
    start(driver, 60, 0);
    model.spi(40).pulse();
    model.spi(60).pulse();
    assertEquals(1, collect(driver, 32, 47));
    driver.disable(60);
    assertTrue(driver.isPending(60));
    assertEquals(0, collect(driver, 48, 127));
    driver.enable(60);
    assertEquals(1, collect(driver, 48, 127));
    assertFalse(driver.isPending(60));
  }

  @Test
  @DisplayName("a pending SPI moves along when routed elsewhere, and is forgotten when cleared")
  void movesAndForgets() {
    model.openCpuInterfaces();
    GicV2Driver driver = GicV2Driver.open(hardware().with(model));
    start(driver, 40, 0);
    driver.disable(40);
    driver.setPending(40);
    driver.route(40, 1);
    driver.enable(40);
    assertEquals(1, collect(driver, 32, 127));
    assertEquals(List.of("40@1"), arrived);
    driver.setPending(40);
    driver.clearPending(40);
    assertEquals(0, collect(driver, 32, 127));
  }

  @Test
  @DisplayName("SPIs and CPUs that are not there are refused, naming those that are")
  void refuses() {
    GicV2Driver driver = GicV2Driver.open(hardware());
    var spi = assertThrows(IllegalArgumentException.class, () -> driver.enable(128));
    assertEquals("gicd@0x8000000 has SPIs 32 to 127 and not 128", spi.getMessage());
    assertThrows(IllegalArgumentException.class, () -> driver.enable(31));
    var cpu = assertThrows(IllegalArgumentException.class, () -> driver.route(40, 2));
    assertEquals("gicd@0x8000000 has CPUs 0 to 1 and not 2", cpu.getMessage());
  }

  @Test
  @DisplayName("a machine with more CPUs than the GIC, and what is no GICv2, fail typed")
  void wrongHardware() {
    var e =
        assertThrows(
            MsiControllerFailed.class,
            () -> GicV2Driver.open(GicV2Hardware.of("gicd@0", gicd, Optional.empty(), 3)));
    assertEquals(
        "gicd@0 has CPU interfaces 0 to 1 and firmware tells of 2 (GICD_TYPER 0x23)",
        e.getMessage());
    RegisterBus zeros =
        new RegisterBus() {
          @Override
          public long read(long offset, int bytes) {
            return 0;
          }

          @Override
          public void write(long offset, long value, int bytes) {
            throw new AssertionError("a write to what is no GIC");
          }
        };
    assertThrows(
        MsiControllerFailed.class,
        () -> GicV2Driver.open(GicV2Hardware.of("gicd@0", zeros, Optional.empty(), 1)));
  }
}
