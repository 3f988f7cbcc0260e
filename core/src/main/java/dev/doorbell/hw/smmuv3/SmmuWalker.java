package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Walks an SMMU's own registers and tables from a StreamID to a physical address, and says what each entry means. Reads nothing but what
/// it is given, changes nothing, and ends after at most a few dozen reads, whatever the memory holds.
///
/// **Source** IHI 0070 G.b, 3.3 (stream table and context descriptor look-up), 3.4 (address sizes), 5.2 and 5.4 (validity).
public final class SmmuWalker {
  private final String id;
  private final Map<String, Long> registers;
  private final MemoryView memory;

  /// @param id the SMMU's id, for the hops
  /// @param registers contents by the manual's name without `SMMU_`, such as `CR0`, `STRTAB_BASE`
  /// @param memory where the tables lie
  public SmmuWalker(String id, Map<String, Long> registers, MemoryView memory) {
    this.id = id;
    this.registers = Map.copyOf(registers);
    this.memory = memory;
  }

  /// {@return the way of one access without a SubstreamID}
  ///
  /// @param write whether it writes; an MSI does
  public SmmuWalk walk(int streamId, Iova input, boolean write) {
    return walk(streamId, OptionalInt.empty(), input, write);
  }

  /// {@return the way of one access}
  ///
  /// @param substream its SubstreamID, when it carries one
  /// @param write whether it writes
  public SmmuWalk walk(int streamId, OptionalInt substream, Iova input, boolean write) {
    SmmuTrail trail = new SmmuTrail(id, memory);
    Optional<Long> cr0 = register(trail, SmmuRegisters.CR0, "whether the SMMU translates");
    if (cr0.isEmpty()) {
      return trail.stopped();
    }
    if (!SmmuRegisters.CR0_SMMUEN.isSet(cr0.get())) {
      return disabled(trail, input);
    }
    trail.add(
        new Hop(
            id,
            "stream 0x%x, %s".formatted(streamId, input),
            "translation is on",
            "SMMUEN=1",
            Source.at("SMMU_CR0", SmmuRegisters.CR0.offset()),
            Basis.OBSERVED));
    Optional<Long> entry = entry(trail, streamId);
    if (entry.isEmpty()) {
      return trail.stopped();
    }
    Optional<Long> idr5 = register(trail, SmmuRegisters.IDR5, "the output size");
    if (idr5.isEmpty()) {
      return trail.stopped();
    }
    return new SteWalk(trail, SmmuRegisters.IDR5_OAS.getInt(idr5.get()), substream)
        .walk(entry.get(), input, write);
  }

  private SmmuWalk disabled(SmmuTrail trail, Iova input) {
    Optional<Long> gbpa = register(trail, SmmuRegisters.GBPA, "what a disabled SMMU does");
    if (gbpa.isEmpty()) {
      return trail.stopped();
    }
    boolean abort = SmmuRegisters.GBPA_ABORT.isSet(gbpa.get());
    Source source = Source.at("SMMU_GBPA", SmmuRegisters.GBPA.offset());
    if (abort) {
      return trail.stop(
          input.toString(), "SMMUEN=0 and SMMU_GBPA.ABORT=1: every access is aborted", source);
    }
    trail.add(
        new Hop(
            id,
            input.toString(),
            input.toString(),
            "SMMUEN=0 ABORT=0: bypass",
            source,
            Basis.OBSERVED));
    return trail.reached(new Pa(input.value()));
  }

  /// {@return where the stream's entry lies}
  private Optional<Long> entry(SmmuTrail trail, int streamId) {
    Optional<Long> base = register(trail, SmmuRegisters.STRTAB_BASE, "the stream table");
    Optional<Long> config =
        register(trail, SmmuRegisters.STRTAB_BASE_CFG, "the stream table's shape");
    if (base.isEmpty() || config.isEmpty()) {
      return Optional.empty();
    }
    int log2 = SmmuRegisters.STRTAB_BASE_CFG_LOG2SIZE.getInt(config.get());
    int bits = Math.min(log2, streamIdBits());
    Source source = Source.at("SMMU_STRTAB_BASE_CFG", SmmuRegisters.STRTAB_BASE_CFG.offset());
    if (bits < Integer.SIZE && streamId >>> bits != 0) {
      trail.stop(
          "stream 0x%x".formatted(streamId),
          "C_BAD_STREAMID: the stream table covers StreamIDs of %d bits".formatted(bits),
          source);
      return Optional.empty();
    }
    long table = SmmuRegisters.STRTAB_BASE_ADDR.get(base.get());
    boolean twoLevel =
        SmmuRegisters.STRTAB_BASE_CFG_FMT.get(config.get()) == SmmuRegisters.FMT_2LVL;
    long index = Integer.toUnsignedLong(streamId);
    if (!twoLevel) {
      return Optional.of(alignDown(table, (long) SteLayout.BYTES, log2) + index * SteLayout.BYTES);
    }
    int split = split(config.get());
    long first = alignDown(table, StreamTableLayout.L1_BYTES, Math.max(0, log2 - split));
    return secondLevel(trail, first, index, split);
  }

  /// {@return bits of a StreamID that the SMMU has; as many as there can be where SMMU_IDR1 was not recorded}
  private int streamIdBits() {
    Long idr1 = registers.get("IDR1");
    return idr1 == null ? Integer.SIZE : SmmuRegisters.IDR1_SIDSIZE.getInt(idr1);
  }

  /// Reserved encodings behave as 6 (6.3.25).
  private static int split(long config) {
    int split = SmmuRegisters.STRTAB_BASE_CFG_SPLIT.getInt(config);
    return split == 8 || split == 10 ? split : 6;
  }

  private Optional<Long> secondLevel(SmmuTrail trail, long table, long streamId, int split) {
    long perFirst = 1L << split;
    long at = table + streamId / perFirst * StreamTableLayout.L1_BYTES;
    Optional<Long> word = trail.read(at, "the level 1 stream table descriptor");
    if (word.isEmpty()) {
      return Optional.empty();
    }
    int span = StreamTableLayout.SPAN.getInt(word.get());
    long low = streamId % perFirst;
    String in = "stream 0x%x".formatted(streamId);
    if (span == 0 || span > split + 1 || low >= 1L << (span - 1)) {
      trail.stop(
          in,
          "C_BAD_STREAMID: the level 1 descriptor is 0x%x, Span=%d, and the stream is number %d of it"
              .formatted(word.get(), span, low),
          memory.source(at));
      return Optional.empty();
    }
    long array = alignDown(StreamTableLayout.L2_PTR.get(word.get()), SteLayout.BYTES, span - 1);
    long entry = array + low * SteLayout.BYTES;
    trail.add(
        new Hop(
            "L1STD",
            in,
            "STE at 0x%x".formatted(entry),
            SmmuTrail.print(StreamTableLayout.L1STD, word.get()),
            memory.source(at),
            Basis.OBSERVED));
    return Optional.of(entry);
  }

  private Optional<Long> register(SmmuTrail trail, Register register, String what) {
    String name = register.name().substring("SMMU_".length());
    Long value = registers.get(name);
    if (value == null) {
      trail.stop(
          "",
          "cannot see %s: %s is not among the registers".formatted(what, register.name()),
          Source.at(register.name(), register.offset()));
    }
    return Optional.ofNullable(value);
  }

  /// The hardware takes the low bits of a table's address as zero: tables are aligned to their size, which of a stream table is LOG2SIZE as it
  /// is written, wider than StreamIDs or not (6.3.24).
  private static long alignDown(long address, long entryBytes, int log2Entries) {
    return address & -(entryBytes << Math.min(log2Entries, Integer.SIZE));
  }
}
