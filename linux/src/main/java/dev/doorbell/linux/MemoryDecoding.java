package dev.doorbell.linux;

import dev.doorbell.explain.FileTrouble;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PowerLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.pci.SriovCapability;
import dev.doorbell.pci.SriovLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;

/// Whether a function answers when its BARs are read. A read that nothing answers gives all ones on x86, ends the machine by an SError on many Arm hosts,
/// and ends the process by SIGBUS where the kernel has taken the mapping away.
///
/// The answer holds for the moment: a driver or power management may change it before the read.
///
/// **Source**: PCI Express Base 6.0, 7.5.1.1.3 (Command), 5.3.1 (D-states), 9.3.3.3.4 (VF MSE); Linux `Documentation/ABI/testing/sysfs-bus-pci`
/// (`power_state`, `physfn`)
final class MemoryDecoding {
  private static final List<String> STATES = List.of("D0", "D1", "D2", "D3hot");

  private MemoryDecoding() {}

  /// {@return why nothing would answer; empty when the function does}
  ///
  /// @param f as its configuration space is now
  static Optional<String> silent(HostFiles files, PciFunction f) {
    if (f.isAbsent()) {
      return Optional.of("its configuration space reads all ones: it is gone, or without power");
    }
    Optional<String> state = state(files, f).filter(s -> !s.equals("D0"));
    if (state.isPresent()) {
      return Optional.of(
          "it is in %s, where it answers to no memory access".formatted(state.get()));
    }
    Optional<Sbdf> physical = files.link(HostFiles.device(f.sbdf()) + "/physfn").map(Sbdf::parse);
    if (physical.isPresent()) {
      return virtual(files, physical.get());
    }
    int command = f.config().read16((int) ConfigHeaderLayout.COMMAND.offset());
    return ConfigHeaderLayout.MEMORY_SPACE_ENABLE.isSet(command)
        ? Optional.empty()
        : Optional.of("memory decoding is off (Memory Space Enable is 0)");
  }

  /// The kernel's word first: it knows D3cold, from which the look at configuration space wakes a function for just that long.
  private static Optional<String> state(HostFiles files, PciFunction f) {
    Optional<String> kernels =
        files
            .look(HostFiles.device(f.sbdf()) + "/power_state")
            .thing()
            .map(String::strip)
            .filter(s -> s.matches("D[123].*"));
    return kernels.isPresent()
        ? kernels
        : f.capabilities()
            .find(CapabilityLayout.POWER_MANAGEMENT)
            .thing()
            .map(c -> new ConfigAccess(f.config(), c.offset()))
            .map(c -> STATES.get((int) c.get(PowerLayout.CONTROL, PowerLayout.POWER_STATE)));
  }

  /// A VF's own Memory Space Enable is always 0: its physical function has one for all of them.
  private static Optional<String> virtual(HostFiles files, Sbdf physical) {
    String path = HostFiles.device(physical) + "/config";
    try {
      ConfigImage config = ConfigImage.of(Files.readAllBytes(files.resolve(path)), path);
      return switch (PciFunction.of(physical, config, path).sriov()) {
        case Seen.There<SriovCapability>(SriovCapability s) ->
            new ConfigAccess(config, s.offset()).isSet(SriovLayout.CONTROL, SriovLayout.VF_MSE)
                ? Optional.empty()
                : Optional.of(
                    "memory decoding of VFs is off (VF MSE of %s is 0)".formatted(physical));
        case Seen.NotThere<SriovCapability> n ->
            Optional.of("%s, its physical function, has no SR-IOV".formatted(physical));
        case Seen.NotVisible<SriovCapability>(String why) ->
            Optional.of(
                "whether %s lets its VFs decode memory is not seen: %s".formatted(physical, why));
      };
    } catch (IOException e) {
      return Optional.of("/%s cannot be read: %s".formatted(path, FileTrouble.of(e)));
    }
  }
}
