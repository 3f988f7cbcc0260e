package dev.doorbell.hw.smmuv2;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusException;
import dev.doorbell.hw.smmuv2.StreamWay.Guest;
import dev.doorbell.iommu.StreamAttachments.Orders;
import dev.doorbell.vmsa.Stage;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The context banks of one SMMU that guests' stage 1 is in, one a stream. A bank is programmed before the stream is led there, and turned off after the
/// stream went elsewhere and what it had of stage 1 is dropped; a guest that changes its registers gets another bank.
///
/// Not safe for use from several threads: the driver holds its lock.
///
/// **Source** IHI 0062 D.c, 2.5 (nested banks), 4.5, 10.2 (SMMU_CBARn.CBNDX).
final class GuestBanks {
  private static final long WORD = 0xffff_ffffL;

  /// Written as the guest has them.
  private static final List<Register> TABLES =
      List.of(
          BankRegisters.TTBR1,
          BankRegisters.MAIR0,
          BankRegisters.MAIR1,
          BankRegisters.TCR,
          BankRegisters.TTBR0);

  private record Used(int stream, Guest guest) {}

  private final SmmuV2Port port;
  private final SmmuV2Probe probe;
  private final ContextBanks banks;
  private final Map<Integer, Used> used = new TreeMap<>();

  GuestBanks(SmmuV2Port port, SmmuV2Probe probe, ContextBanks banks) {
    this.port = port;
    this.probe = probe;
    this.banks = banks;
  }

  /// {@return what a bank holds, if it is a guest's}
  Optional<Guest> at(int bank) {
    return Optional.ofNullable(used.get(bank)).map(Used::guest);
  }

  /// {@return a place for a guest; nothing is written or kept}
  ///
  /// @param stream the key of the guest's stream
  /// @throws ContextBanksExhausted when there is none
  Guest place(int stream, int below, SmmuV2GuestContext context) {
    int bank = banks.free("a guest's stage 1 for stream 0x%x".formatted(stream), Stage.STAGE1);
    return new Guest(bank, below, context);
  }

  /// Programs a guest's bank, unless it is.
  void open(int stream, Guest guest) {
    Used wanted = new Used(stream, guest);
    if (wanted.equals(used.get(guest.bank()))) {
      return;
    }
    try {
      program(guest);
    } catch (BusException failed) {
      try {
        port.writeBank(guest.bank(), BankRegisters.SCTLR, 0);
      } catch (BusException again) {
        failed.addSuppressed(again);
      }
      throw failed;
    }
    used.put(guest.bank(), wanted);
    banks.guest(guest.bank(), true);
  }

  /// Gives the banks of a stream back, but for the one that it is led to.
  void closeOthers(int stream, Optional<Guest> kept, Orders orders) {
    for (Used bank : used.values().toArray(new Used[0])) {
      if (bank.stream == stream && !kept.equals(Optional.of(bank.guest))) {
        orders.run(() -> close(bank.guest));
      }
    }
  }

  /// What fails leaves the bank the stream's: it is closed when the stream moves next.
  private void close(Guest guest) {
    banks.dropGuests(guest.below());
    port.writeBank(guest.bank(), BankRegisters.SCTLR, 0);
    used.remove(guest.bank());
    banks.guest(guest.bank(), false);
  }

  private void program(Guest guest) {
    SmmuV2GuestContext c = guest.context();
    int bank = guest.bank();
    port.writeGr1(Gr1Registers.CBA2R, bank, Gr1Registers.CBA2R_VA64.place(c.is64() ? 1 : 0));
    port.writeGr1(
        Gr1Registers.CBAR,
        bank,
        Gr1Registers.CBAR_TYPE.place(Gr1Registers.TYPE_S1_S2)
            | Gr1Registers.CBAR_CBNDX.place(guest.below())
            | Gr1Registers.CBAR_VMID.place(ContextBanks.vmid(guest.below())));
    port.writeBank(bank, BankRegisters.TCR2, c.tcr2(ContextBanks.SEP_UPSTREAM));
    for (Register register : TABLES) {
      port.writeBank(bank, register, c.get(register));
    }
    port.writeBank(bank, BankRegisters.FSR, ContextBanks.FAULTS);
    port.writeBank(bank, BankRegisters.SCTLR, c.sctlr(ContextBanks.sctlr()));
  }

  /// Runs an invalidation of a guest's in its bank.
  void invalidate(Guest guest, SmmuV2GuestOperation operation) {
    Optional<Register> register = operation.forHost(port.id(), probe);
    if (register.isEmpty()) {
      banks.dropGuests(guest.below());
    } else if (guest.context().is64()) {
      port.writeBank(guest.bank(), register.get(), operation.operand());
    } else {
      port.writeBankLow(guest.bank(), register.get(), operation.operand() & WORD);
    }
  }
}
