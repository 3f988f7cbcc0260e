package dev.doorbell.cli;

import dev.doorbell.description.IommuDescription;
import dev.doorbell.explain.Refusal;
import dev.doorbell.host.HostOptions;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.qemu.Board;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import dev.doorbell.survey.Survey;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How the drivers of a machine are started.
final class HostChoice {
  @Option(
      names = "--stage",
      paramLabel = "1|2",
      description =
          "Which stage translates. SMMU: 1 (the default where it has that), or 2, which QEMU has from 9.1 on. VT-d: 1 is the first stage, in scalable mode; 2 (the default) the second, in legacy mode. AMD-Vi: 1 is guest page tables (version 2), 2 (the default) the host's. RISC-V: 1 (the default) or 2, one of them Bare. Other IOMMUs: refused.")
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

  /// @throws UnusableInput when a stage is chosen, and nothing that has stages translates what the functions send
  void requireStages(Survey survey, List<Sbdf> functions) {
    if (options().stage().isEmpty() || functions.stream().anyMatch(f -> hasStages(survey, f))) {
      return;
    }
    Sbdf first = functions.getFirst();
    String instead =
        survey
            .function(first)
            .flatMap(survey::iommu)
            .map(i -> "%s (%s)".formatted(i.id(), i.kind()))
            .orElse("no IOMMU");
    throw new UnusableInput(
        "BadArguments",
        "--stage %d chooses between the stages of an SMMU, of VT-d, of AMD-Vi or of a RISC-V IOMMU, and %s is behind %s"
            .formatted(stage, first, instead),
        "leave --stage out; other IOMMUs translate as their drivers choose");
  }

  private static boolean hasStages(Survey survey, Sbdf function) {
    return survey
        .function(function)
        .flatMap(survey::iommu)
        .filter(i ->
            i instanceof IommuDescription.Smmuv3
                || i instanceof IommuDescription.Smmuv2
                || i instanceof IommuDescription.VtD
                || i instanceof IommuDescription.AmdVi
                || i instanceof IommuDescription.RiscvIommu)
        .isPresent();
  }

  /// {@return a refusal with what else to do about it, where QEMU's SMMU has no second stage and that of a later one has}
  Refusal advised(Refusal refusal, ChosenMachine chosen) {
    Optional<QemuVersion> older =
        chosen
            .running()
            .filter(_ -> Objects.equals(stage, 2))
            .map(q -> q.process().version())
            .filter(v -> v.compareTo(Board.GICV3_STAGE2.least()) < 0);
    return older.isPresent() && refusal.type().equals("SmmuUnsupportedException")
        ? new Refusal(
            refusal.type(),
            refusal.message(),
            refusal.needed(),
            refusal.available(),
            refusal.objects(),
            refusal.source(),
            "%s; or name a QEMU of version %s or later (this one is %s) in the environment variable %s, and give --qemu %s"
                .formatted(
                    refusal.advice(),
                    Board.GICV3_STAGE2.least(),
                    older.get(),
                    QemuBinary.VARIABLE,
                    Json.name(Board.GICV3_STAGE2)))
        : refusal;
  }

  /// {@return the arguments that choose the same again, each with a blank before it}
  String again() {
    return stage == null ? "" : " --stage " + stage;
  }
}
