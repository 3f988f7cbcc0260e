package dev.doorbell.description;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.IommuDescription.Phb;
import dev.doorbell.description.MsiControllerDescription.PhbMsi;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A PHB3 with all that is needed to drive it: its two sides, its registers, and the presentation controllers that its interrupts go to.
///
/// @param registers 4 KiB
/// @param servers at least one, in the order of CPUs
public record Power8Bridge(
    Phb phb, PhbMsi messages, AddressRange registers, List<PhbMsi.Server> servers) {
  private static final String KIND = "PHB3";
  private static final long REGISTER_BYTES = 0x1000;
  private static final long PAGE = 0x1000;
  private static final int MOST_INTERRUPTS = 2048;

  /// What a presentation controller can hold, and 0 is none.
  private static final long MOST_NUMBER = 0xff_ffff;

  /// What an entry can name, less the two bits of a link.
  private static final long MOST_SERVER = 0x3f_ffff;

  public Power8Bridge {
    servers = List.copyOf(servers);
  }

  /// {@return the bridges of a machine that are described well enough}
  public static List<Power8Bridge> of(MachineDescription machine) {
    List<Power8Bridge> out = new ArrayList<>();
    for (IommuDescription i : machine.iommus()) {
      if (i instanceof Phb phb && phb.kind().equals(KIND)) {
        PowerBridge.messages(machine, phb).flatMap(m -> join(phb, m)).ifPresent(out::add);
      }
    }
    return out;
  }

  /// {@return PHB3s that are not among them, and why}
  static List<Undriven> undriven(MachineDescription machine) {
    List<Undriven> out = new ArrayList<>();
    for (IommuDescription i : machine.iommus()) {
      if (i instanceof Phb phb && phb.kind().equals(KIND)) {
        Optional<PhbMsi> messages = PowerBridge.messages(machine, phb);
        Optional<String> why =
            messages.isPresent() ? lack(phb, messages.get()) : Optional.of(PowerBridge.NO_MESSAGES);
        why.ifPresent(w -> out.add(new Undriven(phb.id(), w, phb.source())));
      }
    }
    return out;
  }

  private static List<PhbMsi.Server> usable(PhbMsi messages) {
    return messages.servers().stream()
        .filter(s -> s.number() >= 0 && s.number() <= MOST_SERVER && s.page().bytes() >= PAGE)
        .map(s -> new PhbMsi.Server(s.number(), AddressRange.ofSize(s.page().start(), PAGE)))
        .toList();
  }

  private static Optional<String> lack(Phb phb, PhbMsi messages) {
    String why = null;
    if (phb.registers().filter(r -> r.bytes() >= REGISTER_BYTES).isEmpty()) {
      why = "firmware does not tell its 0x%x bytes of registers".formatted(REGISTER_BYTES);
    } else if (usable(messages).isEmpty()) {
      why = "firmware describes no presentation controller (ICP) of a processor";
    } else if (messages.count() > MOST_INTERRUPTS
        || messages.first() < 1
        || messages.first() + messages.count() - 1 > MOST_NUMBER) {
      why =
          "its 0x%x interrupts from 0x%x on are more than 0x%x, or not from 1 to 0x%x"
              .formatted(messages.count(), messages.first(), MOST_INTERRUPTS, MOST_NUMBER);
    }
    return Optional.ofNullable(why);
  }

  private static Optional<Power8Bridge> join(Phb phb, PhbMsi messages) {
    return lack(phb, messages).isPresent()
        ? Optional.empty()
        : Optional.of(
            new Power8Bridge(
                phb,
                messages,
                AddressRange.ofSize(phb.registers().orElseThrow().start(), REGISTER_BYTES),
                usable(messages)));
  }
}
