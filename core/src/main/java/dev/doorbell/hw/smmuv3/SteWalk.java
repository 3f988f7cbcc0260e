package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaOutcome;
import dev.doorbell.vmsa.VmsaWalk;
import dev.doorbell.vmsa.VmsaWalker;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/// A walk from a stream table entry on.
final class SteWalk {
  private static final int SIGN_BIT = 55;
  private static final int TAG_BITS = 8;
  private static final long LEAST_ALIGNMENT_OF_52 = 64;

  private final SmmuTrail trail;
  private final ContextLookup contexts;
  private final int outputBits;

  /// @param oas SMMU_IDR5.OAS
  /// @param substream of the access, when it carries one
  SteWalk(SmmuTrail trail, int oas, OptionalInt substream) {
    this.trail = trail;
    this.contexts = new ContextLookup(trail, substream);
    this.outputBits = VmsaGeometry.decodeSize(oas);
  }

  SmmuWalk walk(long at, Iova input, boolean write) {
    Optional<long[]> read = words(trail.memory(), at, "the stream table entry");
    if (read.isEmpty()) {
      return trail.stopped();
    }
    long[] ste = read.get();
    Source source = trail.memory().source(at);
    if (!SteLayout.V.isSet(ste[0])) {
      return trail.stop(
          input.toString(),
          "C_BAD_STE: the STE at 0x%x is 0x%x, V=0".formatted(at, ste[0]),
          source);
    }
    int config = SteLayout.CONFIG.getInt(ste[0]);
    if (config < SteLayout.CONFIG_BYPASS) {
      return trail.stop(
          input.toString(),
          "the STE at 0x%x has Config=0x%x: every access is aborted, nothing is recorded"
              .formatted(at, config),
          source);
    }
    trail.add(
        new Hop(
            "STE",
            "STE at 0x%x".formatted(at),
            SteLayout.CONFIG.names().nameOf(config),
            print(SteLayout.ENTRY, ste),
            source,
            Basis.OBSERVED));
    boolean first = config == SteLayout.CONFIG_S1_TRANS || config == SteLayout.CONFIG_NESTED;
    if (!first && contexts.isRefused()) {
      return trail.stopped();
    }
    Optional<Tables> stage2 = Optional.empty();
    if (config == SteLayout.CONFIG_S2_TRANS || config == SteLayout.CONFIG_NESTED) {
      stage2 = stage2(ste, source);
      if (stage2.isEmpty()) {
        return trail.stopped();
      }
    }
    return switch (config) {
      case SteLayout.CONFIG_BYPASS -> bypass(input, source);
      case SteLayout.CONFIG_S2_TRANS -> finish(stage2.orElseThrow(), input.value(), write);
      default -> stage1(ste, input, write, stage2);
    };
  }

  private SmmuWalk bypass(Iova input, Source source) {
    Pa output = new Pa(input.value());
    trail.add(
        new Hop(
            trail.id(),
            input.toString(),
            output.toString(),
            "bypass: the address is not changed",
            source,
            Basis.OBSERVED));
    return trail.reached(output);
  }

  /// One stage's tables and how to walk them.
  private record Tables(Stage stage, VmsaGeometry geometry, Pa root, VmsaWalker.Options options) {
    VmsaWalk walk(MemoryView memory, long input, boolean write) {
      return new VmsaWalker(geometry, root, memory, options).walk(input, write);
    }
  }

  private Optional<Tables> stage2(long[] ste, Source source) {
    Optional<String> why = Optional.empty();
    int tg = SteLayout.S2_TG.getInt(ste[2]);
    Optional<Granule> granule = VmsaGeometry.decodeTg0(tg);
    int bits = Long.SIZE - SteLayout.S2_T0SZ.getInt(ste[2]);
    int output = output(SteLayout.S2_PS.getInt(ste[2]), granule);
    int level =
        granule.map(g -> VmsaGeometry.decodeSl0(g, SteLayout.S2_SL0.getInt(ste[2]))).orElse(-1);
    if (granule.isEmpty()) {
      why = Optional.of("S2TG=%d is reserved".formatted(tg));
    } else if (!SteLayout.S2_AA64.isSet(ste[2])) {
      why = Optional.of("S2AA64=0: tables of another format than VMSAv8-64");
    } else if (SteLayout.S2_ENDI.isSet(ste[2])) {
      why = Optional.of("S2ENDI=1: big-endian tables");
    } else if (SteLayout.S2_DS.isSet(ste[3]) || SteLayout.S2_SL0_2.isSet(ste[3])) {
      why = Optional.of("S2DS=1: descriptors for 52-bit addresses with 4K or 16K");
    } else {
      why = VmsaGeometry.problem(granule.get(), Stage.STAGE2, bits, output, level);
    }
    if (why.isPresent()) {
      trail.stop("stage 2", "C_BAD_STE or not walkable: " + why.get(), source);
      return Optional.empty();
    }
    VmsaGeometry geometry =
        new VmsaGeometry(granule.orElseThrow(), Stage.STAGE2, bits, output, level);
    boolean ha = SteLayout.S2_HA.isSet(ste[2]);
    boolean af = SteLayout.S2_AFFD.isSet(ste[2]) || ha;
    boolean dirty = ha && SteLayout.S2_HD.isSet(ste[2]);
    return Optional.of(
        new Tables(
            Stage.STAGE2,
            geometry,
            start(geometry, SteLayout.S2_TTB.get(ste[3])),
            new VmsaWalker.Options(af, true, 0, true, dirty, isWide())));
  }

  private SmmuWalk stage1(long[] ste, Iova input, boolean write, Optional<Tables> stage2) {
    MemoryView memory = stage2.map(this::through).orElse(trail.memory());
    OptionalLong found = contexts.find(ste, memory);
    if (found.isEmpty()) {
      return trail.stopped();
    }
    long at = found.getAsLong();
    if (at == ContextLookup.BYPASS) {
      return stage2.isEmpty()
          ? bypass(input, Source.rule("IHI 0070 5.2 STE.S1DSS"))
          : finish(stage2.get(), input.value(), write);
    }
    Optional<long[]> read = words(memory, at, "the context descriptor");
    if (read.isEmpty()) {
      return trail.stopped();
    }
    long[] cd = read.get();
    Source source = memory.source(at);
    if (!CdLayout.V.isSet(cd[0])) {
      return trail.stop(
          input.toString(), "C_BAD_CD: the CD at 0x%x is 0x%x, V=0".formatted(at, cd[0]), source);
    }
    trail.add(
        new Hop(
            "CD",
            "CD at 0x%x".formatted(at),
            "ASID 0x%x".formatted(CdLayout.ASID.get(cd[0])),
            print(CdLayout.ENTRY, cd),
            source,
            Basis.OBSERVED));
    boolean upper = (input.value() >>> SIGN_BIT & 1) == 1;
    Optional<Tables> tables = tables(cd, upper, source);
    if (tables.isEmpty()) {
      return trail.stopped();
    }
    Optional<Long> va = withinTable(cd, upper, tables.get().geometry(), input, source);
    if (va.isEmpty()) {
      return trail.stopped();
    }
    if (stage2.isEmpty()) {
      return finish(tables.get(), va.get(), write);
    }
    VmsaWalk walk = tables.get().walk(memory, va.get(), write);
    trail.add(Stage.STAGE1, va.get(), walk);
    return walk.outcome() instanceof VmsaOutcome.Mapped mapped
        ? finish(stage2.get(), mapped.output().value(), write)
        : ended(Stage.STAGE1, va.get(), walk);
  }

  private SmmuWalk finish(Tables tables, long input, boolean write) {
    VmsaWalk walk = tables.walk(trail.memory(), input, write);
    trail.add(tables.stage(), input, walk);
    if (!(walk.outcome() instanceof VmsaOutcome.Mapped mapped)) {
      return ended(tables.stage(), input, walk);
    }
    trail.add(
        new Hop(
            trail.id(),
            "0x" + Long.toHexString(input),
            mapped.output().toString(),
            "%s memory, mapped in 0x%x bytes"
                .formatted(mapped.device() ? "Device" : "Normal", mapped.bytes()),
            last(walk),
            Basis.OBSERVED));
    return trail.reached(mapped.output());
  }

  private SmmuWalk ended(Stage stage, long input, VmsaWalk walk) {
    String event =
        switch (walk.outcome()) {
          case VmsaOutcome.NotMapped _, VmsaOutcome.Reserved _, VmsaOutcome.OutsideInput _ ->
              "F_TRANSLATION";
          case VmsaOutcome.AddressSize _ -> "F_ADDR_SIZE";
          case VmsaOutcome.NoAccessFlag _ -> "F_ACCESS";
          case VmsaOutcome.Denied _ -> "F_PERMISSION";
          case VmsaOutcome.Unreadable _ -> "cannot see";
          case VmsaOutcome.Mapped _ -> "";
        };
    String name = stage == Stage.STAGE1 ? "stage 1" : "stage 2";
    Source at =
        walk.outcome() instanceof VmsaOutcome.Unreadable u
            ? trail.memory().source(u.entry().value())
            : last(walk);
    return trail.stop(
        "0x" + Long.toHexString(input),
        "%s: %s: %s".formatted(event, name, walk.outcome().message()),
        at);
  }

  private Source last(VmsaWalk walk) {
    return walk.steps().isEmpty()
        ? Source.rule("IHI 0070 3.4")
        : trail.memory().source(walk.steps().getLast().entry().value());
  }

  private Optional<Tables> tables(long[] cd, boolean upper, Source source) {
    Optional<String> why;
    int tg = (upper ? CdLayout.TG1 : CdLayout.TG0).getInt(cd[0]);
    Optional<Granule> granule = upper ? VmsaGeometry.decodeTg1(tg) : VmsaGeometry.decodeTg0(tg);
    int bits = Long.SIZE - (upper ? CdLayout.T1SZ : CdLayout.T0SZ).getInt(cd[0]);
    int output = output(CdLayout.IPS.getInt(cd[0]), granule);
    if ((upper ? CdLayout.EPD1 : CdLayout.EPD0).isSet(cd[0])) {
      why = Optional.of("F_TRANSLATION: EPD%d=1, nothing is walked there".formatted(upper ? 1 : 0));
    } else if (!CdLayout.AA64.isSet(cd[0])) {
      why = Optional.of("AA64=0: tables of another format than VMSAv8-64");
    } else if (CdLayout.ENDI.isSet(cd[0])) {
      why = Optional.of("ENDI=1: big-endian tables");
    } else if (CdLayout.DS.isSet(cd[2])) {
      why = Optional.of("DS=1: descriptors for 52-bit addresses with 4K or 16K");
    } else if (granule.isEmpty()) {
      why = Optional.of("C_BAD_CD: TG%d=%d is reserved".formatted(upper ? 1 : 0, tg));
    } else {
      why =
          bits < VmsaGeometry.MIN_INPUT_BITS || bits > VmsaGeometry.MAX_INPUT_BITS
              ? Optional.of("C_BAD_CD or not walkable: an input of %d bits".formatted(bits))
              : Optional.empty();
    }
    if (why.isPresent()) {
      trail.stop("stage 1", why.get(), source);
      return Optional.empty();
    }
    VmsaGeometry geometry = VmsaGeometry.of(granule.orElseThrow(), Stage.STAGE1, bits, output);
    boolean ha = CdLayout.HA.isSet(cd[0]);
    boolean af = CdLayout.AFFD.isSet(cd[0]) || ha;
    boolean dirty = ha && CdLayout.HD.isSet(cd[0]);
    boolean had = (upper ? CdLayout.HAD1.isSet(cd[2]) : CdLayout.HAD0.isSet(cd[1]));
    long root = upper ? CdLayout.TTB1.get(cd[2]) : CdLayout.TTB0.get(cd[1]);
    return Optional.of(
        new Tables(
            Stage.STAGE1,
            geometry,
            start(geometry, root),
            new VmsaWalker.Options(af, had, cd[3], false, dirty, isWide())));
  }

  /// {@return the address as the tables see it; empty when it is in neither table's region}
  private Optional<Long> withinTable(
      long[] cd, boolean upper, VmsaGeometry geometry, Iova input, Source source) {
    boolean ignoreTop = (upper ? CdLayout.TBI1 : CdLayout.TBI0).isSet(cd[0]);
    int checked = Long.SIZE - (ignoreTop ? TAG_BITS : 0);
    // Sign-extend from the highest checked bit, then everything above the input must be all zeroes
    // or all ones.
    long extended = input.value() << (Long.SIZE - checked) >> (Long.SIZE - checked);
    long above = extended >> geometry.inputBits();
    if (above != (upper ? -1 : 0)) {
      trail.stop(
          input.toString(),
          "F_TRANSLATION: the address is in the region of neither table; TTB%d covers %d bits"
              .formatted(upper ? 1 : 0, geometry.inputBits()),
          source);
      return Optional.empty();
    }
    return Optional.of(input.value() & geometry.aperture().last());
  }

  /// {@return memory as stage 1 sees it: every read passes stage 2}
  private MemoryView through(Tables stage2) {
    MemoryView memory = trail.memory();
    return new MemoryView() {
      @Override
      public OptionalLong read64(long ipa) {
        return stage2.walk(memory, ipa, false).outcome() instanceof VmsaOutcome.Mapped mapped
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

  private boolean isWide() {
    return outputBits > VmsaGeometry.MAX_INPUT_BITS;
  }

  private int output(int encoding, Optional<Granule> granule) {
    int said = Math.min(VmsaGeometry.decodeSize(encoding), outputBits);
    return granule.filter(Granule.K64::equals).isPresent()
        ? said
        : Math.min(said, VmsaGeometry.MAX_INPUT_BITS);
  }

  /// The hardware takes the low bits of a start table's address as zero.
  private static Pa start(VmsaGeometry geometry, long base) {
    long bytes = geometry.tableBytes(geometry.startLevel());
    boolean wide = geometry.outputBits() > VmsaGeometry.MAX_INPUT_BITS;
    return new Pa(base & -(wide ? Math.max(bytes, LEAST_ALIGNMENT_OF_52) : bytes));
  }

  private Optional<long[]> words(MemoryView memory, long at, String what) {
    long[] words = new long[SteLayout.QUADWORDS];
    for (int i = 0; i < words.length; i++) {
      OptionalLong word = memory.read64(at + (long) i * Long.BYTES);
      if (word.isEmpty()) {
        trail.stop(
            "0x" + Long.toHexString(at),
            "cannot see %s at 0x%x".formatted(what, at),
            memory.source(at));
        return Optional.empty();
      }
      words[i] = word.getAsLong();
    }
    return Optional.of(words);
  }

  private static String print(List<Layout> layouts, long[] words) {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < words.length; i++) {
      parts.add(SmmuTrail.print(layouts.get(i), words[i]));
    }
    return parts.stream().filter(s -> !s.isEmpty()).collect(Collectors.joining(" "));
  }
}
