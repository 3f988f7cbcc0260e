package dev.doorbell.hw.pcie;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.hw.pcie.Hierarchy.Arrived;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Firing;
import dev.doorbell.pci.MessageRefused;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.MsixTable;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PCIe 7.7.2, 6.1.4: MSI-X table, masks and pending bits")
class MsixModelTest {
  private final Hierarchy h = new Hierarchy();
  private final EndpointModel device =
      Hierarchy.demo(h.complex.root(), 3 << 3, Hierarchy.WINDOW, 70);
  private final MsixTable table = table(device, h, Hierarchy.WINDOW + 0x10000);

  static MsixTable table(EndpointModel device, Hierarchy h, long bar2) {
    PciFunction f = PciFunction.of(Sbdf.of(0, device.requesterId()), device.config(), "model");
    MsixCapability c = f.msix().thing().orElseThrow();
    assertEquals(2, c.tableBar());
    assertEquals(2, c.pbaBar());
    return c.table(h.at(bar2), h.at(bar2));
  }

  @Test
  void afterResetEveryVectorIsMaskedAndMessagesAreOff() {
    assertEquals(70, table.size());
    assertFalse(table.isEnabled());
    for (int v = 0; v < 70; v++) {
      assertTrue(table.isMasked(v));
      assertEquals(Firing.OFF, device.fire(v));
    }
    table.enable(70);
    assertEquals(Firing.PENDING, device.fire(69));
    assertTrue(table.isPending(69));
    assertFalse(table.isPending(68));
    assertEquals(List.of(), h.arrived);
  }

  @Test
  void anUnmaskedVectorIsSentToItsAddressUnderTheRequesterId() {
    table.write(5, 0x1_0808_0040L, 0x1234_5678);
    table.mask(5, false);
    table.enable(70);
    assertEquals(Firing.SENT, device.fire(5));
    assertEquals(List.of(new Arrived(3 << 3, 0x1_0808_0040L, 0x1234_5678)), h.arrived);
  }

  @Test
  void whatIsPendingFiresOnceOnUnmask() {
    table.write(64, 0x1000, 1);
    table.enable(70);
    device.fire(64);
    device.fire(64);
    table.mask(64, false);
    assertEquals(List.of(new Arrived(3 << 3, 0x1000, 1)), h.arrived);
    assertFalse(table.isPending(64));
  }

  @Test
  void theFunctionMaskHoldsEverythingBack() {
    table.write(1, 0x1000, 1);
    table.write(2, 0x2000, 2);
    table.mask(1, false);
    table.mask(2, false);
    table.functionMask(true);
    table.enable(70);
    device.fire(2);
    device.fire(1);
    assertEquals(List.of(), h.arrived);
    table.functionMask(false);
    assertEquals(
        List.of(new Arrived(3 << 3, 0x1000, 1), new Arrived(3 << 3, 0x2000, 2)), h.arrived);
  }

  @Test
  void noMessageMixesOldAndNewWhenAnEntryIsRewritten() {
    table.write(0, 0x1000, 1);
    table.mask(0, false);
    table.enable(70);
    table.write(0, 0x2_0000_0000L, 2);
    assertFalse(table.isMasked(0));
    device.fire(0);
    assertEquals(List.of(new Arrived(3 << 3, 0x2_0000_0000L, 2)), h.arrived);
  }

  @Test
  void withoutBusMasteringNothingLeaves() {
    table.write(0, 0x1000, 1);
    table.mask(0, false);
    table.enable(70);
    ConfigAccess.header(device.config())
        .set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE, 0);
    assertEquals(Firing.OFF, device.fire(0));
    assertEquals(List.of(), h.arrived);
  }

  @Test
  void functionLevelResetForgetsTableAndPending() {
    table.write(0, 0x1000, 1);
    table.enable(70);
    device.fire(0);
    PciFunction f = PciFunction.of(new Sbdf(0, 0, 3, 0), device.config(), "model");
    int express = f.capabilities().find(0x10).thing().orElseThrow().offset();
    device.config().write(express + 8, 0x8000, 2);
    assertFalse(table.isEnabled());
    Hierarchy.place(device, Hierarchy.WINDOW);
    assertEquals(0, table.address(0));
    assertTrue(table.isMasked(0));
    assertFalse(table.isPending(0));
  }

  @Test
  void anUnalignedDoorbellIsRefusedBeforeAnythingIsWritten() {
    MessageRefused e = assertThrows(MessageRefused.class, () -> table.write(0, 0x1002, 1));
    assertTrue(e.getMessage().contains("0x1002"));
    assertEquals(0, table.address(0));
  }

  @Test
  void everyMessageIsSentOnceOrPendingUnderAnySequence() {
    Property.check("MSI-X delivers or remembers", 300, MsixModelTest::sequence);
  }

  private static void sequence(SeededRandom random) {
    Hierarchy h = new Hierarchy();
    EndpointModel device = Hierarchy.demo(h.complex.root(), 8, Hierarchy.WINDOW, 5);
    MsixTable table = table(device, h, Hierarchy.WINDOW + 0x10000);
    for (int v = 0; v < 5; v++) {
      table.write(v, 0x1000, v);
    }
    BitSet masked = new BitSet();
    masked.set(0, 5);
    BitSet pending = new BitSet();
    boolean on = false;
    boolean all = false;
    int[] sent = new int[5];
    for (int step = 0; step < 60; step++) {
      int v = random.below(5);
      switch (random.below(5)) {
        case 0 -> {
          boolean m = random.nextBoolean();
          table.mask(v, m);
          masked.set(v, m);
        }
        case 1 -> {
          all = random.nextBoolean();
          table.functionMask(all);
        }
        case 2 -> {
          on = random.nextBoolean();
          if (on) {
            table.enable(5);
          } else {
            table.disable();
          }
        }
        default -> {
          if (on && (all || masked.get(v))) {
            pending.set(v);
          } else if (on) {
            sent[v]++;
          }
          device.fire(v);
        }
      }
      if (on && !all) {
        for (int p = 0; p < 5; p++) {
          if (pending.get(p) && !masked.get(p)) {
            pending.clear(p);
            sent[p]++;
          }
        }
      }
      for (int p = 0; p < 5; p++) {
        int vector = p;
        assertEquals(sent[p], h.arrived.stream().filter(a -> a.value() == vector).count());
        assertEquals(pending.get(p), table.isPending(p));
      }
    }
  }

  private int word(long offset) {
    return (int) h.at(Hierarchy.WINDOW + 0x10000).read(offset, 4);
  }

  @Test
  @DisplayName(
      "7.7.2: the table takes aligned words of 4 and 8 bytes; other writes are errors and change nothing")
  void onlyWholeWords() {
    long at = Hierarchy.WINDOW + 0x10000;
    assertEquals(BusOutcome.OK, device.write(at, 0x1_2345_6780L, 8));
    assertEquals(BusOutcome.OK, device.write(at + 8, 0x11223344, 4));
    for (int bytes : new int[] {1, 2}) {
      assertEquals(BusOutcome.ERROR, device.write(at + 8, 0x55, bytes), () -> bytes + " bytes");
    }
    assertEquals(BusOutcome.ERROR, device.write(at + 2, -1, 4));
    assertEquals(BusOutcome.ERROR, device.write(at + 4, -1, 8));
    assertEquals(0x2345_6780, word(0));
    assertEquals(1, word(4));
    assertEquals(0x1122_3344, word(8));
    assertEquals(1, word(12), "masked");
    assertEquals(0x22, device.read(at + 10, 1).value());
    assertEquals(0x1122, device.read(at + 10, 2).value());
    assertEquals(0x1_2345_6780L, device.read(at, 8).value());
  }

  @Test
  @DisplayName(
      "a table that is put back as it was while messages were off sends nothing on the way")
  void putBackWhileOff() {
    table.write(0, 0x1000, 1);
    table.mask(0, false);
    var saved = table.save(0, 1);
    table.mask(0, true);
    table.enable(70);
    assertEquals(Firing.PENDING, device.fire(0));
    saved.restore();
    assertEquals(List.of(), h.arrived);
    assertFalse(table.isEnabled());
    assertFalse(table.isMasked(0));
  }
}
