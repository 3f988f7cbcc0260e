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

  /// What a bridge says whose messages no property describes.
  static final String NO_MESSAGES = "firmware tells no interrupts of its messages";

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

  /// {@return bridges with such an interrupt controller that are not among them, and why}
  static List<Undriven> undriven(MachineDescription machine) {
    List<PowerBridge> driven = of(machine);
    List<Undriven> out = new ArrayList<>();
    for (IommuDescription i : machine.iommus()) {
      if (i instanceof Phb phb
          && DRIVEN.contains(phb.kind())
          && driven.stream().noneMatch(b -> b.phb().equals(phb))) {
        String why =
            messages(machine, phb)
                .map(m ->
                    lack(phb, m).orElse("its interrupt controller is not that of the first bridge"))
                .orElse(NO_MESSAGES);
        out.add(new Undriven(phb.id(), why, phb.source()));
      }
    }
    return out;
  }

  private static Optional<String> lack(Phb phb, PhbMsi messages) {
    long all = (long) messages.count() + OTHER_INTERRUPTS;
    String why = null;
    if (phb.registers().filter(r -> r.bytes() >= REGISTER_BYTES).isEmpty()) {
      why = "firmware does not tell its 0x%x bytes of registers".formatted(REGISTER_BYTES);
    } else if (messages.esb().filter(r -> r.bytes() >= all * PAGE).isEmpty()) {
      why =
          "firmware does not tell the pages (ESB) of its 0x%x interrupts, 0x%x bytes"
              .formatted(all, all * PAGE);
    } else if (messages.controller().isEmpty()) {
      why = "firmware does not tell where its interrupt controller (XIVE) is";
    } else if (all > MOST_INTERRUPTS
        || messages.first() < 0
        || messages.first() / BLOCK >= BLOCKS
        || messages.first() % BLOCK + all > BLOCK) {
      why =
          "its 0x%x interrupts from 0x%x on are more than 0x%x, or in none of %d blocks of 0x%x"
              .formatted(all, messages.first(), MOST_INTERRUPTS, BLOCKS, BLOCK);
    }
    return Optional.ofNullable(why);
  }

  private static Optional<PowerBridge> join(Phb phb, PhbMsi messages) {
    if (lack(phb, messages).isPresent()) {
      return Optional.empty();
    }
    long all = (long) messages.count() + OTHER_INTERRUPTS;
    return Optional.of(
        new PowerBridge(
            phb,
            messages,
            AddressRange.ofSize(phb.registers().orElseThrow().start(), REGISTER_BYTES),
            AddressRange.ofSize(messages.esb().orElseThrow().start(), all * PAGE),
            messages.controller().orElseThrow()));
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
