package dev.doorbell.hw.gicv2;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.simple.ModelRegisters;
import org.junit.jupiter.api.BeforeEach;

/// A modelled GIC of two processors that take interrupts of both groups, driven by raw offsets: what the manual prints, and not what we
/// declared.
abstract class OpenGicV2 {
  static final int SPURIOUS = 1023;

  final GicV2Model model = new GicV2Model(new GicV2Config(2, 96, 5));
  final RegisterBus gicd = new ModelRegisters(model.distributor(0));
  final RegisterBus gicd1 = new ModelRegisters(model.distributor(1));
  final RegisterBus gicc = new ModelRegisters(model.cpuInterface(0));
  final RegisterBus gicc1 = new ModelRegisters(model.cpuInterface(1));

  @BeforeEach
  void open() {
    gicd.write32(0x000, 3);
    for (RegisterBus interfaces : new RegisterBus[] {gicc, gicc1}) {
      interfaces.write32(0x04, 0xff);
      interfaces.write32(0x00, 3);
    }
  }

  final void ready(int intid, int targets, int priority) {
    gicd.write(0x800 + intid, targets, 1);
    gicd.write(0x400 + intid, priority, 1);
    gicd.write32(0x100 + intid / 32 * 4, 1 << (intid % 32));
  }

  final void edge(int intid) {
    long at = 0xc00 + intid / 16 * 4;
    gicd.write32(at, gicd.read32(at) | 2 << (intid % 16 * 2));
  }

  final boolean pending(int intid) {
    return (gicd.read32(0x200 + intid / 32 * 4) >>> (intid % 32) & 1) != 0;
  }

  final boolean active(int intid) {
    return (gicd.read32(0x300 + intid / 32 * 4) >>> (intid % 32) & 1) != 0;
  }
}
