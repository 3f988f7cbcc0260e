package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.survey.Regions;
import java.util.List;
import java.util.Optional;

/// Collisions of addresses: window, guest RAM, reserved regions, PCI windows, aperture, reach of the root complex.
final class RangeChecks {
  private final MachineDescription machine;
  private final Landscape land;
  private final List<Conflict> conflicts;

  RangeChecks(MachineDescription machine, Landscape land, List<Conflict> conflicts) {
    this.machine = machine;
    this.land = land;
    this.conflicts = conflicts;
  }

  void check(List<Subject> subjects, Optional<WindowPlan> window, List<AddressRange> ram) {
    window.ifPresent(w -> window(subjects, w));
    for (int i = 0; i < ram.size(); i++) {
      Thing r = Thing.at("guest RAM", ram.get(i), Source.rule("--ram"));
      for (int j = 0; j < i; j++) {
        collide(
            "RamMeetsRam",
            r,
            Thing.at("guest RAM", ram.get(j), Source.rule("--ram")),
            true,
            "give each run of guest RAM addresses of its own");
      }
      ram(subjects, r, window);
    }
  }

  /// A window that was asked for where no doorbell needs one: it is reserved all the same, so that it has to be in IOVA space.
  void unneeded(AddressRange asked) {
    inSpace(Thing.at("MSI window", asked, Source.rule("--window")));
  }

  private void inSpace(Thing window) {
    outside(
        "WindowMeetsAperture",
        window,
        land.apertureThing(),
        "move the window below the end of the aperture");
    for (Thing t : land.hardware()) {
      collide(
          "WindowMeetsReservedRegion",
          window,
          t,
          true,
          "move the window clear of it with --window");
    }
  }

  private void window(List<Subject> subjects, WindowPlan w) {
    Thing self = Thing.at("MSI window", w.range(), w.source());
    tooSmall(w, self);
    inSpace(self);
    for (Thing t : land.pciWindows()) {
      collide(
          "WindowMeetsPciWindow",
          self,
          t,
          true,
          "move the window clear of it with --window: a write there is answered on the PCI side and does not reach the IOMMU");
    }
    reach(subjects, self, "move the window into what the root complex can reach");
    for (Subject s : subjects) {
      if (s.needsLowWindow() && !w.range().isBelow4GiB()) {
        conflicts.add(
            new Conflict(
                "WindowAbove4GiB",
                self,
                Thing.named("MSI capability of " + s.sbdf(), s.source()),
                true,
                "%s has a 32-bit MSI capability and cannot be told an address in %s"
                    .formatted(s.sbdf(), w.range()),
                "put the window below 4 GiB"));
      }
    }
    neighbours(w);
    land.recordedWindow()
        .ifPresent(recorded -> {
          if (recorded.range().isPresent() && !recorded.range().get().equals(w.range())) {
            conflicts.add(
                new Conflict(
                    "WindowFixedByKernel",
                    self,
                    recorded,
                    false,
                    "the captured kernel's own window is %s; on Linux it cannot be moved to %s"
                        .formatted(recorded.range().get(), w.range()),
                    "keep guest RAM clear of %s too when that kernel does the assigning"
                        .formatted(recorded.range().get())));
          }
        });
  }

  private void tooSmall(WindowPlan w, Thing self) {
    long slots = WindowPlanner.slots(w.range(), w.granule());
    if (slots >= w.doorbells().size()) {
      return;
    }
    String controllers =
        String.join(", ", w.doorbells().stream().map(d -> d.controller().id()).toList());
    String plural = w.doorbells().size() == 1 ? "" : "s";
    conflicts.add(
        new Conflict(
            "MsiWindowExhausted",
            self,
            Thing.named(
                "%d doorbell%s: %s".formatted(w.doorbells().size(), plural, controllers),
                w.doorbells().getFirst().controller().source()),
            true,
            "%d doorbell%s of one %s granule %s %d bytes and window %s holds %d"
                .formatted(
                    w.doorbells().size(),
                    plural,
                    w.granule(),
                    plural.isEmpty() ? "needs" : "need",
                    w.needed(),
                    w.range(),
                    slots << w.granule().shift()),
            "make the window at least %d bytes, aligned to %s".formatted(w.needed(), w.granule())));
  }

  /// A granule larger than the doorbell's frame lets the device write whatever else lies in it (R5).
  private void neighbours(WindowPlan w) {
    for (WindowPlan.Doorbell d : w.doorbells()) {
      AddressRange frame = d.frame();
      if (frame.bytes() != 0 && frame.bytes() < w.granule().bytes()) {
        conflicts.add(
            new Conflict(
                "GranuleExceedsFrame",
                Thing.at(
                    "granule of the doorbell", d.page(), Source.rule("granule " + w.granule())),
                Thing.at("frame of " + d.controller().id(), frame, d.controller().source()),
                false,
                "a granule of %s around the frame of %s exposes %s to the device"
                    .formatted(w.granule(), d.controller().id(), d.page()),
                "make sure that nothing in %s harms the host when a device writes it"
                    .formatted(d.page())));
      }
    }
  }

  private void ram(List<Subject> subjects, Thing r, Optional<WindowPlan> window) {
    window.ifPresent(w ->
        collide(
            "RamMeetsWindow",
            r,
            Thing.at("MSI window", w.range(), w.source()),
            true,
            "end or start guest RAM outside the window, or move the window with --window"));
    window.ifPresent(w -> linuxWindow(subjects, r, w));
    outside(
        "RamMeetsAperture",
        r,
        land.apertureThing(),
        "keep guest RAM below the end of the aperture");
    for (Thing t : land.hardware()) {
      collide("RamMeetsReservedRegion", r, t, true, "leave a hole there in the guest's memory map");
    }
    for (Thing t : land.pciWindows()) {
      collide(
          "RamMeetsPciWindow",
          r,
          t,
          false,
          "a peer below the same bridge may answer DMA there before the IOMMU does; leave a hole, or make sure that ACS redirects requests");
    }
    reach(subjects, r, "keep guest RAM within what the root complex can reach");
    aligned(r);
  }

  /// Where no record tells the kernel's window, a Linux that does the assigning has its own all the same, behind every SMMU (R9).
  private void linuxWindow(List<Subject> subjects, Thing r, WindowPlan w) {
    Thing fixed =
        Thing.at("sw-msi region", Regions.LINUX_WINDOW.range(), Regions.LINUX_WINDOW.source());
    boolean smmu =
        subjects.stream()
            .flatMap(s -> s.iommu().stream())
            .anyMatch(
                i -> i instanceof IommuDescription.Smmuv3 || i instanceof IommuDescription.Smmuv2);
    if (!smmu
        || land.recordedWindow().isPresent()
        || w.range().equals(Regions.LINUX_WINDOW.range())
        || r.range().filter(Regions.LINUX_WINDOW.range()::overlaps).isEmpty()) {
      return;
    }
    conflicts.add(
        new Conflict(
            "WindowFixedByKernel",
            r,
            fixed,
            false,
            "%s meets %s, where Linux maps doorbells behind an SMMU; it cannot be moved from there to %s"
                .formatted(r, fixed, w.range()),
            "keep guest RAM clear of %s when Linux does the assigning"
                .formatted(Regions.LINUX_WINDOW.range())));
  }

  /// The IOMMU maps whole granules: RAM that begins or ends inside one cannot be mapped.
  private void aligned(Thing r) {
    long mask = land.granule().bytes() - 1;
    if (r.range().isPresent()
        && ((r.range().get().start() & mask) != 0 || (r.range().get().last() & mask) != mask)) {
      conflicts.add(
          new Conflict(
              "RamNotAligned",
              r,
              Thing.named("granule of " + land.granule(), Source.rule("IOMMU page size")),
              true,
              "%s does not begin and end at multiples of the IOMMU's granule of %s and cannot be mapped"
                  .formatted(r, land.granule()),
              "let guest RAM start at a multiple of 0x%x and end one byte before one"
                  .formatted(mask + 1)));
    }
  }

  private void reach(List<Subject> subjects, Thing thing, String advice) {
    for (Subject s : subjects) {
      Optional<HostBridge> bridge = machine.hostBridge(s.sbdf());
      if (bridge.isEmpty() || bridge.get().dmaRanges().isEmpty() || thing.range().isEmpty()) {
        continue;
      }
      AddressRange range = thing.range().get();
      if (bridge.get().unreachable().stream().anyMatch(u -> u.overlaps(range))) {
        conflicts.add(
            new Conflict(
                "OutsideDmaRanges",
                thing,
                Thing.named("dma-ranges of " + bridge.get().id(), bridge.get().source()),
                true,
                "%s lies outside the dma-ranges %s of %s"
                    .formatted(thing, bridge.get().dmaRanges(), bridge.get().id()),
                advice));
        return;
      }
    }
  }

  private void outside(String kind, Thing thing, Thing aperture, String advice) {
    if (thing.range().isPresent()
        && aperture.range().isPresent()
        && !aperture.range().get().contains(thing.range().get())) {
      conflicts.add(
          new Conflict(
              kind,
              thing,
              aperture,
              true,
              "%s reaches past the %s".formatted(thing, aperture),
              advice));
    }
  }

  private void collide(String kind, Thing a, Thing b, boolean blocks, String advice) {
    if (a.range().isPresent()
        && b.range().isPresent()
        && a.range().get().overlaps(b.range().get())) {
      conflicts.add(
          new Conflict(
              kind,
              a,
              b,
              blocks,
              "%s meets %s, which %s says".formatted(a, b, b.source()),
              advice));
    }
  }
}
