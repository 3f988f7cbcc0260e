package dev.doorbell.hw.gicits;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.hw.gicv3.GicV3Config;
import dev.doorbell.hw.gicv3.GicV3Driver;
import dev.doorbell.hw.gicv3.GicV3Hardware;
import dev.doorbell.hw.gicv3.GicV3Model;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/// Our drivers on our models.
final class DrivenIts {
  static final long ITS_BASE = 0x0808_0000L;
  static final long GICR = 0x080a_0000L;

  final PlainMemory memory = new PlainMemory(0x4000_0000L, 0x2000_0000L);
  final CountedFrames frames = new CountedFrames(memory, 0x4100_0000L, 0x1f00_0000L);
  final GicV3Model gicModel;
  final ItsModel itsModel;
  final GicV3Driver gic;
  final ItsDriver its;
  final List<String> arrived = new ArrayList<>();

  DrivenIts(int cpus, boolean cpuInterface) {
    this(cpus, cpuInterface, ItsConfig.QEMU, 16);
  }

  DrivenIts(int cpus, boolean cpuInterface, ItsConfig config, int idBits) {
    List<Long> mpidrs = LongStream.range(0, cpus).boxed().toList();
    GicV3Config base = GicV3Config.of(mpidrs, GICR);
    gicModel = new GicV3Model(new GicV3Config(base.cpus(), 256, idBits, 5, false), memory);
    itsModel = new ItsModel(config, memory, gicModel);
    gic = GicV3Driver.open(hardware(cpus, cpuInterface ? Optional.of(gicModel) : Optional.empty()));
    its = ItsDriver.open(itsHardware("its@0x8080000", itsModel), gic);
  }

  GicV3Hardware hardware(int cpus, Optional<CpuInterface> cpuInterface) {
    return new GicV3Hardware(
        "gic@0x8000000",
        new ModelRegisters(gicModel.distributor()),
        List.of(
            new GicV3Hardware.Region(
                new ModelRegisters(gicModel.redistributors(0, gicModel.cpus())),
                GICR,
                gicModel.cpus() * 0x2_0000L)),
        LongStream.range(0, cpus).boxed().toList(),
        memory,
        frames,
        cpuInterface);
  }

  ItsHardware itsHardware(String id, MmioDevice device) {
    return new ItsHardware(id, new ModelRegisters(device), ITS_BASE, memory, frames);
  }

  VectorBlock allocate(int deviceId, int count) {
    return its.allocate(source(deviceId), count, false);
  }

  static MsiSource source(int deviceId) {
    return new MsiSource(
        "0000:%02x:%02x.%x".formatted(deviceId >> 8 & 0xff, deviceId >> 3 & 31, deviceId & 7),
        deviceId);
  }

  /// A device's write, to where its vector says.
  void fire(VectorBlock block, int index, int deviceId) {
    fire(block.doorbell(index), block.data(index), deviceId);
  }

  void fire(long doorbell, int data, int deviceId) {
    itsModel.write(doorbell - ITS_BASE, Integer.toUnsignedLong(data), 4, deviceId);
  }

  /// {@return what has arrived since the last call, each as `intid@cpu`}
  List<String> collect() {
    arrived.clear();
    its.collect((intid, cpu) -> arrived.add(intid + "@" + cpu));
    return List.copyOf(arrived);
  }
}
