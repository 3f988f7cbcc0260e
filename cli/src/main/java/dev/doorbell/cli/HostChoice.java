package dev.doorbell.cli;

import dev.doorbell.host.HostOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How the drivers of a machine are started.
final class HostChoice {
  @Option(
      names = "--stage",
      paramLabel = "1|2",
      description =
          "Which stage of an SMMUv3 translates: 1 (the default where it has that), or 2. QEMU has stage 2 from 9.1 on.")
  private @Nullable Integer stage;

  HostOptions options() {
    if (stage == null) {
      return HostOptions.USUAL;
    }
    try {
      return HostOptions.USUAL.withStage(stage);
    } catch (IllegalArgumentException e) {
      throw new UnusableInput(
          "BadArguments", "--stage %d is neither 1 nor 2".formatted(stage), "give 1 or 2");
    }
  }

  /// @throws UnusableInput when something is chosen, and the drivers are the kernel's
  void requireOwn() {
    if (stage != null) {
      throw new UnusableInput(
          "BadArguments",
          "--stage chooses how Doorbell's drivers start, and with --on linux the kernel's work",
          "leave one of them out");
    }
  }

  /// {@return the arguments that choose the same again, each with a blank before it}
  String again() {
    return stage == null ? "" : " --stage " + stage;
  }
}
