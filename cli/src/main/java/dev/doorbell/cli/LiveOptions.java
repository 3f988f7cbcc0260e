package dev.doorbell.cli;

import dev.doorbell.linux.LinuxOptions.Access;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What `assign` is asked of this very host.
final class LiveOptions {
  @Option(
      names = "--yes",
      description =
          "With --on linux: take functions from drivers that the host works with, until the end.")
  private boolean yes;

  @Option(
      names = "--for",
      paramLabel = "SECONDS",
      description = "With --on linux: watch so long; without it and --count until Ctrl-C.")
  private @Nullable Integer seconds;

  @Option(
      names = "--count",
      paramLabel = "N",
      description =
          "With --on linux: watch until so many interrupts came; exit status 1 when --for ends first.")
  private @Nullable Long count;

  @Option(
      names = "--access",
      paramLabel = "container|iommufd",
      description =
          "With --on linux: which of the kernel's interfaces; iommufd where every device has its file, when not given.")
  private @Nullable Access access;

  @Option(
      names = "--loopback",
      description =
          "With --on linux: let the kernel signal each vector once, which shows the way from the kernel to here, not the device's.")
  private boolean loopback;

  boolean yes() {
    return yes;
  }

  OptionalInt seconds() {
    return seconds == null ? OptionalInt.empty() : OptionalInt.of((int) positive("--for", seconds));
  }

  OptionalLong count() {
    return count == null ? OptionalLong.empty() : OptionalLong.of(positive("--count", count));
  }

  Optional<Access> access() {
    return Optional.ofNullable(access);
  }

  boolean loopback() {
    return loopback;
  }

  /// @throws UnusableInput when one is given that another machine does not know
  void requireNone() {
    List<String> given = new ArrayList<>();
    if (yes) {
      given.add("--yes");
    }
    if (seconds != null) {
      given.add("--for");
    }
    if (count != null) {
      given.add("--count");
    }
    if (access != null) {
      given.add("--access");
    }
    if (loopback) {
      given.add("--loopback");
    }
    if (!given.isEmpty()) {
      throw new UnusableInput(
          "BadArguments",
          "%s asks for this very host, and --on linux is not given"
              .formatted(String.join(", ", given)),
          "add --on linux, or leave it out");
    }
  }

  private static long positive(String name, long value) {
    if (value < 1) {
      throw new UnusableInput(
          "BadArguments", "%s %d is not 1 or more".formatted(name, value), "give 1 or more");
    }
    return value;
  }
}
