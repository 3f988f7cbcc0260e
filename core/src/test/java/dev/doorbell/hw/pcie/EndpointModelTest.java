package dev.doorbell.hw.pcie;

import static dev.doorbell.hw.pcie.Hierarchy.demo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.Hierarchy.Arrived;
import dev.doorbell.pci.BarDecode;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCIe 7.5.1.2: endpoints, their BARs and their registers")
class EndpointModelTest {
  private final Hierarchy h = new Hierarchy();

  @Test
  void barsAreSizedByWritingOnesAndKeepWhatWasThere() {
    EndpointModel e = demo(h.complex.root(), 8, Hierarchy.WINDOW, 1);
    BarDecode.Bars sized = BarDecode.size(e.config(), "model");
    assertEquals(
        List.of(
            new BarDecode(
                0, BarDecode.Kind.MEMORY_64, false, Hierarchy.WINDOW, OptionalLong.of(0x1000)),
            new BarDecode(
                2,
                BarDecode.Kind.MEMORY_64,
                false,
                Hierarchy.WINDOW + 0x10000,
                OptionalLong.of(0x10000))),
        sized.bars());
    assertEquals(6, e.config().read16(4), "command is as before");
    assertEquals(DemoLayout.SIGNATURE, h.at(Hierarchy.WINDOW).read(0, 4));
  }

  @Test
  void aWideBarAbove4GiBIsSized() {
    EndpointSpec.Bar wide = new EndpointSpec.Bar(4, 1L << 36, true, true);
    EndpointSpec spec =
        new EndpointSpec(
            1, 2, 0x020000, false, false, false, List.of(wide), Optional.empty(), Optional.empty());
    EndpointModel e = EndpointModel.create(spec, EndpointRegisters.NONE);
    e.placeBar(4, 3L << 36);
    assertEquals(
        List.of(
            new BarDecode(4, BarDecode.Kind.MEMORY_64, true, 3L << 36, OptionalLong.of(1L << 36))),
        BarDecode.size(e.config(), "model").bars());
    assertThrows(IllegalArgumentException.class, () -> e.placeBar(4, 0x1000));
  }

  @Test
  void onlyWritableBitsOfTheHeaderChange() {
    EndpointModel e = demo(h.complex.root(), 8, Hierarchy.WINDOW, 1);
    for (int at = 0; at < 0x40; at += 4) {
      e.config().write(at, -1, 4);
    }
    assertEquals(DemoLayout.VENDOR, e.config().read16(0));
    assertEquals(ConfigHeaderLayout.COMMAND.access().rw(), e.config().read16(4));
    assertEquals(0x10, e.config().read16(6));
    assertEquals(0, e.config().read32(0x2c));
    assertEquals(0x40, e.config().read32(0x34));
  }

  @Test
  void aDriverOfRegistersAloneMakesItInterruptAndCopy() {
    EndpointModel e = demo(h.complex.root(), 8, Hierarchy.WINDOW, 4);
    RegisterBus regs = h.at(Hierarchy.WINDOW);
    var table = MsixModelTest.table(e, h, Hierarchy.WINDOW + 0x10000);
    table.write(3, 0x808_0040, 3);
    table.mask(3, false);
    table.enable(4);
    assertEquals(DemoLayout.SIGNATURE, regs.read(DemoLayout.ID.offset(), 4));
    assertEquals(4, regs.read(DemoLayout.VECTORS.offset(), 4));
    regs.write(DemoLayout.RING.offset(), 3, 4);
    assertEquals(1, regs.read(DemoLayout.FIRED.offset(), 4));
    assertEquals(new Arrived(8, 0x808_0040, 3), h.arrived.getLast());
    for (int i = 0; i < 29; i++) {
      h.memory.put(0x1003L + i, (byte) (i + 1));
    }
    regs.write(DemoLayout.SOURCE.offset(), 0x1003, 8);
    regs.write(DemoLayout.DESTINATION.offset(), 0x2003, 8);
    regs.write(DemoLayout.LENGTH.offset(), 29, 4);
    regs.write(
        DemoLayout.COPY.offset(),
        DemoLayout.START.place(1) | DemoLayout.THEN_RING.place(1) | DemoLayout.RING_VECTOR.place(3),
        4);
    assertEquals(DemoLayout.DONE.place(1) | 29, regs.read(DemoLayout.COPIED.offset(), 4));
    for (int i = 0; i < 29; i++) {
      assertEquals((byte) (i + 1), h.memory.get(0x2003L + i));
    }
    assertEquals(new Arrived(8, 0x808_0040, 3), h.arrived.getLast());
  }

  @Test
  void eduRaisesItsMessageAndMovesMemory() {
    EndpointSpec spec =
        new EndpointSpec(
            EduLayout.VENDOR,
            EduLayout.DEVICE,
            0x00ff00,
            true,
            false,
            false,
            List.of(new EndpointSpec.Bar(0, 0x100000, false, false)),
            Optional.of(new EndpointSpec.Msi(1, true, false)),
            Optional.empty());
    EndpointModel e = EndpointModel.create(spec, new EduRegisters(28));
    h.complex.root().add(16, e);
    e.placeBar(0, Hierarchy.WINDOW);
    e.config().write(4, 6, 2);
    MsiCapability msi =
        PciFunction.of(new Sbdf(0, 0, 2, 0), e.config(), "edu").msi().thing().orElseThrow();
    msi.write(0, 0x800_0040, 80);
    msi.enable(1);
    RegisterBus regs = h.at(Hierarchy.WINDOW);
    assertEquals(0x010000edL, regs.read(0, 4));
    regs.write(0x04, 0x1234, 4);
    assertEquals(0xffff_edcbL, regs.read(0x04, 4));
    regs.write(0x60, 0x42, 4);
    assertEquals(List.of(new Arrived(16, 0x800_0040, 80)), h.arrived);
    assertEquals(0x42, regs.read(0x24, 4));
    regs.write(0x64, 0x40, 4);
    assertEquals(2, regs.read(0x24, 4));
    h.memory.put(0x1000L, (byte) 0x5a);
    regs.write(0x80, 0x1000, 8);
    regs.write(0x88, EduLayout.BUFFER, 8);
    regs.write(0x90, 1, 8);
    regs.write(0x98, 1, 8);
    regs.write(0x80, EduLayout.BUFFER, 8);
    regs.write(0x88, 0x2000, 8);
    regs.write(0x98, 1 | 2 | 4, 8);
    assertEquals((byte) 0x5a, h.memory.get(0x2000L));
    assertEquals(0x102, regs.read(0x24, 4));
    assertEquals(new Arrived(16, 0x800_0040, 80), h.arrived.getLast());
    regs.write(0x08, 5, 4);
    assertEquals(120, regs.read(0x08, 4));
    assertTrue(h.arrived.size() == 3, h.arrived.toString());
  }

  @Test
  void whatIsSwitchedOffDoesNothing() {
    EndpointModel e = demo(h.complex.root(), 8, Hierarchy.WINDOW, 1);
    h.memory.put(0x1000L, (byte) 0x5a);
    assertEquals(0x5a, e.dmaRead(0x1000, 1).value());
    e.config().write(4, 2, 2);
    assertEquals(BusOutcome.ERROR, e.dmaRead(0x1000, 1).outcome());
    assertEquals(BusOutcome.ERROR, e.dmaWrite(0x1000, 1, 1));
    assertEquals(BusOutcome.OK, e.forgedWrite(0x400, 0x1001, 1, 1), "a broken device does not ask");
    assertEquals(BusOutcome.OK, e.write(Hierarchy.WINDOW + DemoLayout.LENGTH.offset(), 7, 4));
    e.config().write(4, 4, 2);
    assertEquals(BusOutcome.ERROR, e.write(Hierarchy.WINDOW + DemoLayout.LENGTH.offset(), 9, 4));
    assertEquals(BusOutcome.ERROR, e.read(Hierarchy.WINDOW, 4).outcome());
    e.config().write(4, 6, 2);
    assertEquals(7, h.at(Hierarchy.WINDOW).read(DemoLayout.LENGTH.offset(), 4));
    assertEquals((byte) 0x5a, h.memory.get(0x1000L));
  }

  @Test
  void aFunctionWithoutFunctionLevelResetIsNotReset() {
    for (boolean flr : new boolean[] {false, true}) {
      EndpointSpec spec =
          new EndpointSpec(
              1, 2, 0x020000, false, false, flr, List.of(), Optional.empty(), Optional.empty());
      EndpointModel e = EndpointModel.create(spec, EndpointRegisters.NONE);
      e.config().write(4, 6, 2);
      int control = 0x48;
      assertEquals(0x2810, e.config().read16(control), "as after a reset");
      e.config().write(control, 0x1234, 2);
      e.config().write(control, 0x8000 | 0x1234, 2);
      assertEquals(flr ? 0 : 6, e.config().read16(4));
      assertEquals(flr ? 0x2810 : 0x1234, e.config().read16(control));
    }
  }

  @Test
  @DisplayName("a message that ends in an error is LOST, one that is taken is SENT")
  void sentOrLost() {
    EndpointModel e = demo(h.complex.root(), 8, Hierarchy.WINDOW, 1);
    var table = MsixModelTest.table(e, h, Hierarchy.WINDOW + 0x10000);
    table.write(0, 0x808_0040, 3);
    table.mask(0, false);
    table.enable(1);
    assertEquals(Firing.SENT, e.fire(0));
    h.answer = BusOutcome.ERROR;
    assertEquals(Firing.LOST, e.fire(0));
    h.answer = BusOutcome.OK;
    assertEquals(Firing.SENT, e.fire(0));
  }

  @Test
  @DisplayName(
      "9.3.4.1.3: of its Command register a VF has Bus Master Enable alone, and its BARs always answer")
  void virtualFunction() {
    EndpointModel pf = demo(h.complex.root(), 8, Hierarchy.WINDOW, 1);
    long at = Hierarchy.WINDOW + 0x8_0000;
    pf.config().write(4, 0, 2);
    EndpointModel vf =
        EndpointModel.virtualOfImage(pf.config(), new long[] {0x1000}, new long[] {at});
    h.complex.root().add(9, vf);
    assertEquals(0, vf.config().read16(4));
    assertEquals(BusOutcome.OK, vf.read(at, 4).outcome());
    assertEquals(BusOutcome.ERROR, vf.dmaWrite(0x1000, 1, 4));
    vf.config().write(4, 0xffff, 2);
    assertEquals(4, vf.config().read16(4));
    assertEquals(BusOutcome.OK, vf.dmaWrite(0x1000, 1, 4));
    vf.config().write(4, 0, 2);
    assertEquals(BusOutcome.OK, vf.read(at, 4).outcome());
    assertTrue(vf.decodes(at));
  }
}
