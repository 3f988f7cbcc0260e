package dev.doorbell.pci;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Under which requester ids a function's writes can reach the root complex: conventional buses carry no requester id, so a bridge to one
/// puts its own in.
///
/// **Source**: PCI Express to PCI/PCI-X Bridge 1.0, 2.3; the cases are those of Linux 6.12 `pci_for_each_dma_alias`, without its
/// per-device quirks.
public final class DmaAliases {
  private DmaAliases() {}

  /// One requester id.
  ///
  /// @param requesterId bus, device and function
  /// @param owner whose id replaces the function's: a bridge, or the function itself
  /// @param because why
  /// @param certain whether what makes the owner speak for the function was seen
  public record Alias(int requesterId, PciFunction owner, String because, boolean certain) {
    Alias(int requesterId, PciFunction owner, String because) {
      this(requesterId, owner, because, true);
    }
  }

  /// {@return the aliases of a function: itself first, then those that bridges make, nearest first}
  public static List<Alias> of(PciTopology topology, PciFunction f) {
    List<Alias> aliases = new ArrayList<>();
    aliases.add(new Alias(f.sbdf().requesterId(), f, f + " itself"));
    for (PciFunction bridge : topology.path(f)) {
      int own = bridge.sbdf().requesterId();
      switch (bridge.portType()) {
        case Seen.There<PortType>(PortType type) -> {
          if (type == PortType.PCIE_TO_PCI_BRIDGE) {
            Sbdf taken =
                new Sbdf(
                    bridge.sbdf().segment(), BridgeRegisters.of(bridge.config()).secondary(), 0, 0);
            aliases.add(
                new Alias(
                    taken.requesterId(),
                    bridge,
                    "%s is a PCI Express to PCI bridge and sends what comes from its secondary bus as %s"
                        .formatted(bridge, taken)));
          } else if (type == PortType.PCI_TO_PCIE_BRIDGE) {
            aliases.add(
                new Alias(
                    own,
                    bridge,
                    bridge + " is a PCI to PCI Express bridge and sends under its own id"));
          }
        }
        case Seen.NotThere<PortType>() ->
            aliases.add(
                new Alias(
                    own,
                    bridge,
                    bridge + " is a conventional PCI bridge and may send under its own id"));
        case Seen.NotVisible<PortType>(String why) ->
            aliases.add(
                new Alias(
                    own,
                    bridge,
                    "%s may be a conventional PCI bridge: %s".formatted(bridge, why),
                    false));
      }
    }
    return List.copyOf(aliases);
  }

  /// {@return the requester id that an IOMMU at the root complex sees; a bridge whose kind cannot be seen counts as a PCI Express port,
  /// which leaves the id as it is}
  public static int atRootComplex(PciTopology topology, PciFunction f) {
    return last(topology, f).requesterId();
  }

  private static Alias last(PciTopology topology, PciFunction f) {
    for (Alias alias : of(topology, f).reversed()) {
      if (alias.certain()) {
        return alias;
      }
    }
    throw new IllegalStateException(f + " is not among the aliases of itself");
  }

  /// {@return the last bus of the requester ids that a function's messages may carry at the root complex, from that of
  /// {@link #atRootComplex} on; empty when they carry that one id}
  ///
  /// A PCI Express to PCI bridge may leave ids of PCI-X devices as they are, and those of buses below its secondary one, so that no single
  /// id can be asked for.
  ///
  /// **Source**: PCI Express to PCI/PCI-X Bridge 1.0, 2.3; Linux 6.12 `set_msi_sid` verifies the bus there.
  public static OptionalInt lastBus(PciTopology topology, PciFunction f) {
    Alias last = last(topology, f);
    boolean taken = last.requesterId() >>> Byte.SIZE != last.owner().sbdf().bus();
    return taken ? OptionalInt.of(f.sbdf().bus()) : OptionalInt.empty();
  }

  /// {@return the nearest bridge that may put its own requester id in, where its kind cannot be seen}
  public static Optional<Alias> doubt(PciTopology topology, PciFunction f) {
    return of(topology, f).stream().filter(a -> !a.certain()).findFirst();
  }
}
