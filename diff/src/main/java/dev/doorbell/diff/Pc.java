package dev.doorbell.diff;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import dev.doorbell.irq.X86MessageLayout;
import java.util.List;

/// Where things are in a `q35` machine of QEMU's, and the use that scenarios make of its RAM.
///
/// **Source** QEMU, `docs/system/i386/pc.rst`; `info mtree` of 7.2 to 11.1.
final class Pc {
  static final int RAM_BYTES = (int) (64 * Sizes.MIB);

  /// Requester ids of the devices that can write messages.
  static final List<Integer> REQUESTERS = List.of(0x10, 0x18, 0x20);

  /// The part of RAM that scenarios use: first what a family has of its own, then page tables, then what they lead to.
  static final long ARENA = 0x100_0000;

  static final long TABLES = ARENA + 0x10_0000;
  static final long TARGETS = 0x200_0000;
  static final int TARGET_BYTES = (int) (4 * Sizes.MIB);
  static final int PAGE = 0x1000;

  /// What completed commands write.
  static final long STATUS = ARENA + 0xf_0000;

  static final int STATUS_BYTES = 64;

  /// An address that nothing answers at.
  static final long NOWHERE = 0x5000_0000;

  static final IommuBoard BOARD =
      new IommuBoard(
          AddressRange.ofSize(0, RAM_BYTES),
          AddressRange.ofSize(ARENA, TARGETS - ARENA),
          AddressRange.ofSize(TARGETS, TARGET_BYTES),
          REQUESTERS);

  private Pc() {}

  /// {@return whether an access is one of the interrupt address range}
  static boolean isMessage(long address) {
    return address >>> X86MessageLayout.FEE.lsb() == X86MessageLayout.WINDOW;
  }

  /// {@return an interrupt as both machines tell it}
  static String interrupt(long destination, int logical, int mode, int vector) {
    return "vector %d mode %d to %s %d"
        .formatted(vector, mode, logical == 0 ? "physical" : "logical", destination);
  }

  /// QEMU passes over the redirection hint of a message that passes unremapped, for which the model chooses among the destinations.
  static List<IommuOutcome> withoutHint(IommuRun run) {
    long address = run.attempt().address();
    int mode = X86MessageLayout.DELIVERY_MODE.getInt(run.attempt().data());
    return isMessage(address) && X86MessageLayout.REDIRECTION.isSet(address) && mode == 0
        ? List.of(IommuOutcome.of(passing(address, run.attempt().data())))
        : List.of();
  }

  /// {@return what a message asks for that passes unremapped}
  static String passing(long address, int data) {
    return interrupt(
        X86MessageLayout.DESTINATION.get(address),
        (int) X86MessageLayout.MODE.get(address),
        X86MessageLayout.DELIVERY_MODE.getInt(data),
        X86MessageLayout.VECTOR.getInt(data));
  }
}
