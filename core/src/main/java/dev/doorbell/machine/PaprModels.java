package dev.doorbell.machine;

import dev.doorbell.address.Granule;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.Translator;
import dev.doorbell.description.IommuDescription.PaprTce;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.PaprBridge;
import dev.doorbell.hw.papr.PaprModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Builds the hypervisor of a PAPR guest.
final class PaprModels {
  private static final int USUAL_QUOTA = 1024;

  private final Map<String, Translator> windows = new HashMap<>();
  private final Optional<PaprModel> hypervisor;

  /// @param machine what the guest's functions are found in, once it is built
  PaprModels(MachineDescription described, Ram ram, Machine machine) {
    List<PaprBridge> bridges = PaprBridge.of(described);
    if (bridges.isEmpty()) {
      hypervisor = Optional.empty();
      return;
    }
    PaprModel model = new PaprModel(ram, pa -> holdsPage(ram, pa), bridges.getFirst().servers());
    for (PaprBridge b : bridges) {
      PaprModel.Bridge bridge =
          new PaprModel.Bridge(
              b.buid(),
              b.messages().quota().orElse(USUAL_QUOTA),
              b.windows().stream().allMatch(w -> w.dynamic() && hasSpareNumber(w, bridges)),
              rid -> b.windowOf(rid).map(PaprTce::liobn),
              new PaprGuest(machine, b.bridge().segment()));
      model.add(bridge);
      for (PaprTce w : b.windows()) {
        windows.put(w.id(), model.addWindow(bridge, w.liobn(), w.window()));
      }
    }
    hypervisor = Optional.of(model);
  }

  private static boolean holdsPage(Ram ram, long pa) {
    return pa >= 0 && Granule.K4.offset(pa) == 0 && ram.holds(pa, Long.BYTES);
  }

  /// A further window has the next number.
  private static boolean hasSpareNumber(PaprTce window, List<PaprBridge> bridges) {
    return bridges.stream()
        .flatMap(b -> b.windows().stream())
        .noneMatch(w -> w.liobn() == (window.liobn() | 1));
  }

  static boolean isGuest(MachineDescription described) {
    return !PaprBridge.of(described).isEmpty();
  }

  /// {@return the way of accesses through a window; empty when the hypervisor has none of that name}
  Optional<Translator> window(String id) {
    return Optional.ofNullable(windows.get(id));
  }

  Optional<Hypervisor> hypervisor() {
    return hypervisor.map(h -> h);
  }
}
