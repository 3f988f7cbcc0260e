package dev.doorbell.cli;

import dev.doorbell.address.Pa;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.linux.HostState;
import dev.doorbell.linux.KernelInterrupts;
import dev.doorbell.linux.LinuxAssignment;
import dev.doorbell.linux.LinuxAssignment.Assigned;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.ProgrammedVector;
import dev.doorbell.linux.VectorRegisters;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.PlanRequest;
import dev.doorbell.plan.Planner;
import dev.doorbell.plan.Subjects;
import dev.doorbell.survey.Survey;
import dev.doorbell.vfio.WindowFixedByKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// `assign --on linux`: functions of this very host, through its kernel.
final class LinuxAssign {
  private static final int MOST_VECTORS = 2048;
  private static final Duration POLL = Duration.ofMillis(50);
  private static final int POLLS_A_LINE = 20;

  private final Console console;
  private final LinuxOptions options;
  private final Ending ending;
  private final Wanted wanted;

  /// What the user asks.
  ///
  /// @param least vectors of each function
  /// @param json whether one document is printed, at the end
  record Wanted(PlanOptions plan, LiveOptions host, int least, boolean json) {
    /// @throws UnusableInput when it makes no sense on any host
    private void check() {
      host.seconds();
      host.count();
      plan.check();
      if (plan.functions().isEmpty()) {
        throw new UnusableInput(
            "BadArguments",
            "no function is named, and none of this host's is taken unasked",
            "name one that doorbell inspect --on linux lists");
      }
    }
  }

  LinuxAssign(Console console, LinuxOptions options, Ending ending, Wanted wanted) {
    this.console = console;
    this.options = options;
    this.ending = ending;
    this.wanted = wanted;
  }

  /// What will be done.
  ///
  /// @param hasIommu whether the kernel drives one
  /// @param regions where messages of each function go, by the kernel's record
  record Intent(
      Survey survey,
      List<Sbdf> functions,
      Plan plan,
      boolean hasIommu,
      Map<Sbdf, Optional<ReservedRegion>> regions,
      Map<Sbdf, LinuxPrediction> predictions) {
    LinuxPrediction prediction(Sbdf f) {
      return Optional.ofNullable(predictions.get(f)).orElseThrow();
    }
  }

  /// What became of a run.
  ///
  /// @param access by which interface; empty when nothing was opened
  /// @param left what is not as before, a sentence each
  record Outcome(
      List<LinuxVectorState> vectors,
      Optional<Refusal> refusal,
      Optional<LinuxOptions.Access> access,
      List<String> left) {}

  /// @param host looks at it
  int call(Supplier<ChosenMachine> host) {
    // Before the host is looked at, let alone touched.
    wanted.check();
    try (ChosenMachine chosen = host.get()) {
      return call(chosen);
    }
  }

  private int call(ChosenMachine chosen) {
    OptionalLong count = wanted.host().count();
    Intent intent = intent(chosen);
    LinuxAssignPrinter printer = new LinuxAssignPrinter(console);
    if (!wanted.json()) {
      printer.intent(chosen, intent);
    }
    Outcome outcome = run(intent, printer);
    boolean enough = count.isEmpty() || sum(outcome.vectors()) >= count.getAsLong();
    if (wanted.json()) {
      console.line(Json.write(LinuxAssignView.of(intent.plan(), outcome)));
    } else {
      printer.end(outcome, count);
    }
    return outcome.refusal().isEmpty() && outcome.left().isEmpty() && enough
        ? ExitStatus.YES.code()
        : ExitStatus.NO.code();
  }

  private Intent intent(ChosenMachine chosen) {
    Survey survey = Survey.of(chosen.machine());
    List<Sbdf> functions = Functions.parse(survey, wanted.plan().functions());
    Plan plan = plan(survey, functions);
    Map<Sbdf, Optional<ReservedRegion>> regions = new HashMap<>();
    Map<Sbdf, LinuxPrediction> predictions = new HashMap<>();
    for (Sbdf f : functions) {
      Optional<ReservedRegion> region = HostState.messages(options, f);
      regions.put(f, region);
      predictions.put(
          f, LinuxPrediction.of(survey, plan, survey.function(f).orElseThrow(), region));
    }
    return new Intent(survey, functions, plan, HostState.hasIommu(options), regions, predictions);
  }

  static long sum(List<LinuxVectorState> vectors) {
    return vectors.stream().mapToLong(LinuxVectorState::count).sum();
  }

  /// The plan takes the kernel's own window where the kernel has recorded one.
  private Plan plan(Survey survey, List<Sbdf> functions) {
    Subjects subjects = new Subjects(survey);
    PlanRequest request =
        new PlanRequest(
            List.of(),
            OptionalLong.empty(),
            Optional.empty(),
            Optional.empty(),
            wanted.plan().max(),
            wanted.plan().unsafeInterrupts());
    return new Planner(survey.machine())
        .plan(functions.stream().flatMap(f -> subjects.of(f).stream()).toList(), request);
  }

  private Outcome run(Intent intent, LinuxAssignPrinter printer) {
    HostState before = HostState.of(options, intent.functions());
    List<LinuxVectorState> vectors = new ArrayList<>();
    Optional<LinuxOptions.Access> access = Optional.empty();
    Optional<Refusal> refusal = Optional.empty();
    List<String> left = new ArrayList<>();
    boolean over = false;
    // Before the first driver is touched: from now on Ctrl-C undoes.
    ending.takeSignals();
    try {
      refuseWindow(intent.regions().values().stream().flatMap(Optional::stream).findFirst());
      LinuxOptions informed = options.withDoorbells(f -> doorbells(intent.survey(), f));
      try (LinuxAssignment a = LinuxAssignment.of(informed, intent.functions(), request())) {
        access = Optional.of(a.access());
        for (Assigned f : a.functions()) {
          vectors.addAll(states(f, intent.prediction(f.device().function())));
        }
        look(a, vectors);
        if (!wanted.json()) {
          printer.assigned(a, vectors);
        }
        watch(a, vectors, printer);
        over = true;
      }
    } catch (RuntimeException e) {
      if (e instanceof Refused refused) {
        refusal = Optional.of(refused.refusal());
      } else if (!over) {
        throw e;
      }
      // After the watch the giving back alone can fail: what it could not do lies suppressed, as it
      // does in a refusal.
      left.addAll(notGivenBack(e));
    }
    left.addAll(before.differences(HostState.of(options, intent.functions())));
    return new Outcome(vectors, refusal, access, left);
  }

  /// {@return what each step says that failed while everything was given back}
  private static List<String> notGivenBack(Throwable e) {
    return Stream.of(e.getSuppressed())
        .flatMap(s ->
            s.getSuppressed().length > 0
                ? notGivenBack(s).stream()
                : Stream.of(Objects.requireNonNullElse(s.getMessage(), s.toString())))
        .toList();
  }

  private LinuxAssignment.Request request() {
    return new LinuxAssignment.Request(
        wanted.least(),
        wanted.plan().max().orElse(MOST_VECTORS),
        wanted.plan().unsafeInterrupts(),
        wanted.host().yes(),
        wanted.host().access());
  }

  private void refuseWindow(Optional<ReservedRegion> kernels) {
    if (wanted.plan().window().isPresent()) {
      ReservedRegion region = kernels.orElse(HostState.usualWindow());
      throw new WindowFixedByKernel(wanted.plan().window().get(), region.range(), region.source());
    }
  }

  /// The doorbells that a function rings by firmware's word, for the kernel does not say.
  private static List<DoorbellFrame> doorbells(Survey survey, Sbdf f) {
    return survey.function(f).stream()
        .flatMap(s -> s.msi().stream())
        .flatMap(m -> m.controllers().stream())
        .flatMap(id -> survey.machine().msiController(id).stream())
        .filter(c -> c.doorbell().isPresent() && c.frame().isPresent())
        .map(c ->
            new DoorbellFrame(
                c.id(), new Pa(c.doorbell().getAsLong()), c.frame().orElseThrow(), c.source()))
        .toList();
  }

  private List<LinuxVectorState> states(Assigned f, LinuxPrediction prediction) {
    Sbdf sbdf = f.device().function();
    Seen<List<ProgrammedVector>> seen =
        VectorRegisters.of(options, f.device()).read(f.vectors().size());
    List<ProgrammedVector> programmed = seen.thing().orElse(List.of());
    String why = seen instanceof Seen.NotVisible<List<ProgrammedVector>>(String w) ? w : "";
    List<LinuxVectorState> out = new ArrayList<>();
    for (int v = 0; v < f.vectors().size(); v++) {
      out.add(
          new LinuxVectorState(
              sbdf, v, prediction, v < programmed.size() ? programmed.get(v) : null, why));
    }
    return out;
  }

  /// Asks the kernel what it has counted.
  private void look(LinuxAssignment a, List<LinuxVectorState> vectors) {
    KernelInterrupts interrupts = new KernelInterrupts(options);
    for (Assigned f : a.functions()) {
      Sbdf sbdf = f.device().function();
      interrupts
          .of(sbdf)
          .thing()
          .ifPresent(all ->
              vectors.stream()
                  .filter(v -> v.function().equals(sbdf))
                  .forEach(v -> Optional.ofNullable(all.get(v.vector())).ifPresent(v::seen)));
    }
  }

  private void watch(
      LinuxAssignment a, List<LinuxVectorState> vectors, LinuxAssignPrinter printer) {
    wanted.host().seconds().ifPresent(s -> ending.askAfter(Duration.ofSeconds(s)));
    if (wanted.host().loopback()) {
      a.functions()
          .forEach(f -> {
            for (int v = 0; v < f.vectors().size(); v++) {
              f.device().loopback(v);
            }
          });
    }
    OptionalLong count = wanted.host().count();
    boolean over = false;
    for (int poll = 1; !over; poll++) {
      over = ending.await(POLL);
      take(a, vectors);
      over |= count.isPresent() && sum(vectors) >= count.getAsLong();
      if (over || poll % POLLS_A_LINE == 0) {
        look(a, vectors);
        if (!wanted.json()) {
          printer.tick(poll / POLLS_A_LINE, vectors);
        }
      }
    }
  }

  private static void take(LinuxAssignment a, List<LinuxVectorState> vectors) {
    int at = 0;
    for (Assigned f : a.functions()) {
      for (int v = 0; v < f.vectors().size(); v++) {
        vectors.get(at).counted(f.counted(v));
        at++;
      }
    }
  }
}
