package dev.doorbell.doctor;

import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Conflict;
import dev.doorbell.plan.PlanRequest;
import dev.doorbell.plan.Planner;
import dev.doorbell.plan.Subject;
import dev.doorbell.plan.Subjects;
import dev.doorbell.survey.Doubt;
import dev.doorbell.survey.Regions;
import dev.doorbell.survey.SurveyedFunction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// On Arm: whether a function's messages find a way through the IOMMU to a controller that tells functions apart. The planner's engine answers, for the MSI window that Linux has.
final class PathChecks implements Checks {
  /// Conflicts that other checks tell, better, from what the running kernel shows.
  private static final Set<String> TOLD_ELSEWHERE = Set.of("NoMsiCapability", "GroupNotViable");

  /// What Doorbell does not drive Linux may.
  private static final Set<String> NOT_OURS = Set.of("IommuNotDriven", "MsiControllerNotDriven");

  private record Found(Conflict first, List<Sbdf> functions) {}

  @Override
  public void check(Evidence e, Chart chart) {
    if (!e.isArm() || chart.isBlocked()) {
      return;
    }
    Map<String, Found> found = new LinkedHashMap<>();
    Subjects subjects = new Subjects(e.survey());
    Planner planner = new Planner(e.machine());
    for (SurveyedFunction f : e.endpoints()) {
      Optional<Subject> subject = subjects.of(f.sbdf());
      if (subject.isEmpty()) {
        continue;
      }
      for (Conflict c :
          planner.plan(List.of(subject.get()), request(e, subject.get())).conflicts()) {
        if (!TOLD_ELSEWHERE.contains(c.kind())) {
          found
              .computeIfAbsent(c.kind() + c.b(), k -> new Found(c, new ArrayList<>()))
              .functions()
              .add(f.sbdf());
        }
      }
    }
    found.values().forEach(x -> tell(e, x, chart.about(x.functions())));
    if (e.machine().functions().isEmpty()) {
      controllers(e, chart);
    }
  }

  /// Linux fixes the window on every domain whose IOMMU translates messages; where it recorded its own, the plan takes that.
  private static PlanRequest request(Evidence e, Subject s) {
    boolean fixed =
        s.iommu().map(Regions::translatesMsi).orElse(false)
            && s.reserved().stream()
                .noneMatch(r -> r.kind() == dev.doorbell.iommu.ReservedRegion.Kind.SW_MSI);
    PlanRequest usual = PlanRequest.DEFAULT;
    return new PlanRequest(
        usual.ram(),
        usual.ramBytes(),
        fixed ? Optional.of(Regions.LINUX_WINDOW.range()) : Optional.empty(),
        usual.granule(),
        usual.maxVectors(),
        e.allowsUnsafe());
  }

  private static void tell(Evidence e, Found found, Chart chart) {
    Conflict c = found.first();
    String id = "path." + dashed(c.kind());
    Optional<Doubt> doubt = doubt(e, c);
    boolean grouped = found.functions().stream().allMatch(s -> e.recordedGroup(s).isPresent());
    if (c.kind().equals("NotIsolated")) {
      isolation(e, c.b().name(), c.b().source(), id, chart);
    } else if (NOT_OURS.contains(c.kind())) {
      chart.unseen(
          id,
          c.message() + "; whether Linux keeps functions apart there is not judged",
          c.b().source(),
          "look at what the running kernel makes of it: sys/kernel/iommu_groups, and a function's vectors in proc/interrupts");
    } else if (c.kind().equals("NoIommu") && grouped) {
      grouped(c, doubt, id, chart);
    } else if (doubt.isPresent()) {
      doubtful(c, doubt.get(), id, chart);
    } else {
      chart.add(
          id,
          c.blocks() ? Severity.BLOCKS : Severity.WARNS,
          c.message(),
          c.b().source(),
          c.advice());
    }
  }

  /// The kernel saw an IOMMU where firmware, as far as it was read, names none.
  private static void grouped(Conflict c, Optional<Doubt> doubt, String id, Chart chart) {
    if (doubt.isPresent()) {
      Doubt d = doubt.get();
      chart.unseen(
          id,
          "which IOMMU firmware names for these functions, which the kernel has put in groups: "
              + d.why(),
          d.source(),
          cure(d));
    } else {
      chart.warns(
          id,
          "firmware names no IOMMU for these functions, and the kernel has put them in groups all the same",
          c.b().source(),
          "trust the kernel's groups; newer firmware may describe the IOMMU");
    }
  }

  private static String cure(Doubt doubt) {
    return switch (doubt) {
      case Doubt.Damaged d -> "take %s again, whole".formatted(d.source().where());
      case Doubt.Lacking l -> "give a sysroot that has the " + l.unseen().what();
    };
  }

  /// {@return why what a conflict finds missing may only be unread: a damaged table, or one that the capture lacks, is no reason to say no}
  private static Optional<Doubt> doubt(Evidence e, Conflict c) {
    return switch (c.kind()) {
      case "NoIommu" -> Doubt.about(e.machine(), Unseen.Hidden.IOMMUS);
      case "NoMsiController" -> Doubt.about(e.machine(), Unseen.Hidden.MSI_CONTROLLERS);
      default -> Optional.empty();
    };
  }

  private static void doubtful(Conflict c, Doubt doubt, String id, Chart chart) {
    boolean damaged = doubt instanceof Doubt.Damaged;
    chart.unseen(
        id,
        damaged
            ? "%s, but that may only be unread: %s".formatted(c.message(), doubt.why())
            : "%s as far as is to be seen, but %s".formatted(c.message(), doubt.why()),
        damaged ? doubt.source() : c.b().source(),
        cure(doubt));
  }

  /// No function is seen, and there is no controller but such as take anybody's messages: whichever function is assigned, it will meet one.
  private static void controllers(Evidence e, Chart chart) {
    List<MsiControllerDescription> all = e.machine().msiControllers();
    boolean none =
        !all.isEmpty()
            && all.stream()
                .noneMatch(c -> c.isolated() || c instanceof MsiControllerDescription.Other);
    if (none) {
      isolation(e, all.getFirst().id(), all.getFirst().source(), "path.not-isolated", chart);
    }
  }

  private static void isolation(
      Evidence e, String controller, Source source, String id, Chart chart) {
    String what =
        "%s does not look at who writes: whoever owns a function behind it can raise any of its vectors"
            .formatted(controller);
    if (e.allowsUnsafe()) {
      chart.unsafe(
          id,
          what + ", and VFIO is told to accept that (allow_unsafe_interrupts)",
          e.unsafeSource(),
          (Hypervisor.of(e).isPresent()
                  ? "on the host, give the machine an ITS (QEMU: -machine virt,gic-version=3,its=on)"
                  : "use the machine's ITS if it has one")
              + "; else give functions only to guests that are trusted as much as the host");
    } else {
      chart.blocks(
          id, what + ", so VFIO refuses groups with EPERM", source, IsolationChecks.trusted(e));
    }
  }

  private static String dashed(String kind) {
    return kind.replaceAll("([a-z])([A-Z0-9])", "$1-$2").toLowerCase(java.util.Locale.ROOT);
  }
}
