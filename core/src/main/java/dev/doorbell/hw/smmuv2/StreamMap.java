package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.Gr0Registers.*;

import dev.doorbell.iommu.StreamAttachments.Orders;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Where each stream goes: stream match registers with their stream-to-context registers, or these alone where a StreamID is their number.
///
/// A stream that is in none faults (SMMU_sCR0.USFCFG, or the register's own type). Each change is one write of SMMU_S2CRn, so that an access
/// sees the old way or the new one; a register that matches is written after the way is, and withdrawn before the register is used again.
/// Not safe for use from several threads: the driver holds its lock.
///
/// **Source** IHI 0062 D.c, 2.4 (stream mapping), 9.6.23 (SMMU_S2CRn), 9.6.25 (SMMU_SMRn).
final class StreamMap {
  private final SmmuV2Port port;
  private final SmmuV2Probe probe;
  private final int mask;
  private final long[] ways;

  /// Whether the register of the same number matches.
  private final boolean[] matching;

  private final Map<Integer, Integer> entries = new HashMap<>();

  /// @param mask bits of a StreamID that are not compared
  StreamMap(SmmuV2Port port, SmmuV2Probe probe, int mask) {
    this.port = port;
    this.probe = probe;
    this.mask = mask;
    ways = new long[probe.entries()];
    matching = new boolean[probe.entries()];
  }

  /// Lets every stream fault.
  void reset() {
    entries.clear();
    for (int i = 0; i < ways.length; i++) {
      ways[i] = fault();
      matching[i] = false;
      port.writeGr0(S2CR, i, ways[i]);
      if (probe.matching()) {
        port.writeGr0(SMR, i, 0);
      }
    }
  }

  /// {@return StreamIDs that are one stream have one key}
  ///
  /// @throws SmmuV2Unsupported when the hardware cannot tell the StreamID
  int key(int streamId) {
    long reach = probe.matching() ? 1L << probe.streamBits() : probe.entries();
    if (Integer.toUnsignedLong(streamId) >= reach) {
      throw new SmmuV2Unsupported(
          port.id(),
          "SMMU_IDR0",
          port.gr0(IDR0),
          "which reaches to StreamID 0x%x and not to 0x%x".formatted(reach - 1, streamId));
    }
    return probe.matching() ? streamId & ~mask : streamId;
  }

  /// {@return the way to a context bank}
  long translating(int bank) {
    return way(TYPE_TRANSLATION) | S2CR_CBNDX.place(bank);
  }

  /// {@return the way of accesses that pass}
  long passing() {
    return way(TYPE_BYPASS);
  }

  /// {@return the way of a stream that is in no register}
  long fault() {
    return S2CR_TYPE.place(TYPE_FAULT);
  }

  /// {@return where a stream goes, as it was written last}
  long wayOf(int key) {
    Integer entry = entries.get(key);
    return entry == null ? fault() : ways[entry];
  }

  /// {@return the context bank that a stream is led to, if it is led to one}
  Optional<Integer> bankOf(int key) {
    return Optional.of(wayOf(key))
        .filter(way -> S2CR_TYPE.getInt(way) == TYPE_TRANSLATION)
        .map(S2CR_CBNDX::getInt);
  }

  /// Leads a stream elsewhere. One that is to fault gives its register up.
  ///
  /// @param orders waits until accesses that went the old way have ended
  /// @throws StreamMatchesExhausted when the stream needs a register and none is free; nothing is written then
  void lead(int key, long way, Orders orders) {
    if (way == fault()) {
      block(key, orders);
      return;
    }
    Integer known = entries.get(key);
    int entry = known == null ? free(key) : known;
    entries.put(key, entry);
    if (probe.extended()) {
      // Its valid bit is in the other register.
      match(entry, key);
    }
    write(entry, way);
    if (probe.matching()) {
      match(entry, key);
    }
    orders.run(port::sync);
  }

  private void block(int key, Orders orders) {
    Integer entry = entries.get(key);
    if (entry == null) {
      return;
    }
    write(entry, fault());
    if (probe.matching()) {
      port.writeGr0(SMR, entry, 0);
      matching[entry] = false;
    }
    orders.run(port::sync);
    entries.remove(key);
  }

  private int free(int key) {
    if (!probe.matching()) {
      return key;
    }
    for (int i = 0; i < ways.length; i++) {
      if (!entries.containsValue(i)) {
        return i;
      }
    }
    throw new StreamMatchesExhausted(port.id(), key, ways.length);
  }

  private void write(int entry, long way) {
    port.writeGr0(S2CR, entry, way);
    ways[entry] = way;
  }

  private void match(int entry, int key) {
    if (!matching[entry]) {
      port.writeGr0(SMR, entry, match(key));
      matching[entry] = true;
    }
  }

  private long match(int key) {
    return probe.extended()
        ? EXSMR_ID.place(key) | EXSMR_MASK.place(mask & EXSMR_MASK.max())
        : SMR_ID.place(key) | SMR_MASK.place(mask & SMR_MASK.max()) | SMR_VALID.place(1);
  }

  private long way(int type) {
    return S2CR_TYPE.place(type) | S2CR_EXIDVALID.place(probe.extended() ? 1 : 0);
  }
}
