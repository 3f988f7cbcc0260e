package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.IommuDescription.Phb;
import dev.doorbell.description.MsiControllerDescription.PhbMsi;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// An IBM host bridge with all that is needed to drive it: its two sides, their registers, and the interrupt controller that takes its events.
///
/// @param registers 4 KiB
/// @param esb pages that manage its interrupts
/// @param controller the window of the interrupt controller (XIVE)
public record PowerBridge(
    Phb phb, PhbMsi messages, AddressRange registers, AddressRange esb, AddressRange controller) {
  /// Interrupts of a bridge behind those of messages.
  public static final int OTHER_INTERRUPTS = 8;

  private static final long REGISTER_BYTES = 0x1000;
  private static final long PAGE = 0x1_0000;
  private static final int MOST_INTERRUPTS = 4096;
  private static final int MOST_PES = 512;
  private static final int PES_OF_WORD = 64;

  /// Machine-wide numbers: 16 blocks of 2^20.
  private static final long BLOCK = 0x10_0000;

  private static final long BLOCKS = 16;

  private static final String POWER10 = "PHB5";
  private static final Set<String> DRIVEN = Set.of("PHB4", POWER10);

  /// {@return the bridges of a machine that have an XIVE behind them and are described well enough}
  public static List<PowerBridge> of(MachineDescription machine) {
    List<PowerBridge> out = new ArrayList<>();
    for (IommuDescription i : machine.iommus()) {
      if (i instanceof Phb phb && DRIVEN.contains(phb.kind())) {
        messages(machine, phb).flatMap(m -> join(phb, m)).ifPresent(out::add);
      }
    }
    // One controller takes the events of all; what names another is left alone.
    return out.stream().filter(b -> b.controller().equals(out.getFirst().controller())).toList();
  }

  static Optional<PhbMsi> messages(MachineDescription machine, Phb phb) {
    return machine.hostBridges().stream()
        .filter(b -> b.streams().stream().anyMatch(s -> s.iommu().equals(phb.id())))
        .flatMap(b -> b.msis().stream())
        .flatMap(m -> m.controllers().stream())
        .flatMap(c -> machine.msiController(c).stream())
        .filter(c -> c instanceof PhbMsi)
        .map(c -> (PhbMsi) c)
        .findFirst();
  }

  private static Optional<PowerBridge> join(Phb phb, PhbMsi messages) {
    long all = (long) messages.count() + OTHER_INTERRUPTS;
    if (phb.registers().isEmpty()
        || messages.esb().isEmpty()
        || messages.controller().isEmpty()
        || phb.registers().get().bytes() < REGISTER_BYTES
        || messages.esb().get().bytes() < all * PAGE
        || all > MOST_INTERRUPTS
        || messages.first() < 0
        || messages.first() / BLOCK >= BLOCKS
        || messages.first() % BLOCK + all > BLOCK) {
      return Optional.empty();
    }
    return Optional.of(
        new PowerBridge(
            phb,
            messages,
            AddressRange.ofSize(phb.registers().get().start(), REGISTER_BYTES),
            AddressRange.ofSize(messages.esb().get().start(), all * PAGE),
            messages.controller().get()));
  }

  /// {@return whether it is POWER10's, and so is the interrupt controller}
  public boolean isPower10() {
    return phb.kind().equals(POWER10);
  }

  /// {@return PEs, a multiple of 64; as many as a bridge can have where firmware does not tell}
  public int pes() {
    int told = phb.pes().orElse(MOST_PES);
    return Math.clamp(told / PES_OF_WORD * (long) PES_OF_WORD, PES_OF_WORD, MOST_PES);
  }
}
