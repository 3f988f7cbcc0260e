package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.CommandLayout.*;

import dev.doorbell.iommu.GuestRefused;
import java.util.List;

/// An invalidation as a guest put it into its own command queue. The host executes it with the device's own number and the GSCID of its second stage, so
/// that it reaches nothing of others, whatever a guest writes there.
///
/// IOTINVAL.VMA without GV and IODIR.INVAL_PDT are taken. A range, or one with non-leaf entries (S, NL), is widened to its PSCID, or to all of the guest's. A guest's
/// IODIR.INVAL_DDT is a new {@link RiscvIommuGuestContext}; IOFENCE.C is the monitor's to complete when this is done.
///
/// @param words its two doublewords
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 4.1.
public record RiscvIommuGuestCommand(List<Long> words) {
  private static final GuestRefused.Rule RULE =
      new GuestRefused.Rule(
          "RISC-V IOMMU 1.0, 4.1",
          "set the guest's cqcsr.cmd_ill where it is none of its IOMMU's commands, else carry it out in the monitor");

  public RiscvIommuGuestCommand {
    if (words.size() != 2) {
      throw new IllegalArgumentException("two doublewords are wanted, not " + words.size());
    }
    words = List.copyOf(words);
  }

  /// Whose the command becomes.
  ///
  /// @param processIdBits width of a process_id
  record Host(String iommu, int deviceId, int gscid, int processIdBits) {}

  /// {@return what the host issues}
  ///
  /// @throws GuestRefused when it is none of those
  RiscvIommuCommand forHost(Host host) {
    long first = words.getFirst();
    long second = words.getLast();
    int function = FUNC3.getInt(first);
    boolean pages = OPCODE.getInt(first) == IOTINVAL && function == VMA && !GV.isSet(first);
    if (pages) {
      boolean one = AV.isSet(first) && !NL.isSet(first) && !RANGE.isSet(second);
      long whose = RiscvIommuCommand.guestFirst(host.gscid()).first();
      return new RiscvIommuCommand(
          whose | first & (PSCV.mask() | PSCID.mask() | (one ? AV.mask() : 0)),
          one ? second & ADDR.mask() : 0);
    }
    boolean process = OPCODE.getInt(first) == IODIR && function == INVAL_PDT && DV.isSet(first);
    if (!process || !SvPteLayout.fits(PID.get(first), host.processIdBits())) {
      throw new GuestRefused(host.iommu(), new RiscvIommuCommand(first, second).toString(), RULE);
    }
    return RiscvIommuCommand.process(host.deviceId(), PID.getInt(first));
  }
}
