package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.BankRegisters.*;
import static dev.doorbell.hw.smmuv2.Gr1Registers.*;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Field;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import dev.doorbell.vmsa.Regime;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaOutcome;
import dev.doorbell.vmsa.VmsaWalk;
import dev.doorbell.vmsa.VmsaWalker;
import java.util.Optional;
import java.util.OptionalLong;

/// The part of a walk from a context bank on.
///
/// **Source** IHI 0062 D.c, 10.2, 16.5.
record ContextWalk(SmmuV2Trail trail) {
  private static final int SIGN = 16;
  private static final int WIDEST_32 = 40;

  /// What a bank's registers say of its tables.
  private record Tables(VmsaGeometry geometry, Pa root, VmsaWalker.Options options) {
    VmsaWalk walk(MemoryView memory, long input, boolean write) {
      return new VmsaWalker(geometry, root, memory, options).walk(input, write);
    }
  }

  /// One stage: a bank and, where it translates, its tables.
  private record Half(int bank, Stage stage, Optional<Tables> tables) {}

  SmmuV2Walk walk(int bank, Iova input, boolean write) {
    Optional<Long> cbar = trail.global(CBAR, bank, "what the bank is for");
    Optional<Long> cba2r =
        cbar.isEmpty() ? cbar : trail.global(CBA2R, bank, "the format of its tables");
    if (cbar.isEmpty() || cba2r.isEmpty()) {
      return trail.stopped();
    }
    int type = CBAR_TYPE.getInt(cbar.get());
    Source source = Source.at("SMMU_CBAR" + bank, CBAR.offset(bank));
    boolean is64 = is64(cba2r.get());
    String why =
        "TYPE=%s, %s tables"
            .formatted(CBAR_TYPE.names().nameOf(type), is64 ? "AArch64" : "AArch32 long");
    if (type == TYPE_S1_S2_FAULT) {
      return trail.stop(input.toString(), "invalid context fault: " + why, source);
    }
    int second = trail.peek(Gr0Registers.IDR1).map(Gr0Registers.IDR1_NUMS2CB::getInt).orElse(0);
    if (type != TYPE_S2 && bank < second) {
      return trail.stop(
          input.toString(),
          "invalid context fault: %s, and the first %d banks know stage 2 alone"
              .formatted(why, second),
          source);
    }
    trail.hop("CBAR" + bank, "context bank " + bank, input.toString(), why, source);
    if (type == TYPE_S1_S2) {
      return nested(bank, is64, CBAR_CBNDX.getInt(cbar.get()), input, write);
    }
    Stage stage = type == TYPE_S2 ? Stage.STAGE2 : Stage.STAGE1;
    return half(bank, stage, is64)
        .flatMap(h -> through(h, Optional.empty(), input.value(), write))
        .map(trail::reached)
        .orElseGet(trail::stopped);
  }

  /// Stage 1 above stage 2, by which stage 1's own tables are read, too.
  private SmmuV2Walk nested(int bank, boolean is64, int below, Iova input, boolean write) {
    Optional<Long> cbar = trail.global(CBAR, below, "what the bank of stage 2 is for");
    Optional<Long> format =
        cbar.isEmpty() ? cbar : trail.global(CBA2R, below, "the format of stage 2's tables");
    if (cbar.isEmpty() || format.isEmpty()) {
      return trail.stopped();
    }
    Source source = Source.at("SMMU_CBAR" + below, CBAR.offset(below));
    if (CBAR_TYPE.getInt(cbar.get()) != TYPE_S2) {
      return trail.stop(
          input.toString(),
          "unimplemented context bank fault: bank %d, which bank %d names for stage 2, is none of stage 2"
              .formatted(below, bank),
          source);
    }
    Optional<Half> second = half(below, Stage.STAGE2, is64(format.get()));
    Optional<Half> first = second.isEmpty() ? second : half(bank, Stage.STAGE1, is64);
    if (first.isEmpty()) {
      return trail.stopped();
    }
    trail.hop(
        "CBAR" + bank,
        "context bank " + bank,
        "context bank %d behind it".formatted(below),
        "CBNDX=%d: stage 2, which stage 1's tables are read through, too".formatted(below),
        source);
    return through(first.get(), second.get().tables, input.value(), write)
        .flatMap(ipa -> through(second.get(), Optional.empty(), ipa.value(), write))
        .map(trail::reached)
        .orElseGet(trail::stopped);
  }

  /// {@return what a bank's registers say of its stage; empty, with the break told, when they say nothing that can be walked}
  private Optional<Half> half(int bank, Stage stage, boolean is64) {
    Optional<Long> sctlr = trail.bank(bank, SCTLR, "whether the bank translates");
    if (sctlr.isEmpty() || !SCTLR_M.isSet(sctlr.get())) {
      return sctlr.map(_ -> new Half(bank, stage, Optional.empty()));
    }
    return (stage == Stage.STAGE1
            ? stage1(bank, is64, sctlr.get())
            : stage2(bank, is64, sctlr.get()))
        .map(tables -> new Half(bank, stage, Optional.of(tables)));
  }

  /// {@return the output of one stage; empty, with the break told, when there is none}
  ///
  /// @param below the stage by which the tables are read
  private Optional<Pa> through(Half half, Optional<Tables> below, long input, boolean write) {
    String at = "0x" + Long.toHexString(input);
    if (half.tables.isEmpty()) {
      trail.hop(
          "CB%d_SCTLR".formatted(half.bank),
          at,
          at,
          "M=0: the stage passes addresses as they are",
          at(half.bank, "SCTLR", SCTLR.offset()));
      return Optional.of(new Pa(input));
    }
    Tables t = half.tables.get();
    trail.hop(
        "CB" + half.bank,
        "%s input of %d bits".formatted(half.stage, t.geometry.inputBits()),
        "table at 0x%x".formatted(t.root.value()),
        "granule %s, start level %d, output of %d bits"
            .formatted(t.geometry.granule(), t.geometry.startLevel(), t.geometry.outputBits()),
        at(half.bank, "TTBR0", TTBR0.offset()));
    MemoryView memory = below.map(this::behind).orElse(trail.memory());
    VmsaWalk walk = t.walk(memory, input, write);
    trail.add(half.stage, input, walk, memory);
    if (walk.outcome() instanceof VmsaOutcome.Mapped mapped) {
      return Optional.of(mapped.output());
    }
    trail.stop(
        at,
        "context fault in bank %d: %s%s"
            .formatted(half.bank, walk.outcome().message(), unseen(walk, below)),
        at(half.bank, "TTBR0", TTBR0.offset()));
    return Optional.empty();
  }

  /// {@return why stage 2 does not lead to a descriptor of stage 1, if that is why it cannot be seen}
  private String unseen(VmsaWalk walk, Optional<Tables> below) {
    if (below.isEmpty() || !(walk.outcome() instanceof VmsaOutcome.Unreadable unreadable)) {
      return "";
    }
    VmsaOutcome second =
        below.get().walk(trail.memory(), unreadable.entry().value(), false).outcome();
    return second instanceof VmsaOutcome.Mapped ? "" : "; stage 2: " + second.message();
  }

  /// {@return memory as stage 1 sees it: every read passes stage 2}
  private MemoryView behind(Tables second) {
    MemoryView memory = trail.memory();
    return new MemoryView() {
      @Override
      public OptionalLong read64(long ipa) {
        return second.walk(memory, ipa, false).outcome() instanceof VmsaOutcome.Mapped mapped
            ? memory.read64(mapped.output().value())
            : OptionalLong.empty();
      }

      @Override
      public Source source(long ipa) {
        return Source.at(
            "IPA page 0x" + Long.toHexString(ipa & -PAGE_BYTES), ipa & (PAGE_BYTES - 1));
      }
    };
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
    if (!is64 && !TCR32_EAE.isSet(control)) {
      return wrong(bank, "EAE=0: short descriptors, which are not walked");
    }
    Optional<Granule> granule =
        is64 ? VmsaGeometry.decodeTg0(TCR_TG0.getInt(control)) : Optional.of(Granule.K4);
    int inputBits =
        is64 ? Long.SIZE - TCR_T0SZ.getInt(control) : Integer.SIZE - TCR32_T0SZ.getInt(control);
    int outputBits =
        width(
            is64 ? VmsaGeometry.decodeSize(TCR2_PASIZE.getInt(tcr2.orElseThrow())) : WIDEST_32,
            Gr0Registers.IDR2_IAS);
    long base = is64 ? TTBR_BADDR.get(ttbr.orElseThrow()) : TTBR32_BADDR.get(ttbr.orElseThrow());
    int start = granule.map(g -> Regime.stage1Start(inputBits, g.shift())).orElse(0);
    return tables(
        bank,
        new Shape(offered(granule, is64), Stage.STAGE1, inputBits, outputBits, start),
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
    int outputBits =
        width(
            is64 ? VmsaGeometry.decodeSize(VTCR_PASIZE.getInt(control)) : WIDEST_32,
            Gr0Registers.IDR2_OAS);
    int start = granule.map(g -> VmsaGeometry.decodeSl0(g, VTCR_SL0.getInt(control))).orElse(-1);
    return tables(
        bank,
        new Shape(offered(granule, is64), Stage.STAGE2, inputBits, outputBits, start),
        TTBR_BADDR.get(ttbr.get()),
        new VmsaWalker.Options(SCTLR_AFFD.isSet(sctlr), false, 0, false));
  }

  /// Version 1 has no tables of AArch64.
  private boolean is64(long cba2r) {
    int major = trail.peek(Gr0Registers.IDR7).map(Gr0Registers.IDR7_MAJOR::getInt).orElse(2);
    return major >= 2 && CBA2R_VA64.isSet(cba2r);
  }

  /// {@return the width that a bank asks for, no wider than the SMMU's own}
  private int width(int asked, Field own) {
    int widest =
        trail
            .peek(Gr0Registers.IDR2)
            .map(v -> VmsaGeometry.decodeSize(own.getInt(v)))
            .orElse(VmsaGeometry.MAX_INPUT_BITS);
    return Math.min(asked, widest);
  }

  /// {@return a granule that the SMMU has}
  private Optional<Granule> offered(Optional<Granule> granule, boolean is64) {
    return granule.filter(g -> !is64 || !lacks(g));
  }

  private boolean lacks(Granule granule) {
    Field field =
        switch (granule.shift()) {
          case 12 -> Gr0Registers.IDR2_PTFSV8_4KB;
          case 14 -> Gr0Registers.IDR2_PTFSV8_16KB;
          default -> Gr0Registers.IDR2_PTFSV8_64KB;
        };
    return trail.peek(Gr0Registers.IDR2).filter(v -> !field.isSet(v)).isPresent();
  }

  private record Shape(
      Optional<Granule> granule, Stage stage, int inputBits, int outputBits, int start) {
    Optional<String> problem() {
      return granule.isEmpty()
          ? Optional.of("the granule's encoding is reserved, or the SMMU has no such granule")
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
    // The bits that the table's size makes RES0 are not looked at.
    long root = base & -geometry.tableBytes(geometry.startLevel());
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
