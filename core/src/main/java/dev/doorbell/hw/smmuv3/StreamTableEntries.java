package dev.doorbell.hw.smmuv3;

import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;

/// The entries and context descriptors that the driver makes.
final class StreamTableEntries {
  private StreamTableEntries() {}

  /// {@return an entry that aborts every access and records nothing}
  static long[] abort() {
    long[] ste = new long[SteLayout.QUADWORDS];
    ste[0] = SteLayout.V.place(1) | SteLayout.CONFIG.place(SteLayout.CONFIG_ABORT);
    return ste;
  }

  /// {@return an entry that lets every access pass, attributes as they came}
  static long[] bypass() {
    long[] ste = new long[SteLayout.QUADWORDS];
    ste[0] = SteLayout.V.place(1) | SteLayout.CONFIG.place(SteLayout.CONFIG_BYPASS);
    ste[1] = SteLayout.SHCFG.place(SteLayout.SHCFG_INCOMING);
    return ste;
  }

  /// {@return an entry that translates through an address space}
  ///
  /// @param stalls whether the hardware could stall faults, which the entry then forbids
  static long[] translate(SmmuAddressSpace space, boolean stalls) {
    if (space.geometry().stage() == Stage.STAGE1) {
      return contexts(space.contextDescriptor(), stalls);
    }
    long[] ste = new long[SteLayout.QUADWORDS];
    VmsaGeometry g = space.geometry();
    ste[0] = SteLayout.V.place(1) | SteLayout.CONFIG.place(SteLayout.CONFIG_S2_TRANS);
    ste[1] = SteLayout.SHCFG.place(SteLayout.SHCFG_INCOMING);
    ste[2] =
        SteLayout.S2_VMID.place(space.tag())
            | SteLayout.S2_T0SZ.place(g.t0sz())
            | SteLayout.S2_SL0.place(g.sl0())
            | SteLayout.S2_IR0.place(SteLayout.CACHE_WRITE_BACK)
            | SteLayout.S2_OR0.place(SteLayout.CACHE_WRITE_BACK)
            | SteLayout.S2_SH0.place(SteLayout.SH_INNER)
            | SteLayout.S2_TG.place(g.tg0())
            | SteLayout.S2_PS.place(VmsaGeometry.encodeSize(g.outputBits()))
            | SteLayout.S2_AA64.place(1)
            | SteLayout.S2_PTW.place(1)
            | SteLayout.S2_R.place(1);
    ste[3] = SteLayout.S2_TTB.place(space.root().value());
    return ste;
  }

  /// {@return an entry of stage 1 alone, with one context descriptor}
  ///
  /// @param at where it lies
  /// @param stalls whether the hardware could stall faults, which the entry then forbids
  static long[] contexts(long at, boolean stalls) {
    long[] ste = new long[SteLayout.QUADWORDS];
    ste[0] =
        SteLayout.V.place(1)
            | SteLayout.CONFIG.place(SteLayout.CONFIG_S1_TRANS)
            | SteLayout.S1_CONTEXT_PTR.place(at);
    ste[1] =
        SteLayout.S1_DSS.place(SteLayout.S1DSS_SSID0)
            | SteLayout.S1_CIR.place(SteLayout.CACHE_WRITE_BACK)
            | SteLayout.S1_COR.place(SteLayout.CACHE_WRITE_BACK)
            | SteLayout.S1_CSH.place(SteLayout.SH_INNER)
            | SteLayout.S1_STALLD.place(stalls ? 1 : 0);
    return ste;
  }

  /// {@return a context descriptor: TTB0 only, faults abort and are recorded, the ASID is no CPU's}
  static long[] context(VmsaGeometry g, long root, int asid, long mair) {
    long[] cd = new long[CdLayout.QUADWORDS];
    cd[0] =
        CdLayout.T0SZ.place(g.t0sz())
            | CdLayout.TG0.place(g.tg0())
            | CdLayout.IR0.place(CdLayout.CACHE_WRITE_BACK)
            | CdLayout.OR0.place(CdLayout.CACHE_WRITE_BACK)
            | CdLayout.SH0.place(CdLayout.SH_INNER)
            | CdLayout.EPD1.place(1)
            | CdLayout.V.place(1)
            | CdLayout.IPS.place(VmsaGeometry.encodeSize(g.outputBits()))
            | CdLayout.AA64.place(1)
            | CdLayout.R.place(1)
            | CdLayout.A.place(1)
            | CdLayout.ASET.place(1)
            | CdLayout.ASID.place(asid);
    cd[1] = CdLayout.TTB0.place(root);
    cd[3] = mair;
    return cd;
  }
}
