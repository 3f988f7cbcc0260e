package dev.doorbell.cli;

import dev.doorbell.address.Granule;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Unseen;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.host.HostOptions;
import dev.doorbell.host.LiveState;
import dev.doorbell.host.UntranslatedVectors;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.PlanRequest;
import dev.doorbell.plan.Planner;
import dev.doorbell.plan.Subjects;
import dev.doorbell.plan.WindowPlan;
import dev.doorbell.route.Route;
import dev.doorbell.route.RouteWalker;
import dev.doorbell.survey.Doubt;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `doorbell trace`.
@Command(
    name = "trace",
    mixinStandardHelpOptions = true,
    description =
        "Follow one interrupt hop by hop, each hop with its reason and where that fact was read, to the controller or to the first hop that breaks.",
    footer = {
      "",
      "Without --tables the path is the one that Doorbell would build, and every hop of it is derived.",
      "",
      "With --on linux it is a vector of this very host, which works meanwhile: what is programmed, mask and pending bit, what the kernel counts,",
      "and the first stop where nothing moves. Nothing is changed. What cannot be read is named; root sees most.",
      "",
      "Examples:",
      "  doorbell trace 0000:04:00.0 --vector 3",
      "  doorbell trace 0000:04:00.0 --vector 3 --tables samples/arm64-its-acpi-switch-sriov/oracle",
      "  doorbell trace --on linux 0000:01:00.0 --vector 3 --watch"
    })
final class TraceCommand implements Callable<Integer> {
  private static final int MOST_VECTORS = 2048;

  private final Console console;
  private final Surroundings surroundings;

  @Mixin private MachineOptions machine = new MachineOptions();
  @Mixin private HostChoice drivers = new HostChoice();

  @Parameters(
      paramLabel = "SBDF",
      arity = "1",
      description =
          "The function; or ioapic:ID, aplic:ID or hpet:ID for an I/O APIC, APLIC or HPET that inspect shows.")
  private String function = "";

  @Option(
      names = "--vector",
      paramLabel = "N",
      description = "Which of its vectors (or pins, sources, timers); 0 when not given.")
  private int vector;

  @Option(
      names = "--tables",
      paramLabel = "DIR",
      description =
          "Walk the tables that the machine's own kernel had built: memory.txt, registers.json and devices.json in DIR.")
  private @Nullable Path tables;

  @Option(
      names = "--window",
      paramLabel = "START-END",
      description = "The MSI window (inclusive); chosen when not given (without --tables).")
  private @Nullable String window;

  @Option(
      names = "--granule",
      paramLabel = "4K|16K|64K",
      description = "The IOMMU's granule; its smallest when not given (without --tables).")
  private @Nullable String granule;

  @Option(
      names = "--devices",
      paramLabel = "A,B",
      description =
          "The functions that share its domain, in the order of their assignment; itself alone when not given (without --tables).")
  private List<String> devices = new ArrayList<>();

  @Option(
      names = "--max",
      paramLabel = "N",
      description = "At most so many vectors for each function (without --tables).")
  private @Nullable Integer max;

  @Option(
      names = "--unsafe-interrupts",
      description = "Accept an MSI controller that does not look at who writes (without --tables).")
  private boolean unsafeInterrupts;

  @Option(
      names = "--watch",
      description = "With --on linux: look again and again, until Ctrl-C or --for ends it.")
  private boolean watch;

  @Option(
      names = "--for",
      paramLabel = "SECONDS",
      description = "With --on linux: look so long; 2 seconds when not given.")
  private @Nullable Integer seconds;

  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  TraceCommand(Console console, Surroundings surroundings) {
    this.console = console;
    this.surroundings = surroundings;
  }

  @Override
  public Integer call() {
    if (vector < 0) {
      throw new UnusableInput(
          "BadArguments",
          "--vector %d is below 0".formatted(vector),
          "vectors are numbered from 0");
    }
    if (tables != null && !drivers.again().isEmpty()) {
      throw new UnusableInput(
          "BadArguments",
          "--stage chooses how Doorbell's drivers start, and --tables walks what others had built",
          "leave one of them out");
    }
    if ((tables != null || machine.isLinux()) && choosesMessages()) {
      throw new UnusableInput(
          "BadArguments",
          "--window, --granule, --devices and --max choose how Doorbell programs messages, and this path is another's",
          "leave them out");
    }
    WiredTrace.named(function)
        .filter(_ -> choosesMessages() || !drivers.again().isEmpty())
        .ifPresent(w -> {
          throw new UnusableInput(
              "BadArguments",
              "--window, --granule, --devices, --max and --stage are about functions, and %s is an %s"
                  .formatted(function, w.what()),
              "leave them out");
        });
    if (max != null && vector >= max) {
      throw new UnusableInput(
          "BadArguments",
          "--vector %d is not among the first %d that --max allows".formatted(vector, max),
          "give a --max above the vector's number, or leave it out");
    }
    if (machine.isLinux()) {
      drivers.requireOwn();
      requireFunction();
      if (tables != null) {
        throw machine.contradiction("--tables", "leave one of them out");
      }
      return new LiveTracer(
              console,
              surroundings.kernel(machine.liveRoot()),
              surroundings.ending(),
              new LiveTracer.Wanted(function, vector, watch, seconds, json))
          .call();
    }
    if (watch || seconds != null) {
      throw new UnusableInput(
          "BadArguments",
          "--watch and --for look at this very host, and --on linux is not given",
          "add --on linux, or leave them out");
    }
    @Nullable OracleState recorded = tables == null ? null : OracleState.read(tables);
    try (ChosenMachine chosen = machine.orSample(tables)) {
      return call(chosen, recorded);
    }
  }

  /// The kernel's files tell of functions' vectors alone.
  private void requireFunction() {
    WiredTrace.named(function)
        .ifPresent(w -> {
          throw new UnusableInput(
              "BadArguments",
              "--on linux watches a vector of a function, and %s is an %s"
                  .formatted(function, w.what()),
              "leave --on linux out: %s trace %s --root / tells the way that firmware gives it"
                  .formatted(MachineOptions.program(), function));
        });
  }

  /// {@return whether anything about the messages is asked for}
  private boolean choosesMessages() {
    return window != null || granule != null || max != null || !devices.isEmpty();
  }

  private int call(ChosenMachine chosen, @Nullable OracleState recorded) {
    Optional<WiredTrace> wired = WiredTrace.named(function);
    if (wired.isPresent()) {
      wired.get().require(chosen, machine.again());
      HostOptions options = drivers.options();
      Route route = numbered("", () -> wired.get().route(chosen, options, recorded, vector));
      print("%s %s".formatted(function, wired.get().part(vector)), route);
      return route.delivered() ? ExitStatus.YES.code() : ExitStatus.NO.code();
    }
    Survey survey = Survey.of(chosen.machine());
    Sbdf sbdf = Functions.parse(survey, List.of(function)).getFirst();
    drivers.requireStages(survey, List.of(sbdf));
    Route route =
        numbered(
            " " + sbdf,
            () ->
                recorded != null
                    ? new RouteWalker(survey, recorded).walk(sbdf, vector)
                    : derived(chosen, survey, sbdf));
    if (recorded != null) {
      requireIdentity(survey, sbdf, route);
    }
    print("%s vector %d".formatted(sbdf, vector), route);
    return route.delivered() ? ExitStatus.YES.code() : ExitStatus.NO.code();
  }

  private Route numbered(String seen, Supplier<Route> walk) {
    try {
      return walk.get();
    } catch (IndexOutOfBoundsException e) {
      throw new UnusableInput(
          "NoSuchVector",
          String.valueOf(e.getMessage()),
          "see %s inspect%s%s".formatted(MachineOptions.program(), seen, machine.again()));
    }
  }

  /// A walk that got as far as a fact which firmware would tell, and does not because it is damaged or not in the capture, has no answer.
  private static void requireIdentity(Survey survey, Sbdf sbdf, Route route) {
    boolean blind = !route.delivered() && route.hops().getLast().basis() == Basis.UNSEEN;
    SurveyedFunction f = survey.function(sbdf).orElseThrow();
    boolean sent = route.hops().size() > 1;
    if (blind && sent) {
      Hop last = route.hops().getLast();
      (route.doorbell().isPresent() ? survey.deviceIdDoubt(f) : survey.streamDoubt(f))
          .or(() -> controllerDoubt(survey, last))
          .ifPresent(d -> {
            throw Damage.unusable("%s leads no further than %s".formatted(last.in(), last.at()), d);
          });
    }
  }

  /// {@return why a write finds no MSI controller where it ends, when that is why the last hop is blind}
  private static Optional<Doubt> controllerDoubt(Survey survey, Hop last) {
    return Doubt.about(survey.machine(), Unseen.Hidden.MSI_CONTROLLERS)
        .filter(d -> d.source().equals(last.source()) && last.why().contains(d.why()));
  }

  private Route derived(ChosenMachine chosen, Survey survey, Sbdf sbdf) {
    PlanRequest request =
        new PlanRequest(
            List.of(),
            OptionalLong.empty(),
            Optional.ofNullable(window).map(w -> Ranges.range("--window", w)),
            Optional.ofNullable(granule).map(Ranges::granule),
            max == null ? OptionalInt.empty() : OptionalInt.of(max),
            unsafeInterrupts);
    List<Sbdf> together = together(survey, sbdf);
    Damage.requireTables(survey, together);
    Subjects subjects = new Subjects(survey);
    Plan plan =
        new Planner(chosen.machine())
            .plan(together.stream().flatMap(f -> subjects.of(f).stream()).toList(), request);
    Damage.check(chosen.machine(), plan);
    Damage.requireCapabilities(survey, together);
    requireVector(survey, sbdf);
    try (Machine hardware = chosen.hardware()) {
      Host host = Host.start(hardware, drivers.options());
      int most = max == null ? MOST_VECTORS : max;
      if (together.size() == 1 && survey.function(sbdf).orElseThrow().streams().isEmpty()) {
        try (UntranslatedVectors v = UntranslatedVectors.of(host, sbdf, vector + 1, most)) {
          return walk(host, List.of(v.function()), sbdf);
        }
      }
      Assignment.Request wanted =
          new Assignment.Request(
              plan.window().map(WindowPlan::granule).or(request::granule).orElse(Granule.K4),
              plan.window().map(WindowPlan::range).or(request::window),
              together.size() == 1 ? vector + 1 : 1,
              most,
              unsafeInterrupts);
      try (Assignment a = Assignment.of(host, together, wanted)) {
        return walk(host, a.functions(), sbdf);
      }
    }
  }

  /// {@return the functions of the domain, the traced one among them}
  private List<Sbdf> together(Survey survey, Sbdf sbdf) {
    List<Sbdf> all = new ArrayList<>(Functions.parse(survey, devices));
    if (!all.contains(sbdf)) {
      all.add(sbdf);
    }
    return all;
  }

  private Route walk(Host host, List<HostFunction> programmed, Sbdf sbdf) {
    return new RouteWalker(host.survey(), new LiveState(host, programmed)).walk(sbdf, vector);
  }

  /// The vectors that a function advertises are known before any of them is programmed.
  private void requireVector(Survey survey, Sbdf sbdf) {
    PciFunction pci = survey.function(sbdf).orElseThrow().pci();
    int has =
        pci.msix()
            .thing()
            .map(MsixCapability::vectors)
            .or(() -> pci.msi().thing().map(MsiCapability::size))
            .orElse(0);
    if (has > 0 && vector >= has) {
      throw new IndexOutOfBoundsException(
          "%s has %d vector%s and no vector %d".formatted(sbdf, has, has == 1 ? "" : "s", vector));
    }
  }

  private void print(String traced, Route route) {
    boolean derived =
        tables == null && route.hops().stream().noneMatch(h -> h.basis() == Basis.OBSERVED);
    String verdict = verdict(route, derived);
    if (json) {
      console.line(Json.write(TraceView.of(route, verdict)));
      return;
    }
    console.line(traced);
    int n = 0;
    for (Hop h : route.hops()) {
      n++;
      boolean last = n == route.hops().size() && !route.delivered();
      console.line(
          "  %2d. %s: %s"
              .formatted(
                  n,
                  h.at(),
                  last ? console.bad(h.in() + " -> " + h.out()) : h.in() + " -> " + h.out()));
      console.line(
          "      %s  %s"
              .formatted(
                  h.why(), console.faint("[%s, %s]".formatted(h.source(), Json.name(h.basis())))));
    }
    console.blank();
    console.line("  " + (route.delivered() ? console.good(verdict) : console.bad(verdict)));
  }

  private static String verdict(Route route, boolean derived) {
    if (!route.delivered()) {
      return "%s at %s"
          .formatted(derived ? "would stop" : "stops", route.stoppedAt().orElse("an unknown hop"));
    }
    Route.Interrupt i = route.interrupt().orElseThrow();
    String cpu = i.cpu().isPresent() ? " for CPU " + i.cpu().getAsInt() : "";
    String held =
        route.masked().orElse(false) ? "; the function holds the vector back (masked)" : "";
    String off =
        route.enabled().orElse(true) ? "" : "; the interrupt is disabled at the controller";
    return "%s as INTID %d%s%s%s"
        .formatted(derived ? "would be delivered" : "delivered", i.intid(), cpu, held, off);
  }
}
