package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Pa;
import dev.doorbell.address.Sizes;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.Translator;
import dev.doorbell.description.IommuDescription.PaprTce;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.PaprBridge;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.papr.PaprModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Builds the hypervisor of a PAPR guest.
final class PaprModels {
  private static final int USUAL_QUOTA = 1024;

  /// Where QEMU's hypervisor has them.
  private static final long SOURCE_PAGES = 0x6_0100_0000_0000L;

  /// Places that are tried, a TiB apart.
  private static final int PLACES = 64;

  private final Map<String, Translator> windows = new HashMap<>();
  private final Optional<PaprModel> hypervisor;

  /// @param machine what the guest's functions are found in, once it is built
  PaprModels(MachineDescription described, Ram ram, SystemMap bus, Machine machine) {
    List<PaprBridge> bridges = PaprBridge.of(described);
    if (bridges.isEmpty()) {
      hypervisor = Optional.empty();
      return;
    }
    PaprModel model = model(described, bridges.getFirst(), ram, bus);
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

  /// Interrupts are presented in the way that the guest's tree tells.
  private static PaprModel model(
      MachineDescription described, PaprBridge bridge, Ram ram, SystemMap bus) {
    if (bridge.messages().exploitation().isEmpty()) {
      return PaprModel.presenting(ram, pa -> holdsPage(ram, pa), bridge.servers());
    }
    AddressRange pages = sourcePages(described, bus);
    PaprModel model =
        PaprModel.exploited(ram, pa -> holdsPage(ram, pa), bridge.servers(), new Pa(pages.start()));
    model.sourcePages().ifPresent(p -> bus.add("pages of interrupt sources", pages, p));
    return model;
  }

  /// {@return where nothing else is: only the hypervisor tells of it}
  private static AddressRange sourcePages(MachineDescription described, SystemMap bus) {
    for (long i = 0; i < PLACES; i++) {
      AddressRange pages =
          AddressRange.ofSize(SOURCE_PAGES + i * Sizes.TIB, PaprModel.SOURCE_BYTES);
      if (bus.isFree(pages) && !meetsWindow(described, pages)) {
        return pages;
      }
    }
    throw new NotModelled(
        "pages of interrupt sources",
        "no place for them is free of memory and of host bridges' windows",
        Source.rule("physical address space of the machine"));
  }

  private static boolean meetsWindow(MachineDescription described, AddressRange range) {
    return described.hostBridges().stream()
        .flatMap(b -> b.windows().stream())
        .anyMatch(w -> w.cpu().overlaps(range));
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
