package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusException;
import dev.doorbell.vmsa.Descriptors;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/// Which address space each context bank of one SMMU translates by. A bank has its number for an ASID, and the number after it for a VMID
/// (0 is what stage 1 carries), so that no two banks share tags. A bank that is given back holds no translation. Others are guests'
/// ({@link GuestBanks}), whose translations have the VMID of the stage 2 behind them.
///
/// Not safe for use from several threads: the driver holds its lock, but for {@link #invalidate}.
///
/// **Source** IHI 0062 D.c, 2.5 (context banks), 4.5 (TLB maintenance), 16.5.
final class ContextBanks {
  /// Above so many granules one operation for the whole bank is cheaper than one a granule.
  private static final int MOST_TLBI = 64;

  private static final int WRITE_BACK = 1;
  private static final int SH_INNER = 3;
  static final int SEP_UPSTREAM = 7;
  private static final int NON_SHAREABLE = 3;
  private static final int MEM_ATTR_WRITE_BACK = 0xf;
  static final long FAULTS = BankRegisters.FSR.access().w1c();

  private final SmmuV2Port port;
  private final SmmuV2Probe probe;
  private final @Nullable SmmuV2AddressSpace[] spaces;
  private final BitSet guests = new BitSet();

  ContextBanks(SmmuV2Port port, SmmuV2Probe probe) {
    this.port = port;
    this.probe = probe;
    spaces = new SmmuV2AddressSpace[probe.banks()];
  }

  String id() {
    return port.id();
  }

  /// Turns every bank off and forgets its faults.
  void reset() {
    for (int bank = 0; bank < spaces.length; bank++) {
      port.writeBank(bank, BankRegisters.SCTLR, 0);
      port.writeBank(bank, BankRegisters.FSR, FAULTS);
    }
  }

  /// {@return the bank of an address space, or -1}
  private int of(SmmuV2AddressSpace space) {
    return Arrays.asList(spaces).indexOf(space);
  }

  /// {@return the bank of an address space, made when there is none}
  ///
  /// @throws ContextBanksExhausted when there is none; nothing is written then
  int open(SmmuV2AddressSpace space) {
    int bank = of(space);
    if (bank < 0) {
      bank = free(space);
      program(bank, space);
      space.remember(this, bank);
      spaces[bank] = space;
    }
    return bank;
  }

  /// Turns the bank of an address space off, which no stream is led to, and drops its translations.
  ///
  /// @throws SmmuV2Timeout when the hardware does not drop them; the bank is as it was then
  void close(SmmuV2AddressSpace space) {
    int bank = of(space);
    if (bank < 0) {
      return;
    }
    port.writeBank(bank, BankRegisters.SCTLR, 0);
    try {
      dropAll(bank, space);
    } catch (SmmuV2Exception | BusException failed) {
      turnOn(bank, failed);
      throw failed;
    }
    space.forget(this);
    spaces[bank] = null;
  }

  /// Drops the translations of a range of an address space. Called under the address space's lock, without the driver's.
  void invalidate(int bank, SmmuV2AddressSpace space, AddressRange range, boolean leafOnly) {
    long bytes = space.granule().bytes();
    long granules = (range.last() - range.start()) / bytes + 1;
    boolean byAddress = space.stage() == Stage.STAGE1 || probe.version() == 2;
    if (granules > MOST_TLBI || !byAddress) {
      dropAll(bank, space);
      return;
    }
    for (long i = 0; i < granules; i++) {
      drop(bank, space, range.start() + i * bytes, leafOnly);
    }
    port.sync(bank);
    if (space.stage() == Stage.STAGE2 && probe.nests()) {
      // What a guest's stage 1 was combined to with this goes by stage 1's operations alone.
      dropGuests(bank);
    }
  }

  /// Drops what guests above a bank of stage 2 have of stage 1, which holds both stages' outcome.
  void dropGuests(int below) {
    // Version 1 has no operation on a VMID's stage 1 alone.
    boolean alone = probe.version() == 2;
    port.writeGr0(
        alone ? Gr0Registers.TLBIVMIDS1 : Gr0Registers.TLBIVMID,
        Gr0Registers.TLBIVMID_VMID.place(vmid(below)));
    port.sync();
  }

  private void drop(int bank, SmmuV2AddressSpace space, long at, boolean leafOnly) {
    long page = at >>> BankRegisters.OPERAND_SHIFT;
    if (space.stage() == Stage.STAGE2) {
      port.writeBank(
          bank,
          leafOnly ? BankRegisters.TLBIIPAS2L : BankRegisters.TLBIIPAS2,
          BankRegisters.TLBIIPAS2_IPA.place(page));
      return;
    }
    // The operations on last levels came with version 2.
    boolean leaf = leafOnly && probe.version() == 2;
    if (probe.is64()) {
      port.writeBank(
          bank,
          leaf ? BankRegisters.TLBIVAL : BankRegisters.TLBIVA,
          BankRegisters.TLBIVA_VA.place(page) | BankRegisters.TLBIVA_ASID.place(bank));
    } else {
      port.writeBankLow(
          bank,
          leaf ? BankRegisters.TLBIVAL : BankRegisters.TLBIVA,
          BankRegisters.TLBIVA32_VA.place(at) | BankRegisters.TLBIVA32_ASID.place(bank));
    }
  }

  private void dropAll(int bank, SmmuV2AddressSpace space) {
    if (space.stage() == Stage.STAGE1) {
      port.writeBank(bank, BankRegisters.TLBIASID, BankRegisters.TLBIASID_ASID.place(bank));
      port.sync(bank);
    } else {
      port.writeGr0(Gr0Registers.TLBIVMID, Gr0Registers.TLBIVMID_VMID.place(vmid(bank)));
      port.sync();
    }
  }

  private int free(SmmuV2AddressSpace space) {
    return free(space.toString(), space.stage());
  }

  /// {@return a bank that nobody has}
  ///
  /// @param what needs it
  /// @throws ContextBanksExhausted when there is none
  int free(String what, Stage stage) {
    int first = stage == Stage.STAGE1 ? probe.stage2Banks() : 0;
    for (int bank = first; bank < spaces.length; bank++) {
      if (spaces[bank] == null && !guests.get(bank)) {
        return bank;
      }
    }
    throw new ContextBanksExhausted(port.id(), what, spaces.length - first);
  }

  /// Keeps a bank for a guest, or gives it back.
  void guest(int bank, boolean taken) {
    guests.set(bank, taken);
  }

  /// What the bank is for, its tables, and at last that it translates.
  private void program(int bank, SmmuV2AddressSpace space) {
    VmsaGeometry g = space.geometry();
    boolean first = g.stage() == Stage.STAGE1;
    try {
      port.writeGr1(Gr1Registers.CBA2R, bank, Gr1Registers.CBA2R_VA64.place(probe.is64() ? 1 : 0));
      port.writeGr1(Gr1Registers.CBAR, bank, first ? attributes1() : attributes2(bank));
      if (first) {
        port.writeBank(bank, BankRegisters.TCR2, probe.is64() ? tcr2(g) : 0);
        port.writeBank(bank, BankRegisters.TTBR1, 0);
        port.writeBank(bank, BankRegisters.MAIR0, Descriptors.MAIR);
        port.writeBank(bank, BankRegisters.MAIR1, 0);
      }
      port.writeBank(bank, BankRegisters.TCR, first ? tcr(g) : vtcr(g));
      port.writeBank(bank, BankRegisters.TTBR0, ttbr(bank, space));
      port.writeBank(bank, BankRegisters.FSR, FAULTS);
      port.writeBank(bank, BankRegisters.SCTLR, sctlr());
    } catch (BusException failed) {
      try {
        port.writeBank(bank, BankRegisters.SCTLR, 0);
      } catch (BusException again) {
        failed.addSuppressed(again);
      }
      throw failed;
    }
  }

  private void turnOn(int bank, RuntimeException because) {
    try {
      port.writeBank(bank, BankRegisters.SCTLR, sctlr());
    } catch (BusException again) {
      because.addSuppressed(again);
    }
  }

  private static long attributes1() {
    return Gr1Registers.CBAR_TYPE.place(Gr1Registers.TYPE_S1_S2_BYPASS)
        | Gr1Registers.CBAR_BPSHCFG.place(NON_SHAREABLE)
        | Gr1Registers.CBAR_MEM_ATTR.place(MEM_ATTR_WRITE_BACK);
  }

  private static long attributes2(int bank) {
    return Gr1Registers.CBAR_TYPE.place(Gr1Registers.TYPE_S2)
        | Gr1Registers.CBAR_VMID.place(vmid(bank));
  }

  /// {@return the number of translations of a bank of stage 2}
  static int vmid(int bank) {
    return bank + 1;
  }

  private static long tcr2(VmsaGeometry g) {
    return BankRegisters.TCR2_PASIZE.place(VmsaGeometry.encodeSize(g.outputBits()))
        | BankRegisters.TCR2_AS.place(1)
        | BankRegisters.TCR2_SEP.place(SEP_UPSTREAM);
  }

  private long tcr(VmsaGeometry g) {
    long common =
        BankRegisters.TCR_IRGN0.place(WRITE_BACK)
            | BankRegisters.TCR_ORGN0.place(WRITE_BACK)
            | BankRegisters.TCR_SH0.place(SH_INNER)
            | BankRegisters.TCR_EPD1.place(1);
    return probe.is64()
        ? common | BankRegisters.TCR_T0SZ.place(g.t0sz()) | BankRegisters.TCR_TG0.place(g.tg0())
        : common
            | BankRegisters.TCR32_T0SZ.place(Integer.SIZE - g.inputBits())
            | BankRegisters.TCR32_EAE.place(1);
  }

  private long vtcr(VmsaGeometry g) {
    long common =
        BankRegisters.VTCR_SL0.place(g.sl0())
            | BankRegisters.VTCR_IRGN0.place(WRITE_BACK)
            | BankRegisters.VTCR_ORGN0.place(WRITE_BACK)
            | BankRegisters.VTCR_SH0.place(SH_INNER)
            | BankRegisters.TCR32_EAE.mask();
    if (probe.is64()) {
      return common
          | BankRegisters.VTCR_T0SZ.place(g.t0sz())
          | BankRegisters.VTCR_TG0.place(g.tg0())
          | BankRegisters.VTCR_PASIZE.place(VmsaGeometry.encodeSize(g.outputBits()));
    }
    int size = Integer.SIZE - g.inputBits();
    return common
        | BankRegisters.VTCR32_T0SZ.place(size & BankRegisters.VTCR32_T0SZ.max())
        | BankRegisters.VTCR32_S.place(size < 0 ? 1 : 0);
  }

  private long ttbr(int bank, SmmuV2AddressSpace space) {
    if (space.stage() == Stage.STAGE2) {
      return space.root().value();
    }
    return space.root().value()
        | (probe.is64()
            ? BankRegisters.TTBR_ASID.place(bank)
            : BankRegisters.TTBR32_ASID.place(bank));
  }

  /// Faults are recorded and end the access; they do not stall.
  static long sctlr() {
    return BankRegisters.SCTLR_M.place(1)
        | BankRegisters.SCTLR_TRE.place(1)
        | BankRegisters.SCTLR_AFE.place(1)
        | BankRegisters.SCTLR_CFRE.place(1)
        | BankRegisters.SCTLR_CFIE.place(1)
        | BankRegisters.SCTLR_ASIDPNE.place(1);
  }
}
