package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.ApicPort;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.bus.XicsPort;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.hw.amdvi.AmdViFeatures;
import dev.doorbell.hw.amdvi.AmdViModel;
import dev.doorbell.hw.pamu.PamuModel;
import dev.doorbell.hw.pamu.PamuRegisters;
import dev.doorbell.hw.smmuv2.Gr0Registers;
import dev.doorbell.hw.smmuv2.SmmuV2Features;
import dev.doorbell.hw.smmuv2.SmmuV2Model;
import dev.doorbell.hw.smmuv3.SmmuFeatures;
import dev.doorbell.hw.smmuv3.SmmuModel;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.hw.smmuv3.SmmuWires;
import dev.doorbell.hw.vtd.VtdFeatures;
import dev.doorbell.hw.vtd.VtdModel;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/// Builds the IOMMUs of a description and puts them on the bus.
final class IommuModels {
  /// An SMMUv3's registers: two pages of 64 KiB (IHI 0070, 6.1).
  private static final long WINDOW = 0x20000;

  /// Bytes of a VT-d unit's registers here: a page.
  private static final long VTD_WINDOW = 0x1000;

  private static final int MOST_OUTPUT_BITS = 48;
  private static final int MOST_SMMU_OUTPUT_BITS = 52;
  private static final int MOST_STREAM_BITS = 24;

  /// What SMMU_SMRn holds without the extension (IHI 0062 D.c, 9.6.25).
  private static final int SMMU2_STREAM_BITS = 15;

  private static final int MOST_LIODN = 0xffff;

  /// Stands for an IOMMU that has no model: nothing passes.
  private static final Translator CLOSED = (_, _, _, _) -> Translator.FAULT;

  private final MachineDescription machine;
  private final PhysicalMemory memory;
  private final SystemMap bus;
  private final ApicPort apics;
  private final XicsPort servers;
  private final Map<String, AddressRange> windows = new HashMap<>();

  /// @param apics where those of x86 send the interrupts that they remap
  /// @param servers where bridges of POWER8 send interrupts
  IommuModels(
      MachineDescription machine,
      PhysicalMemory memory,
      SystemMap bus,
      ApicPort apics,
      XicsPort servers) {
    this.servers = servers;
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
        case IommuDescription.RiscvIommu riscv -> {
          RiscvModels.Placed placed = RiscvModels.iommu(riscv, machine, memory, bus);
          windows.put(riscv.id(), placed.window());
          out.put(riscv.id(), placed.model());
        }
        case IommuDescription.Smmuv2 smmu -> out.put(smmu.id(), smmuv2(smmu));
        case IommuDescription.AmdVi amd -> {
          AmdViModel model = new AmdViModel(AmdViFeatures.all(), memory, apics, InterruptLine.NONE);
          bus.add(
              amd.id(), AddressRange.ofSize(amd.window().start(), AmdViModel.WINDOW_BYTES), model);
          out.put(amd.id(), model);
        }
        case IommuDescription.Pamu pamu -> out.put(pamu.id(), pamu(pamu));
        case IommuDescription.VtD vtd -> {
          VtdModel model = new VtdModel(features(vtd), memory, apics);
          bus.add(vtd.id(), AddressRange.ofSize(vtd.window().start(), VTD_WINDOW), model);
          out.put(vtd.id(), model);
        }
        case IommuDescription.Phb phb ->
            out.put(
                phb.id(),
                PowerModels.bridge(phb, machine, memory, bus)
                    .or(() -> PowerModels.bridge3(phb, machine, memory, bus, servers))
                    .orElse(CLOSED));
        case IommuDescription.VirtioIommu _, IommuDescription.PaprTce _, IommuDescription.Other _ ->
            out.put(i.id(), CLOSED);
      }
    }
    return out;
  }

  private Translator smmuv2(IommuDescription.Smmuv2 smmu) {
    if (!SmmuV2Features.fits(smmu.window().bytes())) {
      return CLOSED;
    }
    SmmuV2Features features = features(smmu);
    SmmuV2Model model = new SmmuV2Model(features, memory);
    bus.add(smmu.id(), AddressRange.ofSize(smmu.window().start(), features.windowBytes()), model);
    return model;
  }

  /// What is known of the kind, with the output width that the capture tells, and StreamIDs of 16 bits where firmware has such.
  private SmmuV2Features features(IommuDescription.Smmuv2 smmu) {
    long window = smmu.window().bytes();
    SmmuV2Features usual =
        switch (smmu.kind()) {
          case "SMMUv1" -> SmmuV2Features.version1(true, true, window);
          case "MMU-400" -> SmmuV2Features.version1(false, true, window);
          case "MMU-401" -> SmmuV2Features.version1(true, false, window);
          default ->
              SmmuV2Features.mmu500(window)
                  .withIdr0(
                      Gr0Registers.IDR0_EXIDS,
                      streamIdBits(smmu.id(), SMMU2_STREAM_BITS) > SMMU2_STREAM_BITS ? 1 : 0);
        };
    OptionalInt bits = smmu.abilities().outputBits();
    boolean known = bits.isPresent() && SmmuV2Features.encodes(bits.getAsInt());
    return known ? usual.withOutputBits(bits.getAsInt()) : usual;
  }

  /// A unit as wide as the captured one's, which remaps interrupts where the captured kernel had it do so.
  private static VtdFeatures features(IommuDescription.VtD vtd) {
    return VtdFeatures.of(
            vtd.abilities().inputBits().orElse(MOST_OUTPUT_BITS), vtd.remapping().isOn())
        .withScalableMode();
  }

  /// Every unit has the same tables; one translates for them all.
  private Translator pamu(IommuDescription.Pamu pamu) {
    int most = (int) Math.min(machine.highestStreamId(pamu.id()), MOST_LIODN);
    PamuModel first = new PamuModel(memory, most);
    for (long at = 0;
        at + PamuRegisters.BYTES <= pamu.window().bytes();
        at += PamuRegisters.BYTES) {
      bus.add(
          pamu.id(),
          AddressRange.ofSize(pamu.window().start() + at, PamuRegisters.BYTES),
          at == 0 ? first : new PamuModel(memory, most));
    }
    return first;
  }

  /// {@return where registers lie of those that firmware does not tell it of}
  Map<String, AddressRange> windows() {
    return Map.copyOf(windows);
  }

  private SmmuFeatures features(IommuDescription.Smmuv3 smmu) {
    SmmuFeatures usual = SmmuFeatures.qemu10();
    int bits = smmu.abilities().outputBits().orElse(MOST_OUTPUT_BITS);
    return usual
        .withOutputBits(Math.min(bits, MOST_SMMU_OUTPUT_BITS))
        .withIdr1(
            SmmuRegisters.IDR1_SIDSIZE,
            streamIdBits(smmu.id(), SmmuRegisters.IDR1_SIDSIZE.getInt(usual.idr1())));
  }

  /// As wide as firmware's highest StreamID needs.
  private int streamIdBits(String id, int least) {
    long highest = machine.highestStreamId(id);
    return Math.clamp(Long.SIZE - Long.numberOfLeadingZeros(highest), least, MOST_STREAM_BITS);
  }
}
