package dev.doorbell.doctor;

import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.Recorded;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan.Answer;
import dev.doorbell.plan.Plan.Verdict;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Examines a Linux host, or a capture of one.
public final class Doctor {
  /// From what is given to what follows from it: a check may look at what those before it found.
  private static final List<Checks> CHECKS =
      List.of(
          new FirmwareChecks(),
          new KernelChecks(),
          new CommandLineChecks(),
          new IommuChecks(),
          new IsolationChecks(),
          new PathChecks(),
          new GroupChecks(),
          new FunctionChecks(),
          new AccessChecks(),
          new LimitChecks(),
          new PlatformChecks());

  /// What a yes depends on.
  private static final Set<String> DECISIVE =
      Set.of(
          "firmware.iommu",
          "kernel.config",
          "iommu.active",
          "interrupts.remapping",
          "path.no-iommu",
          "path.no-msi-controller",
          "function.capabilities",
          "path.iommu-not-driven",
          "path.msi-controller-not-driven");

  private Doctor() {}

  /// {@return what stands for and against passthrough with MSI}
  ///
  /// **Errors**: none for what the sysroot holds; what cannot be read is a finding. **Threads**: safe.
  ///
  /// @param asked functions that are to be assigned together; empty for each endpoint by itself
  public static Diagnosis examine(Sysroot sysroot, Survey survey, List<Sbdf> asked) {
    Evidence e = Evidence.gather(sysroot, survey, asked);
    Chart chart = new Chart();
    for (Checks checks : CHECKS) {
      checks.check(e, chart);
    }
    List<Finding> findings = chart.sorted();
    List<FunctionAnswer> functions =
        e.endpoints().stream().map(f -> answer(e, f, findings)).toList();
    return new Diagnosis(verdict(e, functions, findings), findings, functions, sawAnything(e));
  }

  private static boolean sawAnything(Evidence e) {
    return e.machine().firmware() != FirmwareKind.NONE
        || e.tables().seen()
        || !e.machine().functions().isEmpty()
        || e.config().seen()
        || e.commandLine().seen()
        || e.log().seen()
        || e.machine().recorded().groupsSeen();
  }

  private static FunctionAnswer answer(Evidence e, SurveyedFunction f, List<Finding> findings) {
    Optional<Finding> block = first(findings, Severity.BLOCKS, f.sbdf());
    Optional<Finding> unseen =
        findings.stream()
            .filter(x -> x.severity() == Severity.UNSEEN && x.concerns(f.sbdf()))
            .filter(x -> DECISIVE.contains(x.id()))
            .findFirst();
    Optional<Finding> unsafe = first(findings, Severity.UNSAFE, f.sbdf());
    Optional<String> driver = f.description().driver();
    boolean ready = e.isHeldByVfio(f.description());
    Answer answer =
        block.isPresent() ? Answer.NO : unseen.isPresent() ? Answer.CONDITIONAL : Answer.YES;
    String because =
        block
            .or(() -> unseen)
            .map(x -> (x.isSeen() ? "" : "not to be seen: ") + x.message())
            .orElseGet(() ->
                unsafe.isPresent()
                    ? "works, and is not safe: " + unsafe.get().message()
                    : ready ? "held by " + driver.orElse("") : "nothing stands against it");
    return new FunctionAnswer(
        f.sbdf(),
        answer,
        because,
        e.recordedGroup(f.sbdf()).map(Recorded.Group::number),
        driver,
        block.isPresent() || ready
            ? Optional.empty()
            : Optional.of(GroupChecks.bind(List.of(f.sbdf()))));
  }

  private static Optional<Finding> first(List<Finding> findings, Severity severity, Sbdf sbdf) {
    return findings.stream().filter(x -> x.severity() == severity && x.concerns(sbdf)).findFirst();
  }

  private static Verdict verdict(
      Evidence e, List<FunctionAnswer> functions, List<Finding> findings) {
    List<Finding> blocks =
        findings.stream()
            .filter(f -> f.severity() == Severity.BLOCKS && f.functions().isEmpty())
            .toList();
    if (!blocks.isEmpty()) {
      int more = blocks.size() - 1;
      return new Verdict(
          Answer.NO,
          blocks.getFirst().message() + (more == 0 ? "" : " (and %d more below)".formatted(more)));
    }
    if (functions.isEmpty()) {
      boolean seen = !e.machine().functions().isEmpty();
      return seen
          ? new Verdict(Answer.NO, "there are bridges only, and no function to assign")
          : new Verdict(
              Answer.CONDITIONAL,
              "nothing stands against it in what is to be seen, and that holds no PCI function");
    }
    return e.asked().isEmpty() ? anyOf(functions, findings) : allOf(functions, findings);
  }

  private static Verdict anyOf(List<FunctionAnswer> functions, List<Finding> findings) {
    List<FunctionAnswer> yes = with(functions, Answer.YES);
    List<FunctionAnswer> maybe = with(functions, Answer.CONDITIONAL);
    String of = " of %d function%s".formatted(functions.size(), functions.size() == 1 ? "" : "s");
    if (!yes.isEmpty()) {
      return new Verdict(
          Answer.YES,
          "%d%s can be assigned with MSI%s".formatted(yes.size(), of, safety(yes, findings)));
    }
    if (!maybe.isEmpty()) {
      return new Verdict(
          Answer.CONDITIONAL,
          "nothing stands against %d%s, but %s"
              .formatted(maybe.size(), of, maybe.getFirst().because()));
    }
    FunctionAnswer first = functions.getFirst();
    return new Verdict(
        Answer.NO, "none%s can be assigned; %s: %s".formatted(of, first.sbdf(), first.because()));
  }

  private static Verdict allOf(List<FunctionAnswer> functions, List<Finding> findings) {
    for (Answer answer : List.of(Answer.NO, Answer.CONDITIONAL)) {
      List<FunctionAnswer> such = with(functions, answer);
      if (!such.isEmpty()) {
        FunctionAnswer first = such.getFirst();
        return new Verdict(answer, first.sbdf() + ": " + first.because());
      }
    }
    List<String> names = functions.stream().map(f -> f.sbdf().toString()).toList();
    return new Verdict(
        Answer.YES,
        "%s can be assigned with MSI%s"
            .formatted(String.join(", ", names), safety(functions, findings)));
  }

  private static String safety(List<FunctionAnswer> yes, List<Finding> findings) {
    List<Finding> unsafe = new ArrayList<>();
    for (FunctionAnswer f : yes) {
      first(findings, Severity.UNSAFE, f.sbdf()).ifPresent(unsafe::add);
    }
    return unsafe.isEmpty() ? "" : ", but it is not safe: " + unsafe.getFirst().message();
  }

  private static List<FunctionAnswer> with(List<FunctionAnswer> functions, Answer answer) {
    return functions.stream().filter(f -> f.answer() == answer).toList();
  }
}
