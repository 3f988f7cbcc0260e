package dev.doorbell.cli;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Sizes;
import dev.doorbell.plan.PlanRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// What `plan` and `assign` are asked.
final class PlanOptions {
  /// What a size of RAM is laid out in.
  private static final long RAM_BLOCK = 0x20_0000;

  @Parameters(paramLabel = "SBDF", arity = "0..*", description = "Functions that share one domain.")
  private List<String> functions = new ArrayList<>();

  @Option(names = "--devices", paramLabel = "A,B", description = "The same, as one list.")
  private List<String> devices = new ArrayList<>();

  @Option(
      names = "--ram",
      paramLabel = "SIZE|START-END,...",
      description =
          "Guest RAM: a size such as 4G to be laid out, or ranges (inclusive) to be checked.")
  private @Nullable String ram;

  @Option(
      names = "--window",
      paramLabel = "START-END",
      description = "The MSI window (inclusive); chosen when not given.")
  private @Nullable String window;

  @Option(
      names = "--granule",
      paramLabel = "4K|16K|64K",
      description = "The IOMMU's granule; its smallest when not given.")
  private @Nullable String granule;

  @Option(
      names = "--max",
      paramLabel = "N",
      description = "At most so many vectors for each function.")
  private @Nullable Integer max;

  @Option(
      names = "--unsafe-interrupts",
      description = "Accept an MSI controller that does not look at who writes.")
  private boolean unsafeInterrupts;

  List<String> functions() {
    List<String> all = new ArrayList<>(functions);
    all.addAll(devices);
    return all;
  }

  Optional<AddressRange> window() {
    return Optional.ofNullable(window).map(w -> Ranges.range("--window", w));
  }

  Optional<Granule> granule() {
    return Optional.ofNullable(granule).map(Ranges::granule);
  }

  OptionalInt max() {
    if (max == null) {
      return OptionalInt.empty();
    }
    if (max < 1) {
      throw new UnusableInput(
          "BadArguments", "--max " + max + " is not a number of vectors", "give 1 or more");
    }
    return OptionalInt.of(max);
  }

  boolean unsafeInterrupts() {
    return unsafeInterrupts;
  }

  /// {@return the arguments that lead to the same window and granule again, each with a blank before it}
  ///
  /// @param placed where the window came to lie; it depends on guest RAM, which not every command is told
  String placed(Optional<AddressRange> placed) {
    StringBuilder out = new StringBuilder();
    window()
        .or(() -> ram == null ? Optional.empty() : placed)
        .ifPresent(
            w -> out.append(" --window %s-%s".formatted(Json.hex(w.start()), Json.hex(w.last()))));
    granule().ifPresent(g -> out.append(" --granule ").append(g.bytes() / Sizes.KIB).append('K'));
    return out.toString();
  }

  /// {@return guest RAM as it was asked for, or a customary size}
  String ramOr(String customary) {
    return ram == null ? customary : ram;
  }

  /// @throws UnusableInput when something of it cannot be read, whatever the machine is
  void check() {
    Functions.named(functions());
    request();
  }

  PlanRequest request() {
    OptionalLong bytes = ram == null ? OptionalLong.empty() : Ranges.size(ram);
    if (bytes.isPresent() && bytes.getAsLong() % RAM_BLOCK != 0) {
      throw new UnusableInput(
          "BadArguments",
          "--ram %s is no multiple of 2 MiB, in which guest RAM is laid out".formatted(ram),
          "give a multiple of 2M, or the very ranges as START-END");
    }
    List<AddressRange> ranges = ram == null || bytes.isPresent() ? List.of() : Ranges.ram(ram);
    return new PlanRequest(ranges, bytes, window(), granule(), max(), unsafeInterrupts);
  }
}
