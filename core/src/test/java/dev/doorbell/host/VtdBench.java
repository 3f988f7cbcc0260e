package dev.doorbell.host;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.lapic.LapicDriver;
import dev.doorbell.hw.lapic.LapicHardware;
import dev.doorbell.hw.lapic.LapicModel;
import dev.doorbell.hw.vtd.VtdDriver;
import dev.doorbell.hw.vtd.VtdFeatures;
import dev.doorbell.hw.vtd.VtdHardware;
import dev.doorbell.hw.vtd.VtdModel;
import dev.doorbell.hw.vtd.VtdSettings;
import dev.doorbell.hw.vtd.VtdTags;
import dev.doorbell.hw.vtd.VtdTranslation;
import dev.doorbell.irq.MsiController;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// A remapping unit with its driver, and four CPUs.
final class VtdBench {
  static final int US = 0x100;
  static final int THEM = 0x208;
  private static final long RAM = 0x1000_0000L;
  private static final long BYTES = 0x1000_0000L;

  final PlainMemory memory = new PlainMemory(RAM, BYTES);
  final CountedFrames frames = new CountedFrames(memory, RAM, BYTES / 2);
  final LapicModel cpus;
  final VtdModel model;
  final VtdDriver driver;
  final MsiController controller;

  VtdBench(List<Long> apicIds) {
    this(apicIds, UnaryOperator.identity());
  }

  /// @param between what the driver writes memory through
  VtdBench(List<Long> apicIds, UnaryOperator<PhysicalMemory> between) {
    this(apicIds, between, VtdTranslation.LEGACY);
  }

  VtdBench(List<Long> apicIds, UnaryOperator<PhysicalMemory> between, VtdTranslation translation) {
    cpus = new LapicModel(apicIds);
    model = new VtdModel(VtdFeatures.of(48, true).withScalableMode(), memory, cpus);
    LapicDriver lapics =
        LapicDriver.open(
            new LapicHardware("lapic@0xfee00000", apicIds, Optional.of(cpus), Optional.of(cpus)));
    driver =
        VtdDriver.open(
            new VtdHardware(
                "vt-d@0xfed90000", new ModelRegisters(model), between.apply(memory), frames),
            new VtdSettings(new VtdTags(), true, lapics.isX2Apic(), translation));
    controller = lapics.behind(driver.remapper().orElseThrow());
  }

  BusOutcome ring(int requester, long address, int data) {
    return model.message(requester, address, Integer.toUnsignedLong(data), 4);
  }

  /// {@return number and CPU of each interrupt that arrived}
  List<List<Integer>> collect() {
    List<List<Integer>> out = new ArrayList<>();
    controller.collect((number, cpu) -> out.add(List.of(number, cpu)));
    return out;
  }

  long write(int requester, long iova) {
    return model.translate(requester, -1, iova, Translator.WRITE);
  }

  long read(int requester, long iova) {
    return model.translate(requester, -1, iova, Translator.READ);
  }

  /// {@return reasons of the faults recorded since the last look}
  List<Integer> faults() {
    return driver.takeFaults().stream().map(f -> f.reason()).toList();
  }
}
