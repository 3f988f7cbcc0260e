package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.irq.TooFewVectors;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.MsixLayout;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PcieLayout;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 3: a device as its user sees it")
class OwnDeviceTest {
  private final OwnLab lab = new OwnLab();
  private final Sbdf msix = lab.msix().getFirst();

  private Device open(Sbdf f) {
    lab.vfio().open(ContainerOptions.USUAL).attach(lab.vfio().group(f));
    return lab.vfio().group(f).open(f);
  }

  private static PciFunction seen(Device d) {
    return PciFunction.of(d.function(), d.config(), "user");
  }

  @Test
  void theUsersCopyOfMsixNeverReachesTheFunction() {
    Device d = open(msix);
    List<Object> before = lab.state();
    MsixCapability cap = seen(d).msix().thing().orElseThrow();
    RegisterBus bar = d.region(RegionType.ofBar(cap.tableBar()));
    for (int at = 0; at < 8 * 16; at += 4) {
      bar.write(at, 0x1111_1111L * (at % 16 + 1), 4);
    }
    assertEquals(0x1111_1111L * 5, bar.read(4, 4));
    assertEquals(0x5555_5555_1111_1111L, bar.read(0, 8));
    assertEquals(0x55, bar.read(5, 1));
    d.config().write(cap.offset() + (int) MsixLayout.CONTROL.offset(), 0xc000, 2);
    assertTrue(cap.isEnabled());
    assertTrue(cap.isFunctionMasked());
    assertEquals(8, cap.vectors(), "the size is the function's");
    assertEquals(before, lab.state());
    d.reset();
    assertFalse(cap.isEnabled());
    assertEquals(1, bar.read(12, 4), "after a reset every entry is masked");
    assertEquals(0, bar.read(0, 4));
  }

  @Test
  void theUserSeesNothingOfTheHostsVectors() {
    Device d = open(msix);
    d.enable(IrqType.MSIX, 2, List.of(new EventCounter(), new EventCounter()));
    MsixCapability cap = seen(d).msix().thing().orElseThrow();
    RegisterBus bar = d.region(RegionType.ofBar(cap.tableBar()));
    assertFalse(cap.isEnabled());
    for (int i = 0; i < 8; i++) {
      assertEquals(0, bar.read(i * 16, 8));
      assertEquals(0x1_0000_0000L, bar.read(i * 16 + 8, 8));
    }
    Device m = open(lab.msi());
    m.enable(IrqType.MSI, 1, List.of(new EventCounter()));
    MsiCapability msi = seen(m).msi().thing().orElseThrow();
    assertFalse(msi.isEnabled());
    assertEquals(0, msi.address(0));
    assertEquals(0, msi.data(0));
    msi.write(0, 0x1234_5678_9abc_def0L, 0x4321);
    msi.enable(2);
    msi.mask(1, true);
    assertEquals(0x1234_5678_9abc_def0L, msi.address(0));
    assertTrue(msi.isMasked(1));
    assertTrue(msi.isEnabled());
    PciFunction real = PciFunction.of(lab.msi(), lab.endpoints.get(lab.msi()).config(), "hardware");
    assertNotEquals(0x1234_5678_9abc_def0L, real.msi().thing().orElseThrow().address(0));
  }

  @Test
  void barsAreSizedOnTheUsersCopy() {
    Device d = open(msix);
    ConfigSpace real = lab.endpoints.get(msix).config();
    int placed = real.read32(0x14);
    ConfigSpace c = d.config();
    c.write(0x10, -1, 4);
    c.write(0x14, -1, 4);
    assertEquals(0xffff_f004, c.read32(0x10), "4 KiB, 64-bit");
    assertEquals(0xffff_ffff, c.read32(0x14));
    c.write(0x18, -1, 4);
    assertEquals(0xffff_0004, c.read32(0x18), "64 KiB");
    c.write(0x20, -1, 4);
    assertEquals(0, c.read32(0x20), "no BAR 4");
    c.write(0x30, -1, 4);
    assertEquals(0, c.read32(0x30), "no ROM");
    assertEquals(placed, real.read32(0x14));
    assertEquals(
        DemoLayout.SIGNATURE,
        d.region(RegionType.BAR0).read(DemoLayout.ID.offset(), 4),
        "the host still reaches it");
  }

  @Test
  void commandIsTheUsersCopyButForBusMastering() {
    Device d = open(msix);
    ConfigAccess real = ConfigAccess.header(lab.endpoints.get(msix).config());
    d.config().write(4, 0, 2);
    assertTrue(real.isSet(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.MEMORY_SPACE_ENABLE));
    assertFalse(real.isSet(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE));
    d.config().write(4, 0x406, 2);
    assertEquals(0x406, d.config().read16(4));
    assertTrue(real.isSet(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE));
    d.config().write(4, 2, 1);
    assertFalse(real.isSet(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE));
    assertEquals(real.read(ConfigHeaderLayout.VENDOR), d.config().read16(0));
    d.config().write(0, 0x1234, 2);
    assertEquals(DemoLayout.VENDOR, d.config().read16(0));
    d.config().write(0x3c, 0x0b, 1);
    assertEquals(0x0b, d.config().read8(0x3c));
    assertEquals(0, d.config().read8(0x3d), "no wired interrupt");
  }

  @Test
  void aFunctionLevelResetIsDoneAndVectorsLive() {
    Device d = open(msix);
    d.config().write(4, 6, 2);
    EventCounter t = new EventCounter();
    d.enable(IrqType.MSIX, 1, List.of(t));
    int express = 0x40;
    int control = express + (int) PcieLayout.DEVICE_CONTROL.offset();
    d.region(RegionType.BAR0).write(DemoLayout.SOURCE.offset(), 0x1234, 8);
    d.config().write(control, d.config().read16(control) | 0x8000, 2);
    assertEquals(0, d.region(RegionType.BAR0).read(DemoLayout.SOURCE.offset(), 8));
    assertEquals(0, d.config().read16(control) & 0x8000);
    d.config().write(control + 1, 0x80, 1);
    assertFalse(lab.isBusMaster(msix), "a reset ends DMA");
    d.config().write(4, 6, 2);
    lab.raise(d, 0);
    assertEquals(1, t.take());
  }

  @Test
  void regionsLeaveTheTablesPagesOut() {
    Device d = open(msix);
    List<RegionInfo> r = d.regions();
    assertEquals(8, r.size());
    assertEquals(List.of(AddressRange.ofSize(0, 0x1000)), r.get(0).mappable());
    assertEquals(0, r.get(1).bytes());
    assertEquals(List.of(AddressRange.ofSize(0x1000, 0xf000)), r.get(2).mappable());
    assertEquals(0x1000, r.get(7).bytes());
    assertThrows(IllegalArgumentException.class, () -> d.region(RegionType.BAR1));
    assertThrows(IllegalArgumentException.class, () -> d.region(RegionType.ROM));
    RegisterBus bar = d.region(RegionType.BAR2);
    assertThrows(IllegalArgumentException.class, () -> bar.read(0x1_0000, 4));
    assertThrows(IllegalArgumentException.class, () -> bar.read(2, 4));
    assertThrows(IllegalArgumentException.class, () -> bar.write(-4, 0, 4));
    RegisterBus config = d.region(RegionType.CONFIG);
    assertEquals(d.config().read32(4) & 0xffff_ffffL, config.read(4, 4));
    assertEquals(config.read(0, 4) | config.read(4, 4) << 32, config.read(0, 8));
    assertThrows(IllegalArgumentException.class, () -> config.read(0x1000, 1));
  }

  @Test
  void vectorsBeyondTheFunctionsAreRefusedAndFewerAreTaken() {
    Device d = open(msix);
    List<EventCounter> many = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      many.add(new EventCounter());
    }
    TooFewVectors e = assertThrows(TooFewVectors.class, () -> d.enable(IrqType.MSIX, 9, many));
    assertEquals(8, e.refusal().available().orElseThrow().value());
    assertEquals(8, d.enable(IrqType.MSIX, 1, many));
    assertThrows(IllegalArgumentException.class, () -> d.add(8, many.get(8)));
    assertThrows(NoSuchIrqs.class, () -> open(lab.msix().get(1)).enable(IrqType.INTX, 1, many));
  }

  @Test
  void aTriggerThatIsExchangedWhileItsVectorFiresIsNotLost() {
    Device d = open(msix);
    d.config().write(4, 6, 2);
    AtomicInteger first = new AtomicInteger();
    AtomicInteger second = new AtomicInteger();
    d.enable(IrqType.MSIX, 1, List.of((Trigger) first::incrementAndGet));
    lab.raise(d, 0);
    d.add(0, second::incrementAndGet);
    lab.raise(d, 0);
    assertEquals(1, first.get());
    assertEquals(1, second.get());
    assertEquals(0, lab.interrupts.unclaimed());
  }

  @Test
  void aClosedDeviceIsGoneAndItsFunctionAsItWas() {
    List<Object> before = lab.state().subList(5, lab.state().size());
    Container c = lab.vfio().open(ContainerOptions.USUAL);
    Group g = lab.vfio().group(msix);
    c.attach(g);
    Device d = g.open(msix);
    d.config().write(4, 6, 2);
    d.enable(IrqType.MSIX, 2, List.of(new EventCounter(), new EventCounter()));
    d.close();
    d.close();
    assertThrows(
        IllegalStateException.class, () -> d.enable(IrqType.MSIX, 1, List.of(new EventCounter())));
    assertThrows(IllegalStateException.class, d::reset);
    c.close();
    List<Object> after = lab.state().subList(5, lab.state().size());
    assertEquals(before.size(), after.size());
    assertEquals(1, lab.iommu.openSpaces() + 1, "tables are given back");
    assertEquals(16, lab.its0.vectorsFree());
    lab.vfio().close();
  }

  @Test
  void whatIsKeptOfAClosedDeviceReachesNothing() {
    Container c = lab.vfio().open(ContainerOptions.USUAL);
    Group g = lab.vfio().group(msix);
    c.attach(g);
    Device stale = g.open(msix);
    ConfigSpace config = stale.config();
    RegisterBus bar = stale.region(RegionType.BAR0);
    RegisterBus region = stale.region(RegionType.CONFIG);
    stale.close();
    Device next = g.open(msix);
    List<Object> before = lab.state();
    assertThrows(IllegalStateException.class, () -> config.write(4, 6, 2));
    assertThrows(IllegalStateException.class, () -> region.write(4, 6, 2));
    assertThrows(IllegalStateException.class, () -> stale.busMaster(true));
    assertThrows(IllegalStateException.class, () -> config.read32(0));
    assertThrows(
        IllegalStateException.class, () -> bar.write(DemoLayout.RING.offset(), 0, Integer.BYTES));
    assertThrows(IllegalStateException.class, () -> bar.read(DemoLayout.ID.offset(), 4));
    assertEquals(before, lab.state());
    assertFalse(lab.isBusMaster(msix));
    next.busMaster(true);
    assertTrue(lab.isBusMaster(msix));
  }

  @Test
  void aContainerThatIsClosedTakesNothingIn() {
    Container c = lab.vfio().open(ContainerOptions.USUAL);
    c.close();
    assertThrows(IllegalStateException.class, () -> c.attach(lab.vfio().group(msix)));
    assertThrows(
        IllegalStateException.class,
        () -> c.reserveMsiWindow(AddressRange.ofSize(0x800_0000, 0x1000)));
    assertEquals(Optional.empty(), lab.vfio().group(msix).container());
    lab.vfio().close();
  }

  @Test
  void aResetAfterAllVectorsWereTakenBackOneByOne() {
    Device d = open(msix);
    d.busMaster(true);
    EventCounter t = new EventCounter();
    d.enable(IrqType.MSIX, 1, List.of(t));
    d.remove(0);
    assertThrows(InUse.class, () -> d.enable(IrqType.MSIX, 1, List.of(t)));
    d.reset();
    d.busMaster(true);
    d.add(3, t);
    lab.raise(d, 3);
    assertEquals(1, t.take());
    d.remove(3);
    d.disable();
    MsixCapability real =
        PciFunction.of(msix, lab.endpoints.get(msix).config(), "hardware")
            .msix()
            .thing()
            .orElseThrow();
    assertFalse(real.isEnabled(), "messages are off");
    assertEquals(1, d.enable(IrqType.MSIX, 1, List.of(t)));
  }

  @Test
  void vectorsWhoseTableOrPendingBitsRunPastTheirBarAreNone() {
    // Table at 0, 8 entries; pending bits at 0x8000.
    for (long bytes : new long[] {0x40, 0x8000, 0x8004}) {
      OwnLab other = new OwnLab();
      Vfio vfio = other.withBar(msix, 2, bytes);
      vfio.open(ContainerOptions.USUAL).attach(vfio.group(msix));
      Device d = vfio.group(msix).open(msix);
      assertEquals(0, d.irqs().get(IrqType.MSIX.ordinal()).count());
      List<Object> before = other.state();
      assertThrows(NoSuchIrqs.class, () -> d.enable(IrqType.MSIX, 1, List.of(new EventCounter())));
      assertEquals(before, other.state());
    }
    Vfio vfio = lab.withBar(msix, 2, 0x8008);
    vfio.open(ContainerOptions.USUAL).attach(vfio.group(msix));
    Device d = vfio.group(msix).open(msix);
    assertEquals(8, d.irqs().get(IrqType.MSIX.ordinal()).count());
  }

  @Test
  void vectorsAreSpreadOverTheCpusHoweverTheyCome() {
    Device d = open(msix);
    d.enable(IrqType.MSIX, 3, List.of(new EventCounter(), new EventCounter(), new EventCounter()));
    d.add(7, new EventCounter());
    List<String> cpus =
        lab.its0.state().values().stream().map(s -> s.substring(s.indexOf("cpu"))).toList();
    assertEquals(List.of("cpu 0", "cpu 1", "cpu 2", "cpu 3"), cpus);
  }

  @Test
  void whatTheHostHadInTheHeaderIsThereAfterAResetAndAfterItsUser() {
    ConfigSpace real = lab.endpoints.get(msix).config();
    real.write(0x0c, 0x10, 1);
    real.write(0x3c, 0x0b, 1);
    real.write(4, real.read16(4) | 0x400, 2);
    int bar = real.read32(0x14);
    Device d = open(msix);
    d.reset();
    for (int i = 0; i < 2; i++) {
      assertEquals(0x10, real.read8(0x0c));
      assertEquals(0x0b, real.read8(0x3c));
      assertEquals(0x400, real.read16(4) & 0x404, "and no bus mastering");
      assertEquals(bar, real.read32(0x14));
      d.close();
    }
  }

  @Test
  void quadwordsOfTheConfigurationRegionAreTwoDoublewords() {
    Device d = open(msix);
    RegisterBus config = d.region(RegionType.CONFIG);
    config.write(0x10, 0x1234_5678_9abc_d000L, 8);
    assertEquals(0x9abc_d004, d.config().read32(0x10));
    assertEquals(0x1234_5678, d.config().read32(0x14));
    assertEquals(0x1234_5678_9abc_d004L, config.read(0x10, 8));
    assertThrows(IllegalArgumentException.class, () -> config.write(0xffc, 0, 8));
    assertThrows(IllegalArgumentException.class, () -> config.read(0x12, 4));
    assertThrows(IllegalArgumentException.class, () -> config.read(0x10, 3));
  }
}
