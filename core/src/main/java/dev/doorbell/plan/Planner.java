package dev.doorbell.plan;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import dev.doorbell.plan.Plan.Answer;
import dev.doorbell.plan.Plan.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Works out whether functions of a machine can be assigned to one guest, with which window and memory map. Pure: the
/// same machine and request always give the same plan.
public final class Planner {
  private final MachineDescription machine;

  public Planner(MachineDescription machine) {
    this.machine = machine;
  }

  /// {@return the plan for functions that share one domain}
  public Plan plan(List<Subject> subjects, PlanRequest request) {
    Landscape land = Landscape.of(machine, subjects, request);
    List<Conflict> conflicts = new ArrayList<>();
    List<Unseen> unseen = new ArrayList<>(land.unseen());
    Optional<WindowPlan> window =
        new WindowPlanner(machine, land, subjects, request).plan(request.window());
    List<AddressRange> ram = ram(request, land, window, conflicts);
    new FunctionChecks(machine, request, conflicts).check(subjects, land.granule());
    RangeChecks ranges = new RangeChecks(machine, land, conflicts);
    ranges.check(subjects, window, ram);
    if (window.isEmpty()) {
      request.window().ifPresent(ranges::unneeded);
    }
    SubWindows.check(subjects, window, ram, conflicts);
    List<LedgerLine> ledger = Ledger.of(subjects, request.maxVectors(), conflicts, unseen);
    addAssumptions(subjects, land, window, ram, unseen);
    List<Thing> regions = new ArrayList<>(land.hardware());
    regions.addAll(land.pciWindows());
    return new Plan(
        machine.arch(),
        subjects,
        window,
        ram,
        regions,
        ledger,
        conflicts,
        unseen,
        verdict(subjects, window, conflicts, unseen));
  }

  private List<AddressRange> ram(
      PlanRequest request, Landscape land, Optional<WindowPlan> window, List<Conflict> conflicts) {
    if (!request.ram().isEmpty() || request.ramBytes().isEmpty()) {
      return request.ram();
    }
    List<AddressRange> taken = new ArrayList<>();
    window.ifPresent(w -> taken.add(w.range()));
    land.hardware().forEach(t -> t.range().ifPresent(taken::add));
    land.pciWindows().forEach(t -> t.range().ifPresent(taken::add));
    taken.addAll(land.unreachable());
    long bytes = request.ramBytes().getAsLong();
    Optional<List<AddressRange>> map =
        MemoryMap.layOut(machine.arch(), bytes, land.aperture(), taken);
    if (map.isEmpty()) {
      conflicts.add(
          new Conflict(
              "RamMeetsAperture",
              Thing.named("guest RAM of " + bytes + " bytes", Source.rule("--ram")),
              land.apertureThing(),
              true,
              "guest RAM of %d bytes has no room below the end of %s beside what is reserved"
                  .formatted(bytes, land.apertureThing()),
              "give the guest less RAM"));
    }
    return map.orElse(List.of());
  }

  /// An assumption is reported only where the answer would change with it.
  private void addAssumptions(
      List<Subject> subjects,
      Landscape land,
      Optional<WindowPlan> window,
      List<AddressRange> ram,
      List<Unseen> unseen) {
    for (Subject s : subjects) {
      IommuDescription.Abilities known =
          s.iommu().map(IommuDescription::abilities).orElse(IommuDescription.Abilities.UNSEEN);
      String iommu = s.iommu().map(IommuDescription::id).orElse("the IOMMU");
      boolean high =
          ram.stream().anyMatch(r -> !r.isBelow4GiB())
              || window.map(w -> !w.range().isBelow4GiB()).orElse(false);
      if (s.iommu().isPresent() && known.inputBits().isEmpty() && high) {
        addOnce(
            unseen,
            new Unseen(
                "input address width of " + iommu,
                "its ID registers are not in the capture",
                "addresses above 4 GiB are taken to be within %s".formatted(land.apertureThing())));
      }
      Optional<InterruptRemapping> remapping =
          s.iommu().flatMap(IommuDescription::interruptRemapping);
      if (remapping.isPresent() && remapping.get().state() == InterruptRemapping.State.UNSEEN) {
        addOnce(
            unseen,
            new Unseen(
                "whether %s remaps interrupts".formatted(iommu),
                "%s (%s)".formatted(remapping.get().because(), remapping.get().source()),
                "without remapping, whoever owns %s could raise any vector of any CPU, and the assignment would be refused as NotIsolated"
                    .formatted(s.sbdf())));
      }
      if (s.iommu().isPresent()
          && known.granules().isEmpty()
          && window.isPresent()
          && land.granule() != Granule.K64
          && !holdsAt64K(window.get())) {
        addOnce(
            unseen,
            new Unseen(
                "granules of " + iommu,
                "its ID registers are not in the capture",
                "the window is counted in granules of %s and would be too small with 64K"
                    .formatted(land.granule())));
      }
    }
  }

  private static boolean holdsAt64K(WindowPlan w) {
    return WindowPlanner.slots(w.range(), Granule.K64) >= w.doorbells().size();
  }

  private static void addOnce(List<Unseen> unseen, Unseen u) {
    if (!unseen.contains(u)) {
      unseen.add(u);
    }
  }

  private static Verdict verdict(
      List<Subject> subjects,
      Optional<WindowPlan> window,
      List<Conflict> conflicts,
      List<Unseen> unseen) {
    Optional<Conflict> block = conflicts.stream().filter(Conflict::blocks).findFirst();
    if (block.isPresent()) {
      return new Verdict(Answer.NO, block.get().message());
    }
    if (!unseen.isEmpty()) {
      return new Verdict(
          Answer.CONDITIONAL,
          "nothing stands against it, but %s could not be seen%s"
              .formatted(
                  unseen.getFirst().what(),
                  unseen.size() == 1
                      ? ""
                      : ", and neither could %d more fact%s"
                          .formatted(unseen.size() - 1, unseen.size() == 2 ? "" : "s")));
    }
    String many = subjects.size() == 1 ? "1 function" : subjects.size() + " functions";
    return new Verdict(
        Answer.YES,
        window
            .map(w ->
                "%s can be assigned; window %s holds %d doorbell%s and has room for %d more"
                    .formatted(
                        many,
                        w.range(),
                        w.doorbells().size(),
                        w.doorbells().size() == 1 ? "" : "s",
                        w.headroom() >>> w.granule().shift()))
            .orElse(
                many
                    + " can be assigned; messages do not pass the translation tables, so no window is needed"));
  }
}
