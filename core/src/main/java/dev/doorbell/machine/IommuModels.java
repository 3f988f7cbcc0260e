package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.hw.smmuv3.SmmuFeatures;
import dev.doorbell.hw.smmuv3.SmmuModel;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.hw.smmuv3.SmmuWires;
import java.util.HashMap;
import java.util.Map;

/// Builds the IOMMUs of a description and puts them on the bus.
final class IommuModels {
  /// An SMMUv3's registers: two pages of 64 KiB (IHI 0070, 6.1).
  private static final long WINDOW = 0x20000;

  private static final int MOST_OUTPUT_BITS = 48;
  private static final int MOST_STREAM_BITS = 24;
  private static final long REQUESTERS = 0x10000;

  /// Stands for an IOMMU that has no model: nothing passes.
  private static final Translator CLOSED = (_, _, _, _) -> Translator.FAULT;

  private final MachineDescription machine;
  private final PhysicalMemory memory;
  private final SystemMap bus;
  private final ApicPort apics;

  /// @param apics where those of x86 send the interrupts that they remap
  IommuModels(MachineDescription machine, PhysicalMemory memory, SystemMap bus, ApicPort apics) {
    this.machine = machine;
    this.memory = memory;
    this.bus = bus;
    this.apics = apics;
  }

  /// {@return models by the id of their description; one that blocks everything stands for an IOMMU without a model}
  Map<String, Translator> build() {
    Map<String, Translator> out = new HashMap<>();
    for (IommuDescription i : machine.iommus()) {
      switch (i) {
        case IommuDescription.Smmuv3 smmu -> {
          SmmuModel model = new SmmuModel(features(smmu), memory, bus, SmmuWires.NONE);
          bus.add(smmu.id(), AddressRange.ofSize(smmu.window().start(), WINDOW), model);
          out.put(smmu.id(), model);
        }
        case IommuDescription.Smmuv2 _,
            IommuDescription.VtD _,
            IommuDescription.AmdVi _,
            IommuDescription.VirtioIommu _,
            IommuDescription.RiscvIommu _,
            IommuDescription.Pamu _,
            IommuDescription.Phb _,
            IommuDescription.PaprTce _,
            IommuDescription.Other _ ->
            out.put(i.id(), CLOSED);
      }
    }
    return out;
  }

  private SmmuFeatures features(IommuDescription.Smmuv3 smmu) {
    SmmuFeatures usual = SmmuFeatures.qemu10();
    int bits = smmu.abilities().outputBits().orElse(MOST_OUTPUT_BITS);
    return usual
        .withOutputBits(Math.min(bits, MOST_OUTPUT_BITS))
        .withIdr1(
            SmmuRegisters.IDR1_SIDSIZE,
            streamIdBits(smmu.id(), SmmuRegisters.IDR1_SIDSIZE.getInt(usual.idr1())));
  }

  /// As wide as firmware's highest StreamID needs.
  private int streamIdBits(String id, int least) {
    long highest =
        machine.hostBridges().stream()
            .flatMap(b -> b.streams().stream())
            .filter(m -> m.iommu().equals(id))
            .mapToLong(m ->
                Integer.toUnsignedLong(m.firstStreamId()) + Math.min(m.count(), REQUESTERS) - 1)
            .max()
            .orElse(0);
    return Math.clamp(Long.SIZE - Long.numberOfLeadingZeros(highest), least, MOST_STREAM_BITS);
  }
}
