package dev.doorbell.cli;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.cli.AssignView.VectorView;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.Machine;
import dev.doorbell.machine.UnusableDescription;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.WindowPlan;
import dev.doorbell.survey.Survey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `doorbell assign`.
@Command(
    name = "assign",
    mixinStandardHelpOptions = true,
    description =
        "Do the main job on a machine: work out the MSI window, give functions to a guest's domain, enable their MSI-X or MSI, fire every vector and show where each one went.",
    footer = {
      "",
      "The machine is built from our own models, or is QEMU's; our own drivers drive either. What was assigned is undone at the end.",
      "",
      "With --on linux it is this very host, driven by its kernel (VFIO or iommufd): the functions are bound to vfio-pci, opened, given memory, and their",
      "vectors enabled; then interrupts are shown as they come, until Ctrl-C, --for or --count. Drivers and driver_override are as before at the end.",
      "",
      "Examples:",
      "  doorbell assign",
      "  doorbell assign 0000:04:00.0 --max 4",
      "  doorbell assign --on qemu",
      "  doorbell assign --stage 2 --granule 16K",
      "  doorbell assign --on linux 0000:01:00.0 --yes --for 10",
      "  doorbell assign --granule 64K --window 0x8000000-0x8000fff",
      "  doorbell assign --root samples/arm64-gicv2m-acpi --unsafe-interrupts"
    })
final class AssignCommand implements Callable<Integer> {
  private static final int MOST_VECTORS = 2048;

  /// Refusals that the running stack gives itself, with its own figures.
  private static final Set<String> DECIDED_BY_STACK =
      Set.of(
          "MsiWindowExhausted",
          "NotIsolated",
          "VectorsExhausted",
          "NoMsiController",
          "NoMsiCapability");

  private final Console console;
  private final Surroundings surroundings;

  @Mixin private MachineOptions machine = new MachineOptions();
  @Mixin private PlanOptions options = new PlanOptions();
  @Mixin private HostChoice drivers = new HostChoice();

  @Mixin private LiveOptions live = new LiveOptions();

  @Option(
      names = "--min",
      paramLabel = "N",
      description = "At least so many vectors for each function, or none at all.")
  private @Nullable Integer min;

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  AssignCommand(Console console, Surroundings surroundings) {
    this.console = console;
    this.surroundings = surroundings;
  }

  /// What became of a run.
  private record Outcome(List<Assignment.Fired> fired, Optional<Refusal> refusal) {}

  @Override
  public Integer call() {
    int least = least();
    if (machine.isLinux()) {
      drivers.requireOwn();
      return new LinuxAssign(
              console,
              surroundings.kernel(machine.liveRoot()),
              surroundings.ending(),
              new LinuxAssign.Wanted(options, live, least, json))
          .call(machine::live);
    }
    live.requireNone();
    options.check();
    try (ChosenMachine chosen = machine.orSample()) {
      return call(chosen, least);
    }
  }

  private int call(ChosenMachine chosen, int least) {
    Survey survey = Survey.of(chosen.machine());
    List<Sbdf> named = Functions.parse(survey, options.functions());
    List<Sbdf> functions = named.isEmpty() ? List.of(Functions.firstWithMsix(survey)) : named;
    drivers.requireStages(survey, functions);
    Damage.requireCapabilities(survey, functions);
    Plan plan = PlanCommand.plan(survey, functions, options);
    Granule granule =
        plan.window().map(WindowPlan::granule).or(options::granule).orElse(Granule.K4);
    AssignPrinter printer = new AssignPrinter(console);
    if (!json) {
      printer.intent(chosen, functions, plan);
    }
    Optional<Refusal> planned = planned(plan);
    Outcome outcome =
        planned.isPresent()
            ? new Outcome(List.of(), planned)
            : run(chosen, functions, plan, granule, least);
    if (json) {
      List<VectorView> vectors = outcome.fired().stream().map(VectorView::of).toList();
      console.line(
          Json.write(
              new AssignView(
                  PlanView.of(plan),
                  vectors,
                  outcome.refusal().map(Json.ErrorView::of).orElse(null))));
    } else {
      outcome
          .refusal()
          .ifPresentOrElse(
              printer::refused,
              () ->
                  printer.done(
                      outcome.fired(),
                      granule,
                      new AssignPrinter.Again(
                          machine.again(),
                          machine.isNamed(),
                          drivers.again(),
                          options,
                          plan.window().map(WindowPlan::range))));
    }
    boolean all =
        !outcome.fired().isEmpty()
            && outcome.fired().stream().allMatch(Assignment.Fired::delivered);
    return outcome.refusal().isEmpty() && all ? ExitStatus.YES.code() : ExitStatus.NO.code();
  }

  /// A conflict that only the plan sees, such as guest RAM over the window: nothing is started then.
  private static Optional<Refusal> planned(Plan plan) {
    return plan.conflicts().stream()
        .filter(c -> c.blocks() && !DECIDED_BY_STACK.contains(c.kind()))
        .findFirst()
        .map(c ->
            new Refusal(
                c.kind(),
                c.message(),
                Optional.empty(),
                Optional.empty(),
                List.of(c.a().name(), c.b().name()),
                c.b().source(),
                c.advice()));
  }

  private int least() {
    int least = min == null ? 1 : min;
    if (least < 1 || least > options.max().orElse(MOST_VECTORS)) {
      throw new UnusableInput(
          "BadArguments",
          "--min %d is not between 1 and --max %d"
              .formatted(least, options.max().orElse(MOST_VECTORS)),
          "give a minimum that the maximum allows");
    }
    return least;
  }

  private Outcome run(
      ChosenMachine chosen, List<Sbdf> functions, Plan plan, Granule granule, int least) {
    List<Assignment.Fired> fired = new ArrayList<>();
    try (Machine hardware = chosen.hardware()) {
      Host host = Host.start(hardware, drivers.options());
      Optional<AddressRange> window = plan.window().map(WindowPlan::range).or(options::window);
      Assignment.Request request =
          new Assignment.Request(
              granule,
              window,
              least,
              options.max().orElse(MOST_VECTORS),
              options.unsafeInterrupts());
      try (Assignment a = Assignment.of(host, functions, request)) {
        for (HostFunction f : a.functions()) {
          for (LiveVector v : a.vectors(f)) {
            fired.add(a.fire(f, v));
          }
        }
      }
      return new Outcome(fired, Optional.empty());
    } catch (RuntimeException e) {
      if (e instanceof Refused refused && !(e instanceof UnusableDescription)) {
        return new Outcome(List.of(), Optional.of(drivers.advised(refused.refusal(), chosen)));
      }
      throw e;
    }
  }
}
