package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.gicv2.GicV2Config;
import dev.doorbell.hw.gicv2.GicV2Model;
import dev.doorbell.hw.gicv2.GiccRegisters;
import dev.doorbell.hw.gicv2.GicdRegisters;
import dev.doorbell.hw.gicv2m.GicV2mModel;
import dev.doorbell.hw.gicv2m.GicV2mRegisters;
import java.util.List;
import java.util.function.IntFunction;

/// Builds a GICv2 and message frames. CPU 0 is the one whose register accesses the bus carries.
final class GicV2Models {
  private static final int MOST_CPUS = 8;
  private static final int SPIS = 256;
  private static final int PRIORITY_BITS = 5;

  /// SPIs of a frame whose MSI_TYPER nobody recorded: those of QEMU's virt machine.
  private static final int USUAL_BASE = 80;

  private static final int USUAL_COUNT = 64;

  private GicV2Models() {}

  static CpuInterface build(
      GicDescription gic, List<MsiControllerDescription> controllers, SystemMap bus) {
    int cpus = Math.clamp(gic.cpus().size(), 1, MOST_CPUS);
    GicV2Model model = new GicV2Model(new GicV2Config(cpus, SPIS, PRIORITY_BITS));
    bus.add(
        "GICD",
        AddressRange.ofSize(gic.distributor().start(), GicdRegisters.BYTES),
        model.distributor(0));
    gic.cpuInterface()
        .ifPresent(r ->
            bus.add(
                "GICC",
                AddressRange.ofSize(r.start(), GiccRegisters.BYTES),
                model.cpuInterface(0)));
    for (MsiControllerDescription c : controllers) {
      if (c instanceof MsiControllerDescription.GicV2m frame) {
        frame(bus, frame, model::spi);
      }
    }
    model.openCpuInterfaces();
    return model;
  }

  /// Puts a frame on the bus, above either kind of Distributor.
  static void frame(
      SystemMap bus, MsiControllerDescription.GicV2m frame, IntFunction<InterruptLine> spis) {
    int base = frame.spiBase().orElse(USUAL_BASE);
    int count = frame.spiCount().orElse(USUAL_COUNT);
    try {
      bus.add(
          frame.id(),
          AddressRange.ofSize(frame.window().start(), GicV2mRegisters.BYTES),
          new GicV2mModel(base, count, spis));
    } catch (IllegalArgumentException e) {
      throw new NotModelled(
          frame.id(), String.valueOf(e.getMessage()), Source.rule(frame.source().toString()));
    }
  }
}
