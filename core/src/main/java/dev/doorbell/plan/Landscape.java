package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import dev.doorbell.iommu.ReservedRegion;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The IOVA space of a domain that holds some functions: how far it reaches, and what in it is taken.
///
/// @param aperture IOVAs that can be mapped
/// @param apertureThing the aperture's limit and where it was read
/// @param hardware regions that no mapping may meet: reserved, direct, hardware MSI
/// @param pciWindows host bridge windows as PCI addresses: a peer may answer there before the IOMMU does
/// @param unreachable addresses outside the dma-ranges of some root complex
/// @param recordedWindow the software MSI window that the captured kernel uses
/// @param granule smallest mapping
/// @param unseen what could not be seen of these
record Landscape(
    AddressRange aperture,
    Thing apertureThing,
    List<Thing> hardware,
    List<Thing> pciWindows,
    List<AddressRange> unreachable,
    Optional<Thing> recordedWindow,
    Granule granule,
    List<Unseen> unseen) {

  /// Width that is assumed where the capture does not tell; every SMMUv3 with 4 KiB or 64 KiB granules reaches it in its input.
  private static final int ASSUMED_INPUT_BITS = 48;

  static Landscape of(MachineDescription machine, List<Subject> subjects, PlanRequest request) {
    List<Unseen> unseen = new ArrayList<>();
    Limit limit = limit(machine, subjects);
    Map<AddressRange, Thing> hardware = new LinkedHashMap<>();
    Optional<Thing> recordedWindow = regions(subjects, hardware);
    return new Landscape(
        new AddressRange(0, limit.last()),
        Thing.at(limit.name(), new AddressRange(0, limit.last()), limit.source()),
        List.copyOf(hardware.values()),
        pciWindows(machine, subjects, unseen),
        subjects.stream()
            .flatMap(s -> machine.hostBridge(s.sbdf()).stream())
            .distinct()
            .flatMap(b -> b.unreachable().stream())
            .toList(),
        recordedWindow,
        granule(subjects, request),
        unseen);
  }

  private record Limit(long last, String name, Source source) {}

  private static Limit limit(MachineDescription machine, List<Subject> subjects) {
    Limit limit = null;
    for (Subject s : subjects) {
      Optional<IommuDescription> iommu = s.iommu();
      int bits =
          iommu
              .map(i -> i.abilities().inputBits().orElse(ASSUMED_INPUT_BITS))
              .orElse(ASSUMED_INPUT_BITS);
      limit =
          lower(
              limit,
              bits,
              iommu.map(i -> "aperture of " + i.id()).orElse("64-bit aperture"),
              iommu
                  .flatMap(i -> i.abilities().source())
                  .or(() -> iommu.map(IommuDescription::source))
                  .orElse(s.source()));
      if (s.dmaBits().isPresent()) {
        Source bridge = machine.hostBridge(s.sbdf()).map(HostBridge::source).orElse(s.source());
        limit =
            lower(
                limit,
                s.dmaBits().getAsInt(),
                "DMA width of " + s.sbdf() + "'s root complex",
                bridge);
      }
    }
    return limit != null
        ? limit
        : new Limit(-1L >>> (Long.SIZE - ASSUMED_INPUT_BITS), "aperture", Source.rule("assumed"));
  }

  private static Limit lower(@Nullable Limit have, int bits, String name, Source source) {
    long last = bits >= Long.SIZE ? -1L : -1L >>> (Long.SIZE - bits);
    return have != null && Long.compareUnsigned(have.last(), last) <= 0
        ? have
        : new Limit(last, name, source);
  }

  private static Optional<Thing> regions(
      List<Subject> subjects, Map<AddressRange, Thing> hardware) {
    Optional<Thing> window = Optional.empty();
    for (ReservedRegion r : subjects.stream().flatMap(s -> s.reserved().stream()).toList()) {
      Thing thing = Thing.at(r.kind().printed() + " region", r.range(), r.source());
      switch (r.kind()) {
        case SW_MSI -> window = window.isPresent() ? window : Optional.of(thing);
        case DIRECT, RESERVED, MSI -> hardware.putIfAbsent(r.range(), thing);
        case DIRECT_RELAXABLE -> { // given up when the function is assigned
        }
      }
    }
    return window;
  }

  private static List<Thing> pciWindows(
      MachineDescription machine, List<Subject> subjects, List<Unseen> unseen) {
    List<Thing> out = new ArrayList<>();
    for (HostBridge b : machine.hostBridges()) {
      if (subjects.stream().noneMatch(s -> b.owns(s.sbdf().segment(), s.sbdf().bus()))) {
        continue;
      }
      List<HostBridge.Window> memory = b.windows().stream().filter(w -> !w.io()).toList();
      if (memory.isEmpty()) {
        unseen.add(
            new Unseen(
                "PCI windows of " + b.id(),
                "neither proc/iomem nor a device tree's ranges tell them (AML is not interpreted)",
                "whether window and RAM keep clear of peers' BARs is not known"));
      }
      for (HostBridge.Window w : memory) {
        out.add(
            Thing.at(
                "PCI window of " + b.id(),
                AddressRange.ofSize(w.pciStart(), w.cpu().bytes()),
                w.source()));
      }
    }
    return out;
  }

  private static Granule granule(List<Subject> subjects, PlanRequest request) {
    if (request.granule().isPresent()) {
      return request.granule().get();
    }
    for (Subject s : subjects) {
      List<Granule> known = s.iommu().map(i -> i.abilities().granules()).orElse(List.of());
      if (!known.isEmpty()) {
        return known.getFirst();
      }
    }
    return Granule.K4;
  }

  /// {@return the first thing that a range meets, PCI windows included}
  Optional<Thing> taken(AddressRange range) {
    for (List<Thing> list : List.of(hardware, pciWindows)) {
      for (Thing t : list) {
        if (t.range().isPresent() && t.range().get().overlaps(range)) {
          return Optional.of(t);
        }
      }
    }
    return Optional.empty();
  }
}
