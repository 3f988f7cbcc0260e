package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.BankRegisters.*;
import static dev.doorbell.hw.smmuv2.Gr1Registers.*;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.explain.Source;
import dev.doorbell.vmsa.Regime;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaOutcome;
import dev.doorbell.vmsa.VmsaWalk;
import dev.doorbell.vmsa.VmsaWalker;
import java.util.Optional;

/// The part of a walk from a context bank on.
///
/// **Source** IHI 0062 D.c, 10.2, 16.5.
record ContextWalk(SmmuV2Trail trail) {
  private static final int SIGN = 16;
  private static final int WIDEST_32 = 40;

  /// What a bank's registers say of its tables.
  private record Tables(VmsaGeometry geometry, Pa root, VmsaWalker.Options options) {}

  SmmuV2Walk walk(int bank, Iova input, boolean write) {
    Optional<Long> cbar = trail.global(CBAR, bank, "what the bank is for");
    Optional<Long> cba2r =
        cbar.isEmpty() ? cbar : trail.global(CBA2R, bank, "the format of its tables");
    if (cbar.isEmpty() || cba2r.isEmpty()) {
      return trail.stopped();
    }
    int type = CBAR_TYPE.getInt(cbar.get());
    Source source = Source.at("SMMU_CBAR" + bank, CBAR.offset(bank));
    boolean is64 = CBA2R_VA64.isSet(cba2r.get());
    String why =
        "TYPE=%s, %s tables"
            .formatted(CBAR_TYPE.names().nameOf(type), is64 ? "AArch64" : "AArch32 long");
    if (type == TYPE_S1_S2_FAULT) {
      return trail.stop(input.toString(), "invalid context fault: " + why, source);
    }
    trail.hop("CBAR" + bank, "context bank " + bank, input.toString(), why, source);
    if (type == TYPE_S2) {
      return finish(stage(bank, Stage.STAGE2, is64, input.value(), write));
    }
    Optional<Pa> first = stage(bank, Stage.STAGE1, is64, input.value(), write);
    if (first.isEmpty() || type == TYPE_S1_S2_BYPASS) {
      return finish(first);
    }
    int second = CBAR_CBNDX.getInt(cbar.get());
    Optional<Long> format = trail.global(CBA2R, second, "the format of stage 2's tables");
    if (format.isEmpty()) {
      return trail.stopped();
    }
    return finish(
        stage(second, Stage.STAGE2, CBA2R_VA64.isSet(format.get()), first.get().value(), write));
  }

  private SmmuV2Walk finish(Optional<Pa> output) {
    return output.map(trail::reached).orElseGet(trail::stopped);
  }

  /// {@return the output of one stage; empty, with the break told, when there is none}
  private Optional<Pa> stage(int bank, Stage stage, boolean is64, long input, boolean write) {
    Optional<Long> sctlr = trail.bank(bank, SCTLR, "whether the bank translates");
    if (sctlr.isEmpty()) {
      return Optional.empty();
    }
    if (!SCTLR_M.isSet(sctlr.get())) {
      trail.hop(
          "CB%d_SCTLR".formatted(bank),
          "0x" + Long.toHexString(input),
          "0x" + Long.toHexString(input),
          "M=0: the stage passes addresses as they are",
          at(bank, "SCTLR", SCTLR.offset()));
      return Optional.of(new Pa(input));
    }
    Optional<Tables> tables =
        stage == Stage.STAGE1 ? stage1(bank, is64, sctlr.get()) : stage2(bank, is64, sctlr.get());
    if (tables.isEmpty()) {
      return Optional.empty();
    }
    Tables t = tables.get();
    VmsaWalk walk =
        new VmsaWalker(t.geometry, t.root, trail.memory(), t.options).walk(input, write);
    trail.add(stage, input, walk);
    if (walk.outcome() instanceof VmsaOutcome.Mapped mapped) {
      return Optional.of(mapped.output());
    }
    trail.stop(
        "0x" + Long.toHexString(input),
        "context fault in bank %d: %s".formatted(bank, walk.outcome().message()),
        at(bank, "TTBR0", TTBR0.offset()));
    return Optional.empty();
  }

  private Optional<Tables> stage1(int bank, boolean is64, long sctlr) {
    Optional<Long> tcr = trail.bank(bank, TCR, "the shape of the tables");
    Optional<Long> tcr2 = tcr.isEmpty() ? tcr : trail.bank(bank, TCR2, "the output size");
    Optional<Long> ttbr = tcr2.isEmpty() ? tcr2 : trail.bank(bank, TTBR0, "the start table");
    Optional<Long> mair = ttbr.isEmpty() ? ttbr : trail.bank(bank, MAIR0, "the memory types");
    if (mair.isEmpty()) {
      return Optional.empty();
    }
    long control = tcr.orElseThrow();
    if (TCR_EPD0.isSet(control)) {
      return wrong(bank, "EPD0=1: TTBR0 is not walked");
    }
    Optional<Granule> granule =
        is64 ? VmsaGeometry.decodeTg0(TCR_TG0.getInt(control)) : Optional.of(Granule.K4);
    int inputBits =
        is64 ? Long.SIZE - TCR_T0SZ.getInt(control) : Integer.SIZE - TCR32_T0SZ.getInt(control);
    int outputBits =
        is64 ? VmsaGeometry.decodeSize(TCR2_PASIZE.getInt(tcr2.orElseThrow())) : WIDEST_32;
    long base = is64 ? TTBR_BADDR.get(ttbr.orElseThrow()) : TTBR32_BADDR.get(ttbr.orElseThrow());
    int start = granule.map(g -> Regime.stage1Start(inputBits, g.shift())).orElse(0);
    return tables(
        bank,
        new Shape(granule, Stage.STAGE1, inputBits, outputBits, start),
        base,
        new VmsaWalker.Options(SCTLR_AFFD.isSet(sctlr), false, mair.get(), false));
  }

  private Optional<Tables> stage2(int bank, boolean is64, long sctlr) {
    Optional<Long> tcr = trail.bank(bank, TCR, "the shape of the tables");
    Optional<Long> ttbr = tcr.isEmpty() ? tcr : trail.bank(bank, TTBR0, "the start table");
    if (ttbr.isEmpty()) {
      return Optional.empty();
    }
    long control = tcr.orElseThrow();
    Optional<Granule> granule =
        is64 ? VmsaGeometry.decodeTg0(VTCR_TG0.getInt(control)) : Optional.of(Granule.K4);
    int size = VTCR32_T0SZ.getInt(control);
    int inputBits =
        is64
            ? Long.SIZE - VTCR_T0SZ.getInt(control)
            : Integer.SIZE - (VTCR32_S.isSet(control) ? size - SIGN : size);
    int outputBits = is64 ? VmsaGeometry.decodeSize(VTCR_PASIZE.getInt(control)) : WIDEST_32;
    int start = granule.map(g -> VmsaGeometry.decodeSl0(g, VTCR_SL0.getInt(control))).orElse(-1);
    return tables(
        bank,
        new Shape(granule, Stage.STAGE2, inputBits, outputBits, start),
        TTBR_BADDR.get(ttbr.get()),
        new VmsaWalker.Options(SCTLR_AFFD.isSet(sctlr), false, 0, false));
  }

  private record Shape(
      Optional<Granule> granule, Stage stage, int inputBits, int outputBits, int start) {
    Optional<String> problem() {
      return granule.isEmpty()
          ? Optional.of("the granule's encoding is reserved")
          : VmsaGeometry.problem(granule.get(), stage, inputBits, outputBits, start);
    }

    VmsaGeometry geometry() {
      return new VmsaGeometry(granule.orElseThrow(), stage, inputBits, outputBits, start);
    }
  }

  private Optional<Tables> tables(int bank, Shape shape, long base, VmsaWalker.Options options) {
    Optional<String> problem = shape.problem();
    if (problem.isPresent()) {
      return wrong(bank, problem.get());
    }
    VmsaGeometry geometry = shape.geometry();
    long root = base & -geometry.tableAlignment(geometry.startLevel());
    trail.hop(
        "CB" + bank,
        "%s input of %d bits".formatted(shape.stage, geometry.inputBits()),
        "table at 0x%x".formatted(root),
        "granule %s, start level %d, output of %d bits"
            .formatted(geometry.granule(), geometry.startLevel(), geometry.outputBits()),
        at(bank, "TTBR0", TTBR0.offset()));
    return Optional.of(new Tables(geometry, new Pa(root), options));
  }

  private Optional<Tables> wrong(int bank, String why) {
    trail.stop("context bank " + bank, "context fault: " + why, at(bank, "TCR", TCR.offset()));
    return Optional.empty();
  }

  private static Source at(int bank, String register, long offset) {
    return Source.at("SMMU_CB%d_%s".formatted(bank, register), offset);
  }
}
