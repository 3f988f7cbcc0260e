package dev.doorbell.description;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Sizes;
import dev.doorbell.description.IommuDescription.PaprTce;
import dev.doorbell.description.MsiControllerDescription.PaprMsi;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// A host bridge as a hypervisor gives it to a guest, with all that is needed to drive it.
///
/// @param buid by which calls name it
/// @param servers numbers of processors, at least one
/// @param windows at least one
public record PaprBridge(
    HostBridge bridge, PaprMsi messages, long buid, List<Long> servers, List<PaprTce> windows) {
  /// Processors that interrupts can be sent to.
  private static final int MOST_SERVERS = 128;

  /// What H_XIRR can tell.
  private static final long MOST_SERVER = 16 * Sizes.MIB - 1;

  /// Bytes of a window at most: 16 GiB.
  private static final long MOST_BYTES = 16 * Sizes.GIB;

  public PaprBridge {
    servers = List.copyOf(servers);
    windows = List.copyOf(windows);
  }

  /// {@return the bridges of a machine that are described well enough; a window whose number another one has is nobody's}
  public static List<PaprBridge> of(MachineDescription machine) {
    List<PaprBridge> out = new ArrayList<>();
    Set<Long> liobns = new HashSet<>();
    Set<Long> buids = new HashSet<>();
    for (HostBridge b : machine.hostBridges()) {
      messages(machine, b)
          .filter(m -> m.buid().isPresent() && buids.add(m.buid().getAsLong()))
          .flatMap(m -> join(machine, b, m, liobns))
          .ifPresent(out::add);
    }
    return out;
  }

  /// {@return windows of a guest's bridges that are not among theirs, and why}
  static List<Undriven> undriven(MachineDescription machine) {
    List<PaprTce> driven = of(machine).stream().flatMap(b -> b.windows().stream()).toList();
    List<Undriven> out = new ArrayList<>();
    for (HostBridge b : machine.hostBridges()) {
      Optional<PaprMsi> messages = messages(machine, b);
      for (PaprTce t : windows(machine, b)) {
        if (messages.isPresent() && !driven.contains(t)) {
          out.add(new Undriven(t.id(), lack(t, messages.get()), t.source()));
        }
      }
    }
    return out;
  }

  private static String lack(PaprTce window, PaprMsi messages) {
    if (messages.buid().isEmpty()) {
      return "firmware does not tell the number by which calls name its host bridge (BUID)";
    }
    if (servers(messages).isEmpty()) {
      return "firmware tells no number by which calls name a processor";
    }
    if (!isWhole(window)) {
      return "its window %s is not of whole pages and up to 0x%x bytes"
          .formatted(window.window(), MOST_BYTES);
    }
    return "another has its window's number, LIOBN 0x%x, or its host bridge's"
        .formatted(window.liobn());
  }

  private static List<Long> servers(PaprMsi messages) {
    return messages.servers().stream()
        .filter(s -> s >= 0 && s <= MOST_SERVER)
        .distinct()
        .limit(MOST_SERVERS)
        .toList();
  }

  private static List<PaprTce> windows(MachineDescription machine, HostBridge b) {
    return machine.iommus().stream()
        .filter(i -> i instanceof PaprTce)
        .map(i -> (PaprTce) i)
        .filter(t -> b.streams().stream().anyMatch(s -> s.iommu().equals(t.id())))
        .toList();
  }

  private static Optional<PaprMsi> messages(MachineDescription machine, HostBridge b) {
    return b.msis().stream()
        .flatMap(m -> m.controllers().stream())
        .flatMap(c -> machine.msiController(c).stream())
        .filter(c -> c instanceof PaprMsi)
        .map(c -> (PaprMsi) c)
        .findFirst();
  }

  private static Optional<PaprBridge> join(
      MachineDescription machine, HostBridge b, PaprMsi messages, Set<Long> liobns) {
    List<Long> servers = servers(messages);
    List<PaprTce> windows =
        windows(machine, b).stream().filter(t -> isWhole(t) && liobns.add(t.liobn())).toList();
    return servers.isEmpty() || windows.isEmpty()
        ? Optional.empty()
        : Optional.of(new PaprBridge(b, messages, messages.buid().orElseThrow(), servers, windows));
  }

  private static boolean isWhole(PaprTce t) {
    long bytes = t.window().bytes();
    return bytes > 0
        && bytes <= MOST_BYTES
        && Granule.K4.offset(t.window().start()) == 0
        && Granule.K4.offset(bytes) == 0;
  }

  /// {@return the window of a function}
  public Optional<PaprTce> windowOf(int rid) {
    return bridge.streams().stream()
        .filter(s -> s.streamOf(rid).isPresent())
        .findFirst()
        .flatMap(s -> windows.stream().filter(t -> t.id().equals(s.iommu())).findFirst());
  }

  /// {@return a requester id that has a window: a function's where there is one}
  public OptionalInt requesterOf(PaprTce window, MachineDescription machine) {
    OptionalInt function =
        machine.functions().stream()
            .filter(f -> bridge.owns(f.sbdf().segment(), f.sbdf().bus()))
            .mapToInt(f -> f.sbdf().requesterId())
            .filter(rid -> windowOf(rid).filter(window::equals).isPresent())
            .findFirst();
    return function.isPresent()
        ? function
        : bridge.streams().stream()
            .filter(s -> s.iommu().equals(window.id()))
            .mapToInt(HostBridge.StreamMapping::firstRid)
            .filter(rid -> windowOf(rid).filter(window::equals).isPresent())
            .findFirst();
  }
}
