package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.SmmuRegisters.IDR0_ASID16;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.IDR0_CD2L;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.IDR0_HYP;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.IDR0_S1P;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.IDR0_S2P;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.IDR0_TERM_MODEL;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.IDR0_VMID16;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.IDR1_ATTR_PERMS_OVR;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.IDR1_SSIDSIZE;
import static dev.doorbell.hw.smmuv3.SmmuRegisters.IDR3_HAD;

import dev.doorbell.hw.smmuv3.StreamContext.Context;
import dev.doorbell.hw.smmuv3.StreamContext.Kind;
import dev.doorbell.hw.smmuv3.StreamContext.Stage1;
import dev.doorbell.hw.smmuv3.StreamContext.Stage2;
import dev.doorbell.hw.smmuv3.StreamContext.Updates;
import dev.doorbell.vmsa.Regime;
import org.jspecify.annotations.Nullable;

/// Decides what an STE or a CD means, and whether it is ILLEGAL.
///
/// **Source** IHI 0070 F.b, 5.2 Stream Table Entry, 5.4 Context Descriptor.
final class StreamDecoder {
  private static final int MIN_TSZ = 16;
  private static final int MIN_TSZ_OF_52 = 12;
  private static final int K64 = 16;
  private static final int MAX_TSZ = 39;
  private static final int INPUT_BITS = 64;
  private static final int NO_GRANULE = 0;
  private static final int PRIVCFG_PRIVILEGED = 0b11;
  private static final int FORMAT_RESERVED = 0b11;
  private static final int STRW_EL2 = 0b10;
  private static final int LOW_BYTE = 0xff;
  private static final int LOG2_DESCRIPTOR = 3;
  private static final int LOG2_MOST_CONCATENATED = 4;
  private static final int START_0_MIN_BITS = 44;

  private final SmmuFeatures features;

  StreamDecoder(SmmuFeatures features) {
    this.features = features;
  }

  /// {@return what an STE's quadwords 0 to 3 mean}
  ///
  /// @param e2h SMMU_CR2.E2H
  StreamContext ste(long[] ste, boolean e2h) {
    if (!SteLayout.V.isSet(ste[0])) {
      return StreamContext.BAD;
    }
    int config = SteLayout.CONFIG.getInt(ste[0]);
    if (config < SteLayout.CONFIG_BYPASS) {
      return StreamContext.ABORT;
    }
    if (config == SteLayout.CONFIG_BYPASS) {
      return StreamContext.BYPASS;
    }
    boolean first = config == SteLayout.CONFIG_S1_TRANS || config == SteLayout.CONFIG_NESTED;
    boolean second = config == SteLayout.CONFIG_S2_TRANS || config == SteLayout.CONFIG_NESTED;
    Stage1 stage1 = first ? stage1(ste, second, e2h) : null;
    Stage2 stage2 = second ? stage2(ste) : null;
    int vmid = features.has0(IDR0_S2P) ? SteLayout.S2_VMID.getInt(ste[2]) : 0;
    if ((first && stage1 == null)
        || (second && stage2 == null)
        || (!features.has0(IDR0_VMID16) && vmid > LOW_BYTE)) {
      return StreamContext.BAD;
    }
    return new StreamContext(Kind.TRANSLATE, stage1, stage2, vmid);
  }

  private @Nullable Stage1 stage1(long[] ste, boolean second, boolean e2h) {
    // Without substreams S1CDMax is ignored, and without EL2 so is STRW (5.2.2, SteIllegal).
    int log2Cds = features.idr1(IDR1_SSIDSIZE) == 0 ? 0 : SteLayout.S1_CD_MAX.getInt(ste[0]);
    int encoded = SteLayout.S1_FMT.getInt(ste[0]);
    int format = encoded == FORMAT_RESERVED ? 0 : encoded;
    int strw = second || !features.has0(IDR0_HYP) ? 0 : SteLayout.STRW.getInt(ste[1]);
    boolean worldExists = strw == 0 || strw == STRW_EL2;
    boolean formatExists = log2Cds == 0 || format == 0 || features.has0(IDR0_CD2L);
    long table = SteLayout.S1_CONTEXT_PTR.get(ste[0]);
    if (!features.has0(IDR0_S1P)
        || log2Cds > features.idr1(IDR1_SSIDSIZE)
        || !formatExists
        || !worldExists
        || SteLayout.S1_STALLD.isSet(ste[1])
        || (!second && table >>> features.outputBits() != 0)) {
      return null;
    }
    int world = strw == 0 ? StreamContext.EL1 : e2h ? StreamContext.EL2_E2H : StreamContext.EL2;
    boolean privileged =
        features.idr1(IDR1_ATTR_PERMS_OVR) != 0
            && SteLayout.PRIVCFG.get(ste[1]) == PRIVCFG_PRIVILEGED;
    return new Stage1(
        table,
        log2Cds,
        log2Cds == 0 ? 0 : format,
        SteLayout.S1_DSS.getInt(ste[1]),
        world,
        privileged);
  }

  private @Nullable Stage2 stage2(long[] ste) {
    int granule = tg0(SteLayout.S2_TG.getInt(ste[2]));
    int tsz = SteLayout.S2_T0SZ.getInt(ste[2]);
    int inputBits = INPUT_BITS - tsz;
    if (!features.has0(IDR0_S2P)
        || !SteLayout.S2_AA64.isSet(ste[2])
        || SteLayout.S2_ENDI.isSet(ste[2])
        || SteLayout.S2_S.isSet(ste[2])
        || cannotUpdate(SteLayout.S2_HA.isSet(ste[2]), SteLayout.S2_HD.isSet(ste[2]))
        || granule == NO_GRANULE
        || tsz < (features.isWide() && granule == K64 ? MIN_TSZ_OF_52 : MIN_TSZ)
        || tsz > MAX_TSZ
        || inputBits > features.outputBits()) {
      return null;
    }
    int start = stage2Start(SteLayout.S2_SL0.getInt(ste[2]), granule);
    int outputBits = features.addressBits(SteLayout.S2_PS.getInt(ste[2]), granule);
    long table = SteLayout.S2_TTB.get(ste[3]);
    Regime regime =
        new Regime(
            true, inputBits, granule, start, table, outputBits, false, false, features.isWide());
    if (start < 0 || !fitsStart(regime) || regime.tooWide(table)) {
      return null;
    }
    return new Stage2(
        regime,
        SteLayout.S2_AFFD.isSet(ste[2]),
        SteLayout.S2_PTW.isSet(ste[2]),
        SteLayout.S2_R.isSet(ste[2]),
        Updates.of(SteLayout.S2_HA.isSet(ste[2]), SteLayout.S2_HD.isSet(ste[2])));
  }

  private boolean cannotUpdate(boolean ha, boolean hd) {
    return (ha && !features.hasAccessUpdates()) || (hd && !features.hasDirtyUpdates());
  }

  // S2SL0 against S2T0SZ: at least one bit for the first table, and at most sixteen of them side by
  // side.
  private boolean fitsStart(Regime regime) {
    int bits = regime.inputBits() - regime.shift(regime.startLevel());
    int perLevel = regime.granule() - LOG2_DESCRIPTOR;
    boolean wide = regime.startLevel() > 0 || features.outputBits() >= START_0_MIN_BITS;
    return bits >= 1
        && bits <= perLevel + (regime.startLevel() == 0 ? 0 : LOG2_MOST_CONCATENATED)
        && wide;
  }

  private static int stage2Start(int sl0, int granule) {
    if (sl0 == 0b11) {
      return -1;
    }
    return (granule == 12 ? 2 : 3) - sl0;
  }

  /// {@return what a CD's quadwords 0 to 3 mean}
  Context cd(long[] cd, Stage1 stage1, int substream) {
    long word = cd[0];
    boolean upper = stage1.world() != StreamContext.EL2;
    int ips = CdLayout.IPS.getInt(word);
    Regime low =
        CdLayout.EPD0.isSet(word)
            ? Regime.DISABLED
            : half(
                CdLayout.T0SZ.getInt(word),
                tg0(CdLayout.TG0.getInt(word)),
                CdLayout.TTB0.get(cd[1]),
                ips);
    Regime high =
        !upper || CdLayout.EPD1.isSet(word)
            ? Regime.DISABLED
            : half(
                CdLayout.T1SZ.getInt(word),
                tg1(CdLayout.TG1.getInt(word)),
                CdLayout.TTB1.get(cd[2]),
                ips);
    int asid = CdLayout.ASID.getInt(word);
    boolean valid =
        CdLayout.V.isSet(word)
            && CdLayout.AA64.isSet(word)
            && (!CdLayout.ENDI.isSet(word) || !(low.enabled() || high.enabled()))
            && !CdLayout.S.isSet(word)
            && !cannotUpdate(CdLayout.HA.isSet(word), CdLayout.HD.isSet(word))
            && (CdLayout.A.isSet(word) || !features.has0(IDR0_TERM_MODEL))
            && (features.has0(IDR0_ASID16) || asid <= LOW_BYTE)
            && low != BROKEN
            && high != BROKEN;
    boolean had = features.has3(IDR3_HAD);
    return new Context(
        valid,
        substream,
        asid,
        flags(low, CdLayout.TBI0.isSet(word), had && CdLayout.HAD0.isSet(cd[1])),
        flags(high, CdLayout.TBI1.isSet(word), had && CdLayout.HAD1.isSet(cd[2])),
        CdLayout.AFFD.isSet(word),
        CdLayout.R.isSet(word),
        CdLayout.PAN.isSet(word),
        Updates.of(CdLayout.HA.isSet(word), CdLayout.HD.isSet(word)));
  }

  private static final Regime BROKEN = new Regime(false, 0, 0, 0, 0, 0, false, false);

  private static Regime flags(Regime regime, boolean topByteIgnored, boolean hierarchyIgnored) {
    return new Regime(
        regime.enabled(),
        regime.inputBits(),
        regime.granule(),
        regime.startLevel(),
        regime.table(),
        regime.outputBits(),
        topByteIgnored,
        hierarchyIgnored,
        regime.wide());
  }

  private Regime half(int tsz, int granule, long table, int ips) {
    int outputBits = features.addressBits(ips, granule);
    if (granule == NO_GRANULE || tsz < MIN_TSZ || tsz > MAX_TSZ || table >>> outputBits != 0) {
      return BROKEN;
    }
    int inputBits = INPUT_BITS - tsz;
    return new Regime(
        true,
        inputBits,
        granule,
        Regime.stage1Start(inputBits, granule),
        table,
        outputBits,
        false,
        false,
        features.isWide());
  }

  private int tg0(int code) {
    return existing(
        switch (code) {
          case CdLayout.TG0_4K -> 12;
          case CdLayout.TG0_64K -> 16;
          case CdLayout.TG0_16K -> 14;
          default -> NO_GRANULE;
        });
  }

  private int tg1(int code) {
    return existing(
        switch (code) {
          case 0b01 -> 14;
          case 0b10 -> 12;
          case 0b11 -> 16;
          default -> NO_GRANULE;
        });
  }

  private int existing(int granule) {
    return features.hasGranule(granule) ? granule : NO_GRANULE;
  }
}
