package dev.doorbell.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// The short form of the benchmarks: one process each group of works and few, short iterations, for a first look within a minute.
/// Differences of less than a third mean nothing in it. Runs in the calling process, so that it needs no class path of its own.
public final class ShortRun {
  private static final String BYTES = "gc.alloc.rate.norm";

  private static final String JAVA = "Java";

  /// How often Java and C take turns: the machine's other work then counts for both.
  private static final int TURNS = 3;

  /// Works in the order of the table, and the variants of each that the short form measures.
  private static final List<Work> WORKS =
      List.of(
          new Work("iova fill", IovaBenchmark.class, "fill", "1048576 pages"),
          new Work("iova new space", IovaBenchmark.class, "fillNew", "1048576 pages"),
          new Work("iova new space", IovaBenchmark.class, "fillNewRanges", "1048576 of 16 KiB"),
          new Work("iova churn", IovaBenchmark.class, "churn", "live=1048576"),
          new Work("iova churn", IovaBenchmark.class, "churnTwoThreads", "live=1048576"),
          new Work("iova mixed sizes", IovaBenchmark.class, "mixedSizes", "100000 ranges"),
          new Work("iova nearly full", IovaBenchmark.class, "nearlyFullGrant", "grant"),
          new Work("iova nearly full", IovaBenchmark.class, "nearlyFullRefusal", "refusal"),
          new Work("translate", TranslateBenchmark.class, "mapped", "pages=1,devices=1"),
          new Work("translate", TranslateBenchmark.class, "mapped", "pages=512,devices=1000"),
          new Work("translate", TranslateBenchmark.class, "mapped", "pages=1048576,devices=1"),
          new Work(
              "translate, bare walk", TranslateBenchmark.class, "bareWalk", "pages=512,devices=1"),
          new Work(
              "translate, bare walk",
              TranslateBenchmark.class,
              "bareWalk",
              "pages=1048576,devices=1"),
          new Work("translate fault", TranslateBenchmark.class, "unmapped", "pages=512,devices=1"),
          new Work(
              "translate by riscv-iommu",
              RiscvTranslateBenchmark.class,
              "mapped",
              "pages=512,devices=1000"),
          new Work("msi to pending", MsiBenchmark.class, "pending", "shape=1x1"),
          new Work("msi to pending", MsiBenchmark.class, "pending", "shape=1x64"),
          new Work("msi to pending", MsiBenchmark.class, "pending", "shape=1x2048"),
          new Work("msi to pending", MsiBenchmark.class, "pending", "shape=256x64"),
          new Work("msi to pending", MsiBenchmark.class, "pendingTwoThreads", "shape=256x64"),
          new Work("msi through vt-d", MsiBenchmark.class, "remapped", "shape=1x1"),
          new Work("msi through vt-d", MsiBenchmark.class, "remapped", "shape=1x64"),
          new Work("msi through vt-d", MsiBenchmark.class, "remapped", "shape=1x2048"),
          new Work("msi through vt-d", MsiBenchmark.class, "remapped", "shape=256x64"),
          new Work("msi posted by vt-d", X86Benchmark.class, "posted", "shape=1x1"),
          new Work("msi posted by vt-d", X86Benchmark.class, "posted", "shape=1x64"),
          new Work("msi posted by vt-d", X86Benchmark.class, "posted", "shape=1x2048"),
          new Work("retarget under load", X86Benchmark.class, "retargeted", "shape=1x64"),
          new Work("msi through pamu", MsiBenchmark.class, "banked", "shape=1x64"),
          new Work("msi through phb3", MsiBenchmark.class, "presented", "shape=1x64"),
          new Work("msi through phb4", MsiBenchmark.class, "queued", "shape=1x64"),
          new Work("msi through phb5", MsiBenchmark.class, "queuedByPhb5", "shape=1x64"),
          new Work("msi of a papr guest", MsiBenchmark.class, "hosted", "shape=1x64"),
          new Work("msi of a papr guest, xive", MsiBenchmark.class, "exploited", "shape=1x64"),
          new Work("msi to imsic", MsiBenchmark.class, "filed", "shape=1x64"),
          platform("dma write", "written", Platform.SMMUV3),
          platform("dma write", "written", Platform.RISCV),
          platform("dma write", "written", Platform.PAMU),
          platform("dma write", "written", Platform.PHB3),
          platform("dma write", "written", Platform.PHB4),
          platform("dma write", "written", Platform.PHB5),
          platform("dma write", "written", Platform.PAPR),
          platform("retarget", "retargeted", Platform.SMMUV3),
          platform("retarget", "retargeted", Platform.RISCV),
          platform("retarget", "retargeted", Platform.PAMU),
          platform("retarget", "retargeted", Platform.PHB3),
          platform("retarget", "retargeted", Platform.PHB4),
          platform("retarget", "retargeted", Platform.PHB5),
          platform("retarget", "retargeted", Platform.PAPR),
          platform("retarget", "retargeted", Platform.PAPR_XIVE),
          platform("enable 64 vectors", "enabled", Platform.SMMUV3),
          platform("enable 64 vectors", "enabled", Platform.RISCV),
          platform("enable 64 vectors", "enabled", Platform.PAMU),
          platform("enable 64 vectors", "enabled", Platform.PHB3),
          platform("enable 64 vectors", "enabled", Platform.PHB4),
          platform("enable 64 vectors", "enabled", Platform.PHB5),
          platform("enable 64 vectors", "enabled", Platform.PAPR),
          platform("enable 64 vectors", "enabled", Platform.PAPR_XIVE),
          new Work("msi taken", MsiBenchmark.class, "taken", "shape=1x64"),
          new Work("kernel: eventfd", KernelCallsBenchmark.class, "eventfd", JAVA),
          new Work("kernel: irqfd", KernelCallsBenchmark.class, "irqfd", JAVA),
          new Work("kernel: signal msi", KernelCallsBenchmark.class, "signal", JAVA),
          new Work("kernel: ioctl", KernelCallsBenchmark.class, "version", JAVA),
          new Work("kernel: dma map", KernelCallsBenchmark.class, "dmaMap", JAVA));

  private ShortRun() {}

  private static Work platform(String name, String method, Platform platform) {
    return new Work(name, PlatformBenchmark.class, method, "platform=" + platform);
  }

  /// One line of the answer.
  ///
  /// @param work what is done once
  /// @param variant at which size, by how many threads
  /// @param nsPerOp nanoseconds; of each thread, where there are two
  /// @param bytesPerOp heap allocated; 0 is expected everywhere but where a driver takes the interrupt (PowerPC and POWER) or moves a vector
  public record Row(String work, String variant, double nsPerOp, double bytesPerOp) {}

  /// @param parameters `name=value`, separated by commas; anything without `=` is only a name for people
  private record Work(String name, Class<?> type, String method, String parameters) {
    String variant() {
      String shown = parameters.replace("shape=", "").replace('=', ' ').replace(",", ", ");
      return method.endsWith("TwoThreads") ? shown + ", 2 threads" : shown;
    }
  }

  /// How long each work is run.
  ///
  /// @param warmups iterations that do not count
  /// @param iterations iterations that count
  /// @param milliseconds of each iteration
  public record Effort(int warmups, int iterations, int milliseconds) {
    /// The usual one.
    public static final Effort SHORT = new Effort(3, 3, 300);
  }

  /// {@return works whose name and variant hold a text, in any case; all when it is empty}
  public static List<String> names(String filter) {
    return chosen(filter).stream().map(w -> w.name + ", " + w.variant()).toList();
  }

  /// Runs works, one after another.
  ///
  /// {@return a row for each, in the order of {@link #names}}
  ///
  /// @param progress takes a line before each work
  /// @throws IllegalStateException when a work fails: its benchmark found a wrong result
  public static List<Row> run(String filter, Effort effort, Consumer<String> progress) {
    List<Work> works = chosen(filter);
    List<Row> rows = new ArrayList<>();
    try (KernelCalls kernel = KernelCalls.find()) {
      for (int i = 0; i < works.size(); i++) {
        Work w = works.get(i);
        String line = "%d of %d: %s, %s".formatted(i + 1, works.size(), w.name, w.variant());
        Optional<String> why =
            w.type == KernelCallsBenchmark.class ? kernel.refusal(w.method) : Optional.empty();
        progress.accept(line + why.map(r -> ": skipped: " + r).orElse(""));
        if (why.isPresent()) {
          continue;
        }
        if (w.type == KernelCallsBenchmark.class) {
          rows.addAll(inTurns(w, effort, kernel));
        } else {
          rows.add(run(w, effort));
        }
      }
    }
    return List.copyOf(rows);
  }

  /// {@return the shortest of some turns in Java, and in C where that is there; a turn is as long in both}
  private static List<Row> inTurns(Work work, Effort effort, KernelCalls kernel) {
    List<Row> java = new ArrayList<>();
    List<Row> c = new ArrayList<>();
    for (int turn = 0; turn < TURNS; turn++) {
      java.add(run(work, effort));
      kernel
          .inC(work.method, effort.milliseconds * effort.iterations)
          .ifPresent(ns -> c.add(new Row(work.name, "C", ns, 0)));
    }
    List<Row> out = new ArrayList<>();
    java.stream().min(Comparator.comparingDouble(Row::nsPerOp)).ifPresent(out::add);
    c.stream().min(Comparator.comparingDouble(Row::nsPerOp)).ifPresent(out::add);
    return out;
  }

  private static List<Work> chosen(String filter) {
    String wanted = filter.toLowerCase(Locale.ROOT);
    return WORKS.stream()
        .filter(w -> (w.name + ", " + w.variant()).toLowerCase(Locale.ROOT).contains(wanted))
        .toList();
  }

  private static Row run(Work work, Effort effort) {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("^" + Pattern.quote(work.type.getName() + "." + work.method) + "$")
            .forks(0)
            .warmupIterations(effort.warmups)
            .warmupTime(TimeValue.milliseconds(effort.milliseconds))
            .measurementIterations(effort.iterations)
            .measurementTime(TimeValue.milliseconds(effort.milliseconds))
            .addProfiler(GCProfiler.class)
            .verbosity(VerboseMode.SILENT)
            .shouldFailOnError(true);
    for (String parameter : work.parameters.split(",", -1)) {
      String[] pair = parameter.split("=", 2);
      if (pair.length == 2) {
        options.param(pair[0], pair[1]);
      }
    }
    RunResult result = only(work, options);
    Result<?> bytes =
        Optional.ofNullable(result.getSecondaryResults().get(BYTES))
            .orElseThrow(() ->
                new IllegalStateException(
                    work.name + ": this JVM does not tell what it allocates"));
    return new Row(
        work.name, work.variant(), result.getPrimaryResult().getScore(), bytes.getScore());
  }

  private static RunResult only(Work work, ChainedOptionsBuilder options) {
    try {
      Collection<RunResult> results = new Runner(options.build()).run();
      return results.stream()
          .findFirst()
          .orElseThrow(() -> new IllegalStateException(work.name + ": no result"));
    } catch (RunnerException e) {
      if (String.valueOf(e.getMessage()).contains("lock")) {
        throw new BenchmarkBusy("another run of benchmarks has this machine's lock", e);
      }
      throw new IllegalStateException(
          "%s, %s: %s".formatted(work.name, work.variant(), e.getMessage()), e);
    }
  }
}
