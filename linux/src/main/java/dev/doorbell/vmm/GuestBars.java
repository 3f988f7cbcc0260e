package dev.doorbell.vmm;

import dev.doorbell.address.AddressRange;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.pci.BarDecode;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.vfio.RegionInfo;
import dev.doorbell.vfio.RegionType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A function's BARs in the guest: where the guest places them, what can be mapped is memory of the guest, and the rest, such as the pages of the
/// MSI-X table, leaves it. For the thread of the guest's processor.
final class GuestBars implements GuestBus.Place, AutoCloseable {
  private final LinuxDevice device;
  private final GuestMemory memory;
  private final int firstSlot;
  private final Map<RegionType, List<Part>> parts = new HashMap<>();
  private final Map<RegionType, AddressRange> placed = new HashMap<>();
  private final List<Integer> slots = new ArrayList<>();
  private final Arena arena = Arena.ofShared();

  /// What can be mapped of a BAR.
  ///
  /// @param offsets in the BAR
  private record Part(AddressRange offsets, MemorySegment memory) {}

  /// @param firstSlot memory slots from here up are the function's
  GuestBars(LinuxDevice device, GuestMemory memory, int firstSlot) {
    this.device = device;
    this.memory = memory;
    this.firstSlot = firstSlot;
    try {
      for (RegionInfo r : device.regions()) {
        List<Part> mapped = new ArrayList<>();
        r.mappable().forEach(m -> mapped.add(new Part(m, device.map(r.type(), m, arena))));
        parts.put(r.type(), mapped);
      }
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /// Places the BARs where the guest wants them, or nowhere.
  ///
  /// @param config as the guest sees it
  /// @param decoding whether the function answers to memory accesses
  void place(ConfigSpace config, boolean decoding) {
    Map<RegionType, AddressRange> wanted = new HashMap<>();
    if (decoding) {
      for (BarDecode b : BarDecode.read(config, device.function().toString()).bars()) {
        RegionInfo r = device.regions().get(b.index());
        boolean inWindow =
            b.kind() != BarDecode.Kind.IO
                && r.bytes() > 0
                && GuestMap.BARS.contains(b.address())
                && GuestMap.BARS.contains(b.address() + r.bytes() - 1);
        if (inWindow) {
          wanted.put(r.type(), AddressRange.ofSize(b.address(), r.bytes()));
        }
      }
    }
    if (!wanted.equals(placed)) {
      remove();
      placed.putAll(wanted);
      wanted.forEach(this::add);
    }
  }

  private void add(RegionType type, AddressRange at) {
    for (Part p : parts.getOrDefault(type, List.of())) {
      int slot = firstSlot + slots.size();
      memory.add(
          slot,
          AddressRange.ofSize(at.start() + p.offsets().start(), p.offsets().bytes()),
          p.memory());
      slots.add(slot);
    }
  }

  private void remove() {
    slots.forEach(memory::remove);
    slots.clear();
    placed.clear();
  }

  @Override
  public Optional<GuestBus.At> at(long address) {
    return placed.entrySet().stream()
        .filter(e -> e.getValue().contains(address))
        .findFirst()
        .map(e -> new GuestBus.At(device.region(e.getKey()), address - e.getValue().start()));
  }

  /// {@return whether an address lies in a BAR}
  boolean contains(long address) {
    return placed.values().stream().anyMatch(r -> r.contains(address));
  }

  /// Takes the BARs out of the guest; its processor must have stopped.
  @Override
  public void close() {
    remove();
    arena.close();
  }
}
