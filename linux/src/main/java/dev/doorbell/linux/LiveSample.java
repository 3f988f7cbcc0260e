package dev.doorbell.linux;

import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.vfio.NoSuchFunction;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/// Everything that this host shows of one vector at one moment.
///
/// @param driver of the function
/// @param power state of the function as the kernel prints it; empty when not seen
/// @param busMaster whether the function may send messages
/// @param programmed the vector as the function has it; not there when it has not so many
/// @param interrupt the kernel's interrupt for it; not there when it has none
/// @param domains its way through the controllers
/// @param group of the function
/// @param groupType what the kernel lets its messages and DMA meet, such as `DMA` or `identity`
/// @param messages where the IOMMU expects messages
/// @param remapping the IOMMU's entry for it, where the kernel shows those
record LiveSample(
    Sbdf function,
    int vector,
    Optional<String> driver,
    Optional<String> power,
    Seen<Boolean> busMaster,
    Seen<ProgrammedVector> programmed,
    Seen<KernelInterrupt> interrupt,
    Seen<IrqDomains> domains,
    Optional<Integer> group,
    Optional<String> groupType,
    Optional<ReservedRegion> messages,
    Seen<String> remapping) {

  /// {@return what is seen now}
  ///
  /// @throws NoSuchFunction when the host has not such a function
  static LiveSample take(LinuxOptions options, Sbdf function, int vector) {
    HostFiles files = new HostFiles(options.root());
    if (!files.exists(function)) {
      throw new NoSuchFunction(function, "this machine", Source.file("sys/bus/pci/devices"));
    }
    VectorRegisters registers = VectorRegisters.of(options, function);
    Seen<KernelInterrupt> interrupt = interrupt(options, function, vector);
    Seen<IrqDomains> domains =
        interrupt.thing().map(i -> IrqDomains.of(files, i.irq())).orElse(new Seen.NotThere<>());
    Optional<Integer> group = files.group(function);
    return new LiveSample(
        function,
        vector,
        files.driver(function),
        files.look(HostFiles.device(function) + "/power_state").thing().map(String::strip),
        registers.function().map(LiveSample::isBusMaster),
        one(registers.read(vector + 1), vector),
        interrupt,
        domains,
        group,
        group.flatMap(
            g -> files.look("sys/kernel/iommu_groups/" + g + "/type").thing().map(String::strip)),
        HostState.messages(options, function),
        remapping(files, domains));
  }

  private static boolean isBusMaster(PciFunction f) {
    ConfigSpace c = f.config();
    return ConfigHeaderLayout.BUS_MASTER_ENABLE.isSet(
        c.read16((int) ConfigHeaderLayout.COMMAND.offset()));
  }

  private static Seen<ProgrammedVector> one(Seen<List<ProgrammedVector>> all, int vector) {
    return switch (all) {
      case Seen.There<List<ProgrammedVector>>(List<ProgrammedVector> list) ->
          vector < list.size() ? new Seen.There<>(list.get(vector)) : new Seen.NotThere<>();
      case Seen.NotThere<List<ProgrammedVector>> n -> new Seen.NotThere<>();
      case Seen.NotVisible<List<ProgrammedVector>>(String why) -> new Seen.NotVisible<>(why);
    };
  }

  private static Seen<KernelInterrupt> interrupt(LinuxOptions options, Sbdf function, int vector) {
    return switch (new KernelInterrupts(options).of(function)) {
      case Seen.There<SortedMap<Integer, KernelInterrupt>>(
              SortedMap<Integer, KernelInterrupt> all) ->
          all.containsKey(vector) ? new Seen.There<>(all.get(vector)) : new Seen.NotThere<>();
      case Seen.NotThere<SortedMap<Integer, KernelInterrupt>> n -> new Seen.NotThere<>();
      case Seen.NotVisible<SortedMap<Integer, KernelInterrupt>>(String why) ->
          new Seen.NotVisible<>(why);
    };
  }

  /// Intel's driver prints its entries by index and source; the index stands in the low bits of the number that it gives an interrupt.
  ///
  /// **Source**: Linux `drivers/iommu/intel/debugfs.c` (`ir_translation_struct`)
  private static Seen<String> remapping(HostFiles files, Seen<IrqDomains> domains) {
    Optional<IrqDomains.Level> intel =
        domains.thing().stream()
            .flatMap(d -> d.levels().stream())
            .filter(l -> l.chip().equals("INTEL-IR") && l.hwirq().isPresent())
            .findFirst();
    if (intel.isEmpty()) {
      return new Seen.NotThere<>();
    }
    return files.look("sys/kernel/debug/iommu/intel/ir_translation_struct");
  }
}
