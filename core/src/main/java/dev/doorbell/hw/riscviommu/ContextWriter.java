package dev.doorbell.hw.riscviommu;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.StreamAttachments;
import dev.doorbell.iommu.StreamAttachments.Orders;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/// Writes device contexts and the contexts of processes. A device that once had processes keeps its directory of them until the IOMMU is closed.
///
/// All but {@link #nested} for one thread at a time: the driver holds a lock.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 7.3 (changes of tables and what must follow them).
final class ContextWriter
    implements StreamAttachments.Hardware<DeviceEntry, RiscvIommuAddressSpace> {
  private final PhysicalMemory memory;
  private final Frames frames;
  private final long capabilities;
  private final DeviceTable devices;
  private final CommandIssuer commands;
  private final Map<Integer, ProcessTable> tables = new HashMap<>();
  private final Map<Integer, DeviceEntry> standing = new HashMap<>();

  /// GSCIDs of the devices whose contexts name pages of a guest, or may.
  private final Map<Integer, Integer> guests = new ConcurrentHashMap<>();

  ContextWriter(PhysicalMemory memory, Frames frames, RiscvIommuStart start) {
    this.memory = memory;
    this.frames = frames;
    this.capabilities = start.capabilities();
    this.devices = start.devices();
    this.commands = start.commands();
  }

  @Override
  public DeviceEntry entry(int deviceId) {
    // Room for the context is made before anything is changed.
    devices.context(deviceId);
    return standing.getOrDefault(deviceId, blocked());
  }

  DeviceEntry blocked() {
    return DeviceEntry.of(devices.blocked());
  }

  DeviceEntry passing() {
    return DeviceEntry.of(devices.passing(0, 0, 0));
  }

  @Override
  public DeviceEntry leadingTo(RiscvIommuAddressSpace space) {
    if (!space.isSecond()) {
      return DeviceEntry.of(
          devices.passing(0, DirectoryLayout.TA_PSCID.place(space.tag()), fsc(space)));
    }
    long[] words =
        devices.passing(
            DirectoryLayout.IOHGATP_MODE.place(space.mode())
                | DirectoryLayout.IOHGATP_GSCID.place(space.tag())
                | DirectoryLayout.IOHGATP_PPN.place(DirectoryLayout.ppn(space.root().value())),
            0,
            0);
    space.files().ifPresent(files -> files.put(words));
    return DeviceEntry.of(words);
  }

  private static long fsc(RiscvIommuAddressSpace space) {
    return DirectoryLayout.FSC_MODE.place(space.mode())
        | DirectoryLayout.FSC_PPN.place(DirectoryLayout.ppn(space.root().value()));
  }

  /// {@return an entry, now that there is room for the contexts of its processes}
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory
  DeviceEntry ready(int deviceId, DeviceEntry entry) {
    if (!entry.processes().isEmpty()) {
      tables
          .computeIfAbsent(deviceId, _ -> ProcessTable.create(capabilities, memory, frames))
          .prepare(entry.processes().keySet());
    }
    return entry;
  }

  @Override
  public void write(int deviceId, DeviceEntry entry, Orders orders) {
    if (entry.isNested()) {
      guests.put(deviceId, entry.gscid());
    }
    long[] words =
        entry.processes().isEmpty() ? entry.context() : processes(deviceId, entry, orders);
    long at = devices.context(deviceId);
    Runnable forget = () -> orders.run(() -> commands.run(left(deviceId)));
    if (Arrays.equals(words, devices.read(at))) {
      // What a failed change left in the IOMMU goes, too.
      forget.run();
    } else {
      devices.write(at, words, forget);
    }
    standing.put(deviceId, entry);
    if (!entry.isNested()) {
      guests.remove(deviceId);
    }
  }

  /// {@return what must go when a device's context changes}
  private List<RiscvIommuCommand> left(int deviceId) {
    List<RiscvIommuCommand> out = new ArrayList<>();
    out.add(RiscvIommuCommand.device(deviceId));
    DeviceEntry before = entry(deviceId);
    if (before.hasSecond()) {
      out.addAll(everything(before.gscid()));
    }
    return out;
  }

  /// Writes the contexts of processes. {@return the device's context that leads to them}
  private long[] processes(int deviceId, DeviceEntry entry, Orders orders) {
    ProcessTable table = Objects.requireNonNull(tables.get(deviceId));
    SortedMap<Integer, long[]> contexts = new TreeMap<>();
    entry
        .processes()
        .forEach((process, space) ->
            contexts.put(process, ProcessTable.leadingTo(space.tag(), fsc(space))));
    long[] whole = entry.context();
    long first = whole[DirectoryLayout.FSC_AT / Long.BYTES];
    if (DirectoryLayout.FSC_MODE.get(first) != DirectoryLayout.BARE) {
      long ta = whole[DirectoryLayout.TA_AT / Long.BYTES];
      contexts.put(0, ProcessTable.leadingTo(DirectoryLayout.TA_PSCID.get(ta), first));
    }
    table.write(
        contexts,
        process ->
            orders.run(() -> commands.run(List.of(RiscvIommuCommand.process(deviceId, process)))));
    return table.over(whole);
  }

  @Override
  public void forget(RiscvIommuAddressSpace space) {
    commands.run(
        space.isSecond() ? everything(space.tag()) : List.of(RiscvIommuCommand.all(space.tag())));
  }

  /// {@return what drops a second stage, and all that was made of guests' first stages above it}
  private static List<RiscvIommuCommand> everything(int gscid) {
    return List.of(RiscvIommuCommand.guestFirst(gscid), RiscvIommuCommand.guest(gscid));
  }

  /// {@return what drops the contexts that name pages of a second stage: the IOMMU may have kept where these are. Safe for use from many threads}
  List<RiscvIommuCommand> nested(int gscid) {
    return guests.entrySet().stream()
        .filter(guest -> guest.getValue() == gscid)
        .map(guest -> RiscvIommuCommand.device(guest.getKey()))
        .toList();
  }

  /// Gives the memory of process directories back. The IOMMU must be off.
  void free() {
    tables.values().forEach(ProcessTable::free);
    tables.clear();
  }
}
