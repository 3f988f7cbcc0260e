package dev.doorbell.hw.lapic;

import static dev.doorbell.hw.lapic.LapicRegisters.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.irq.X86CommandLayout;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class LapicModelTest {
  private static final int FIXED = 0;
  private static final int LOWEST = 1;

  private static LapicModel xapic(int cpus) {
    LapicModel model = new LapicModel(LongStream.range(0, cpus).boxed().toList());
    for (int i = 0; i < cpus; i++) {
      model.apicPage(i).write32(SVR.offset(), 0x11f);
    }
    return model;
  }

  private static LapicModel x2apic(List<Long> ids) {
    LapicModel model = new LapicModel(ids);
    for (int i = 0; i < ids.size(); i++) {
      model.writeMsr(i, MSR_APIC_BASE, model.readMsr(i, MSR_APIC_BASE) | EXTD.mask());
      model.writeMsr(i, 0x80f, 0x11f);
    }
    return model;
  }

  private static int command(int vector, int mode, boolean logical) {
    return X86CommandLayout.command(vector, mode, logical);
  }

  @Test
  @DisplayName("after reset an APIC takes nothing, and takes interrupts once SVR enables it")
  void disabledAfterReset() {
    LapicModel model = new LapicModel(List.of(0L));
    assertEquals(0xff, model.apicPage(0).read32(SVR.offset()));
    assertFalse(model.send(0, command(0x40, FIXED, false), false));
    model.apicPage(0).write32(SVR.offset(), 0x1ff);
    assertTrue(model.send(0, command(0x40, FIXED, false), false));
    assertEquals(0x40, model.acknowledge(0));
  }

  @Test
  @DisplayName(
      "pending vectors are taken by priority; a class in service holds its own and lower ones back")
  void priorities() {
    LapicModel model = xapic(1);
    for (int vector : new int[] {0x31, 0x52, 0x58, 0xf0}) {
      model.send(0, command(vector, FIXED, false), false);
    }
    assertEquals(0x0001_0000L, model.apicPage(0).read32(IRR.offset(7)));
    assertEquals(0xf0, model.acknowledge(0));
    assertEquals(CpuInterface.NONE, model.acknowledge(0));
    model.endOfInterrupt(0, 0xf0);
    assertEquals(0x58, model.acknowledge(0));
    assertEquals(0x50, model.apicPage(0).read32(PPR.offset()));
    assertEquals(CpuInterface.NONE, model.acknowledge(0));
    model.endOfInterrupt(0, 0x58);
    assertEquals(0x52, model.acknowledge(0));
    model.endOfInterrupt(0, 0x52);
    model.apicPage(0).write32(TPR.offset(), 0x30);
    assertEquals(CpuInterface.NONE, model.acknowledge(0));
    model.apicPage(0).write32(TPR.offset(), 0x2f);
    assertEquals(0x31, model.acknowledge(0));
  }

  @Test
  @DisplayName("logical destinations: flat and cluster of xAPIC, clusters of x2APIC")
  void logical() {
    LapicModel flat = xapic(3);
    for (int i = 0; i < 3; i++) {
      flat.apicPage(i).write32(LDR.offset(), 1 << 24 + i);
    }
    assertTrue(flat.send(0b101, command(0x40, FIXED, true), false));
    assertEquals(0x40, flat.acknowledge(0));
    assertEquals(CpuInterface.NONE, flat.acknowledge(1));
    assertEquals(0x40, flat.acknowledge(2));
    LapicModel clusters = xapic(2);
    for (int i = 0; i < 2; i++) {
      clusters.apicPage(i).write32(DFR.offset(), 0x0fff_ffff);
      clusters.apicPage(i).write32(LDR.offset(), 0x11 + i * 0x10 << 24);
    }
    assertTrue(clusters.send(0x21, command(0x41, FIXED, true), false));
    assertEquals(CpuInterface.NONE, clusters.acknowledge(0));
    assertEquals(0x41, clusters.acknowledge(1));
    LapicModel x2 = x2apic(List.of(0x0L, 0x13L, 0x15L));
    assertEquals(0x0001_0008L, x2.readMsr(1, 0x80d));
    assertTrue(x2.send(0x0001_0028L, command(0x42, FIXED, true), true));
    assertEquals(CpuInterface.NONE, x2.acknowledge(0));
    assertEquals(0x42, x2.acknowledge(1));
    assertEquals(0x42, x2.acknowledge(2));
    assertFalse(x2.send(0x0002_0028L, command(0x42, FIXED, true), true));
  }

  @Test
  @DisplayName("lowest priority goes to the one of the destination with the least urgent work")
  void lowestPriority() {
    LapicModel model = xapic(3);
    model.apicPage(0).write32(TPR.offset(), 0x60);
    model.apicPage(1).write32(TPR.offset(), 0x20);
    model.apicPage(2).write32(TPR.offset(), 0x40);
    assertTrue(model.send(0xff, command(0x70, LOWEST, false), false));
    assertEquals(CpuInterface.NONE, model.acknowledge(0));
    assertEquals(0x70, model.acknowledge(1));
    assertEquals(CpuInterface.NONE, model.acknowledge(2));
  }

  @Test
  @DisplayName("vectors below 16 are dropped and shown in ESR")
  void illegal() {
    LapicModel model = xapic(1);
    assertFalse(model.send(0, command(15, FIXED, false), false));
    model.apicPage(0).write32(ESR.offset(), 0);
    assertEquals(0x40, model.apicPage(0).read32(ESR.offset()));
    assertEquals(CpuInterface.NONE, model.acknowledge(0));
  }

  @Test
  @DisplayName("the mode that is off does not answer, and x2APIC goes back only through off")
  void modes() {
    LapicModel model = x2apic(List.of(0x1234L));
    assertThrows(BusErrorException.class, () -> model.apicPage(0).read32(ID.offset()));
    assertEquals(0x1234, model.readMsr(0, 0x802));
    assertThrows(BusErrorException.class, () -> model.writeMsr(0, MSR_APIC_BASE, 0xfee0_0800L));
    assertThrows(BusErrorException.class, () -> model.readMsr(0, 0x80e));
    model.writeMsr(0, MSR_APIC_BASE, 0xfee0_0000L);
    model.writeMsr(0, MSR_APIC_BASE, 0xfee0_0800L);
    assertEquals(0x34, model.apicPage(0).read32(ID.offset()) >>> 24);
    assertThrows(BusErrorException.class, () -> model.readMsr(0, 0x802));
  }

  @Test
  @DisplayName("a device's write into the window is an interrupt; a CPU's or a short one is none")
  void window() {
    LapicModel model = xapic(2);
    assertEquals(BusOutcome.OK, model.write(0x1000, 0x41, 4, 0x100));
    assertEquals(0x41, model.acknowledge(1));
    assertEquals(BusOutcome.ERROR, model.write(0x1000, 0x42, 4, SystemBus.CPU));
    assertEquals(BusOutcome.ERROR, model.write(0x1000, 0x42, 2, 0x100));
    assertEquals(BusOutcome.ERROR, model.write(0x9000, 0x42, 4, 0x100));
    assertEquals(CpuInterface.NONE, model.acknowledge(1));
  }
}
