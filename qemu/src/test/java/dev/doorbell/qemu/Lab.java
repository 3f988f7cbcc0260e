package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.InterruptDispatch;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// A QEMU for a class of scenarios, reset before each one; our drivers start anew on it.
final class Lab implements AutoCloseable {
  static final AddressRange WINDOW = AddressRange.ofSize(0x0800_0000L, 0x10_0000L);

  final QemuMachine machine;

  private Lab(QemuMachine machine) {
    this.machine = machine;
  }

  /// {@return a machine of the distribution's QEMU; skips aloud without one}
  static Lab open(Board board, Devices devices) {
    return new Lab(QemuMachine.start(Qemus.orSkip(), board, devices));
  }

  static Lab open(QemuBinary binary, Board board, Devices devices) {
    return new Lab(QemuMachine.start(binary, board, devices));
  }

  /// {@return a host on the machine after reset}
  Host fresh() {
    return fresh(m -> m);
  }

  /// @param around what the drivers see instead of the machine
  Host fresh(UnaryOperator<Machine> around) {
    machine.reset();
    return Host.start(around.apply(machine));
  }

  /// {@return the function of a vendor and device, in order of its address}
  Sbdf find(int vendor, int device, int index) {
    return machine.description().functions().stream()
        .filter(f -> f.config().read32(0) == (device << 16 | vendor))
        .map(FunctionDescription::sbdf)
        .sorted()
        .skip(index)
        .findFirst()
        .orElseThrow();
  }

  Sbdf edu(int index) {
    return find(0x1234, 0x11e8, index);
  }

  Sbdf nvme(int index) {
    return find(0x1b36, 0x0010, index);
  }

  Sbdf e1000e(int index) {
    return find(0x8086, 0x10d3, index);
  }

  static Assignment assign(Host host, Granule granule, Sbdf... functions) {
    return Assignment.of(
        host,
        List.of(functions),
        new Assignment.Request(granule, Optional.of(WINDOW), 1, 32, false));
  }

  /// {@return memory mapped into a domain, as a driver in user space has it}
  DmaArea give(Domain domain, long iova, long bytes) {
    Pa pa = machine.frames().allocate(bytes, 0x10000);
    domain.map(new Iova(iova), pa, bytes, Protection.READ_WRITE);
    return new DmaArea(machine.memory(), new Iova(iova), pa, bytes);
  }

  /// Starts an assigned controller with a queue for each of its vectors.
  NvmeStimulus startNvme(Assignment a, HostFunction f, long iova) {
    int vectors = a.vectors(f).size();
    long bytes = roundUp(NvmeStimulus.memoryBytes(vectors), a.domain().granule());
    NvmeStimulus nvme =
        NvmeStimulus.open(
            f.sbdf().toString(), machine.bar(f.sbdf(), 0), give(a.domain(), iova, bytes), vectors);
    machine.stimulateBy(f.sbdf(), nvme);
    return nvme;
  }

  /// {@return whether memory holds QEMU's answer to Identify Controller: its Model Number starts so}
  static boolean isIdentified(DmaArea area) {
    return area.read(24, 4) == 0x554d4551L;
  }

  static long roundUp(long bytes, Granule granule) {
    return (bytes + granule.bytes() - 1) & -granule.bytes();
  }

  /// {@return the function's own message registers}
  static MessageTable messages(Machine machine, HostFunction f) {
    Optional<MsixCapability> msix = f.pci().msix().thing();
    if (msix.isPresent()) {
      return msix.get()
          .table(
              machine.bar(f.sbdf(), msix.get().tableBar()),
              machine.bar(f.sbdf(), msix.get().pbaBar()));
    }
    return f.pci().msi().thing().orElseThrow();
  }

  /// {@return where to wait for a vector of this host}
  static InterruptDispatch dispatch(Host host, LiveVector vector) {
    return host.interrupts().at(host.msiController(vector.controller()).orElseThrow());
  }

  static RegisterBus smmu(Machine machine) {
    return machine.registers(
        machine.description().iommus().getFirst() instanceof IommuDescription.Smmuv3 s
            ? s.window()
            : AddressRange.ALL);
  }

  /// {@return the records that wait in the SMMU's event queue, four words each, as they lie in memory}
  static List<List<Long>> events(Machine machine) {
    RegisterBus smmu = smmu(machine);
    long base = smmu.read64(SmmuRegisters.EVENTQ_BASE.offset());
    long at = SmmuRegisters.OUTQ_BASE_ADDR.get(base);
    long entries = 1L << SmmuRegisters.OUTQ_BASE_LOG2SIZE.get(base);
    long prod = smmu.read32((int) SmmuRegisters.EVENTQ_PROD.offset());
    long cons = smmu.read32((int) SmmuRegisters.EVENTQ_CONS.offset());
    List<List<Long>> out = new ArrayList<>();
    for (long i = cons; (i & (2 * entries - 1)) != (prod & (2 * entries - 1)); i++) {
      List<Long> words = new ArrayList<>();
      for (int w = 0; w < 4; w++) {
        words.add(machine.memory().read64(at + (i & (entries - 1)) * 32 + w * 8L));
      }
      out.add(words);
    }
    return out;
  }

  @Override
  public void close() {
    machine.close();
  }
}
