package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import dev.doorbell.description.HostBridge;
import dev.doorbell.hw.pcie.BridgeModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/// Finds places for BARs that the capture has not placed: where every bridge above leads, and nothing else lies.
///
/// Where the bridges above have no such place, memory windows that lead to nothing are moved, as an operating system does for what it finds
/// behind a closed port. All addresses are PCI addresses.
final class BarRoom {
  private final List<AddressRange> windows;
  private final AddressRange spare;
  private final Collection<BridgeModel> bridges;
  private final List<AddressRange> kept = new ArrayList<>();

  /// @param windows memory windows of the root complex; the last one is free for what the capture has not placed
  /// @param bridges all below the root complex; a view, as they are added later
  BarRoom(List<HostBridge.Window> windows, Collection<BridgeModel> bridges) {
    this.windows =
        windows.stream().map(w -> AddressRange.ofSize(w.pciStart(), w.cpu().bytes())).toList();
    this.spare = this.windows.getLast();
    this.bridges = bridges;
  }

  /// Keeps what the capture has placed.
  void keep(List<AddressRange> placed) {
    kept.addAll(placed);
  }

  /// {@return the lowest place for a BAR; empty when there is none}
  ///
  /// @param bytes a power of two
  /// @param above the bridges above, from the root bus downwards
  OptionalLong place(long bytes, List<BridgeModel> above) {
    List<AddressRange> rooms = above.isEmpty() ? List.of(spare) : within(windows, above);
    OptionalLong at = free(rooms, bytes, bytes, above);
    if (at.isEmpty() && moveWindows(bytes, above)) {
      at = free(within(windows, above), bytes, bytes, above);
    }
    at.ifPresent(a -> kept.add(AddressRange.ofSize(a, bytes)));
    return at;
  }

  /// Moves the memory windows of the lowest bridges, as few as suffice, provided that none of them leads to anything.
  private boolean moveWindows(long bytes, List<BridgeModel> above) {
    long window = Math.max(bytes, Sizes.MIB);
    for (int first = above.size() - 1; first >= 0 && leadsNowhere(above.get(first)); first--) {
      List<BridgeModel> stay = above.subList(0, first);
      List<AddressRange> rooms =
          (stay.isEmpty() ? List.of(spare) : within(windows, stay))
              .stream().filter(AddressRange::isBelow4GiB).toList();
      OptionalLong at = free(rooms, window, window, stay);
      if (at.isPresent()) {
        AddressRange moved = AddressRange.ofSize(at.getAsLong(), window);
        above.subList(first, above.size()).forEach(b -> b.moveMemoryWindow(moved));
        return true;
      }
    }
    return false;
  }

  private boolean leadsNowhere(BridgeModel bridge) {
    return bridge.memoryWindow().stream().noneMatch(w -> kept.stream().anyMatch(w::overlaps));
  }

  private static List<AddressRange> within(List<AddressRange> rooms, List<BridgeModel> above) {
    List<AddressRange> left = rooms;
    for (BridgeModel b : above) {
      List<AddressRange> open = open(b).toList();
      left =
          left.stream()
              .flatMap(r -> open.stream().flatMap(w -> r.intersection(w).stream()))
              .toList();
    }
    return left;
  }

  private static Stream<AddressRange> open(BridgeModel b) {
    return Stream.of(b.memoryWindow(), b.prefetchableWindow()).flatMap(Optional::stream);
  }

  private OptionalLong free(
      List<AddressRange> rooms, long bytes, long alignment, List<BridgeModel> above) {
    List<AddressRange> taken = new ArrayList<>(kept);
    bridges.stream().filter(b -> !above.contains(b)).flatMap(BarRoom::open).forEach(taken::add);
    return rooms.stream()
        .flatMapToLong(r -> lowest(r, bytes, alignment, taken).stream())
        .findFirst();
  }

  /// The lowest place in one room; whatever is in the way is stepped over as a whole.
  private static OptionalLong lowest(
      AddressRange room, long bytes, long alignment, List<AddressRange> taken) {
    long at = aligned(room.start(), alignment);
    while (at != 0 && room.contains(at) && room.last() - at >= bytes - 1) {
      AddressRange place = AddressRange.ofSize(at, bytes);
      Optional<AddressRange> inTheWay = taken.stream().filter(place::overlaps).findFirst();
      if (inTheWay.isEmpty()) {
        return OptionalLong.of(at);
      }
      long next = aligned(inTheWay.get().last() + 1, alignment);
      if (Long.compareUnsigned(next, at) <= 0) {
        return OptionalLong.empty();
      }
      at = next;
    }
    return OptionalLong.empty();
  }

  private static long aligned(long at, long alignment) {
    return (at + alignment - 1) & -alignment;
  }
}
