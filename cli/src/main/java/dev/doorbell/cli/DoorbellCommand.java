package dev.doorbell.cli;

import dev.doorbell.cli.Json.ErrorDocument;
import dev.doorbell.cli.Json.ErrorView;
import dev.doorbell.explain.Printable;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.machine.UnusableDescription;
import dev.doorbell.plan.emit.Form;
import dev.doorbell.qemu.Board;
import dev.doorbell.qemu.QemuException;
import java.io.PrintWriter;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/// The command `doorbell`: gathers the commands, and turns every end but a normal one into a sentence and an exit status.
@Command(
    name = "doorbell",
    mixinStandardHelpOptions = true,
    version = "doorbell 0.1.0",
    description = {
      "Message-signalled interrupts through an IOMMU: will passthrough work on this machine, where and how big must the window be,"
          + " is it safe, where does this interrupt go, why does it not arrive?"
    },
    footer = {
      "",
      "Exit status: 0 yes or works, 1 no (a verdict or refusal), 2 arguments or input that cannot be used, 3 internal error.",
      "Try: doorbell assign"
    })
final class DoorbellCommand implements Runnable {
  private final Console console;
  private final Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
  private @Nullable CommandLine made;

  DoorbellCommand(PrintWriter out, PrintWriter err, boolean colour, Surroundings surroundings) {
    console = new Console(out, err, colour);
    commands.put("assign", () -> new AssignCommand(console, surroundings));
    commands.put("inspect", () -> new InspectCommand(console));
    commands.put("plan", () -> new PlanCommand(console));
    commands.put("trace", () -> new TraceCommand(console, surroundings));
    commands.put("doctor", () -> new DoctorCommand(console));
    commands.put("capture", () -> new CaptureCommand(console));
    commands.put("diff", () -> new DiffCommand(console));
    commands.put("vm", () -> new VmCommand(console, surroundings));
    commands.put("bench", () -> new BenchCommand(console));
  }

  /// Adds a command that tests fail.
  void add(Object command) {
    line().addSubcommand(command);
  }

  private CommandLine line() {
    CommandLine line = made == null ? new CommandLine(this) : made;
    made = line;
    return line;
  }

  int execute(String... args) {
    try {
      Optional<InspectCommand> plain = InspectCommand.plain(console, args);
      return plain.isPresent() ? execute(plain.get(), args) : parse(args);
    } catch (VirtualMachineError e) {
      // Java would end the process with 1, which is a verdict.
      return failed(e, asksForJson(args));
    }
  }

  private int execute(InspectCommand command, String... args) {
    try {
      return command.call();
    } catch (RuntimeException e) {
      return failed(e, asksForJson(args));
    }
  }

  private static boolean asksForJson(String... args) {
    return Arrays.asList(args).contains("--json");
  }

  private int parse(String... args) {
    CommandLine line = line();
    // Where one is named no other is made: to read what all of them declare takes longer than most
    // of them run.
    Supplier<Object> named = args.length == 0 ? null : commands.get(args[0]);
    Stream<Supplier<Object>> needed = named == null ? commands.values().stream() : Stream.of(named);
    needed.forEach(c -> line.addSubcommand(c.get()));
    // These hold for the commands that there are, and none that is added later.
    line.setOut(console.out());
    line.setErr(console.err());
    line.setColorScheme(CommandLine.Help.defaultColorScheme(console.ansi()));
    line.registerConverter(Path.class, DoorbellCommand::path);
    line.registerConverter(Form.class, new ChoiceName<>(Form.class));
    line.registerConverter(MachineOptions.On.class, new ChoiceName<>(MachineOptions.On.class));
    line.registerConverter(Access.class, new ChoiceName<>(Access.class));
    line.registerConverter(Board.class, new ChoiceName<>(Board.class));
    line.setUsageHelpWidth(100);
    line.setParameterExceptionHandler(this::badArguments);
    line.setExecutionExceptionHandler(
        (e, at, parsed) -> failed(e, parsed.expandedArgs().contains("--json")));
    return line.execute(args);
  }

  @Override
  public void run() {
    line().usage(console.out());
  }

  private int badArguments(ParameterException e, String[] args) {
    String command = e.getCommandLine().getCommandName();
    String help = "see " + (command.equals("doorbell") ? "" : "doorbell ") + command + " --help";
    report(
        asksForJson(args),
        new ErrorView("BadArguments", told(e), null, null, null, List.of(), null, help));
    return ExitStatus.UNUSABLE.code();
  }

  private static String told(ParameterException e) {
    if (e instanceof UnmatchedArgumentException u && !u.isUnknownOption()) {
      String word = u.getUnmatched().getFirst();
      String commands = String.join(", ", u.getCommandLine().getSubcommands().keySet());
      return commands.isEmpty()
          ? "one argument too many: '%s'".formatted(word)
          : "there is no command '%s'; there are %s".formatted(word, commands);
    }
    return Objects.requireNonNullElse(e.getMessage(), "the arguments cannot be read");
  }

  private static Path path(String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new TypeConversionException(
          "'%s' cannot be the name of a file here: %s".formatted(text, e.getReason()));
    }
  }

  private int failed(Throwable e, boolean json) {
    return switch (e) {
      case UnusableDescription damaged -> {
        report(json, ErrorView.of(damaged.refusal()));
        yield ExitStatus.UNUSABLE.code();
      }
      case Refused refused -> {
        report(json, ErrorView.of(refused.refusal()));
        yield ExitStatus.NO.code();
      }
      case QemuException q -> {
        report(
            json,
            new ErrorView(
                q.getClass().getSimpleName(),
                String.valueOf(q.getMessage()),
                null,
                null,
                null,
                List.of(),
                null,
                q.advice()));
        yield ExitStatus.UNUSABLE.code();
      }
      case UnusableInput u -> {
        report(
            json,
            new ErrorView(
                u.type(),
                String.valueOf(u.getMessage()),
                null,
                null,
                null,
                List.of(),
                null,
                u.advice()));
        yield ExitStatus.UNUSABLE.code();
      }
      default -> {
        report(
            json,
            new ErrorView(
                "InternalError",
                e.toString(),
                null,
                null,
                null,
                List.of(),
                null,
                "this is a defect of doorbell: please report it with the input and the lines on standard error"));
        e.printStackTrace(console.err());
        yield ExitStatus.INTERNAL.code();
      }
    };
  }

  private void report(boolean json, ErrorView whole) {
    ErrorView error = whole.brief();
    if (json) {
      console.out().println(Json.write(new ErrorDocument(error)));
      return;
    }
    console.err().println("doorbell: " + told(error.message()));
    if (error.needed() != null || error.available() != null) {
      console
          .err()
          .println(
              "  needed %s, available %s (%s)"
                  .formatted(error.needed(), error.available(), error.unit()));
    }
    if (error.source() != null) {
      console.err().println("  source: " + told(error.source()));
    }
    if (error.advice() != null) {
      console.err().println("  advice: " + told(error.advice()));
    }
  }

  /// Messages quote arguments and what other programs printed.
  private static String told(String text) {
    return text.lines().map(Printable::of).collect(Collectors.joining(System.lineSeparator()));
  }

  /// {@return a refusal as the command prints it}
  static ErrorView view(Refusal refusal) {
    return ErrorView.of(refusal);
  }
}
