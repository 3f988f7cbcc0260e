package dev.doorbell.hw.smmuv3;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.StreamAttachments;
import dev.doorbell.iommu.StreamAttachments.Orders;
import dev.doorbell.vmsa.Stage;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/// Writes stream table entries and the context descriptors of substreams. A stream that once had substreams keeps its table of descriptors until the SMMU is closed.
///
/// **Source** IHI 0070 G.b, 3.21.3 (changes), 4.3 (invalidation of configuration).
final class EntryWriter implements StreamAttachments.Hardware<StreamEntry, SmmuAddressSpace> {
  private final PhysicalMemory memory;
  private final Frames frames;
  private final ProbedFeatures features;
  private final StreamTable streams;
  private final CommandIssuer commands;
  private final Map<Integer, ContextTable> tables = new HashMap<>();
  private final Map<Integer, StreamEntry> standing = new HashMap<>();

  EntryWriter(PhysicalMemory memory, Frames frames, SmmuStart start) {
    this.memory = memory;
    this.frames = frames;
    this.features = start.features();
    this.streams = start.streams();
    this.commands = start.commands();
  }

  @Override
  public StreamEntry entry(int streamId) {
    at(streamId);
    return standing.getOrDefault(streamId, StreamEntry.of(StreamTableEntries.abort()));
  }

  /// {@return where a stream's entry lies, made when it is the first of its kind}
  private long at(int streamId) {
    return streams.entry(streamId, () -> sync(SmmuCommand.cfgiSte(streamId, false)));
  }

  @Override
  public StreamEntry leadingTo(SmmuAddressSpace space) {
    return StreamEntry.of(StreamTableEntries.translate(space, features.stalls()));
  }

  /// {@return an entry, now that there is room for the descriptors of its substreams}
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory
  StreamEntry ready(int streamId, StreamEntry entry) {
    if (!entry.substreams().isEmpty()) {
      tables
          .computeIfAbsent(streamId, _ -> ContextTable.create(features, memory, frames))
          .prepare(entry.substreams().keySet());
    }
    return entry;
  }

  @Override
  public void write(int streamId, StreamEntry entry, Orders orders) {
    long at = at(streamId);
    long[] ste = entry.substreams().isEmpty() ? entry.ste() : substreams(streamId, entry, orders);
    Runnable forget = () -> orders.run(() -> sync(SmmuCommand.cfgiSte(streamId, true)));
    if (Arrays.equals(ste, SteUpdate.read(memory, at))) {
      // What a failed change left in the SMMU goes, too.
      forget.run();
    }
    SteUpdate.write(memory, at, ste, forget::run);
    memory.publish();
    if (SteLayout.CONFIG.get(ste[0]) == SteLayout.CONFIG_S1_TRANS) {
      // The descriptors' memory may have held others for this stream before.
      orders.run(() -> sync(SmmuCommand.cfgiCdAll(streamId)));
    }
    standing.put(streamId, entry);
  }

  /// Writes the descriptors of substreams. {@return the entry that leads to them}
  private long[] substreams(int streamId, StreamEntry entry, Orders orders) {
    ContextTable table = Objects.requireNonNull(tables.get(streamId));
    SortedMap<Integer, long[]> contexts = new TreeMap<>();
    entry.substreams().forEach((substream, space) -> contexts.put(substream, space.context()));
    long[] ste = entry.ste();
    if (SteLayout.CONFIG.get(ste[0]) == SteLayout.CONFIG_S1_TRANS) {
      contexts.put(0, SteUpdate.read(memory, SteLayout.S1_CONTEXT_PTR.get(ste[0])));
    }
    table.write(
        contexts,
        substream -> orders.run(() -> sync(SmmuCommand.cfgiCd(streamId, substream, false))));
    return table.over(ste);
  }

  @Override
  public void forget(SmmuAddressSpace space) {
    commands.run(List.of(all(space)));
  }

  /// {@return the command that drops all translations of an address space}
  static SmmuCommand all(SmmuAddressSpace space) {
    return space.geometry().stage() == Stage.STAGE1
        ? SmmuCommand.tlbiNhAsid(0, space.tag())
        : SmmuCommand.tlbiS12Vmall(space.tag());
  }

  private void sync(SmmuCommand command) {
    commands.run(List.of(command));
  }

  /// Gives the memory of descriptors back. The SMMU must be disabled.
  void free() {
    tables.values().forEach(ContextTable::free);
    tables.clear();
  }
}
