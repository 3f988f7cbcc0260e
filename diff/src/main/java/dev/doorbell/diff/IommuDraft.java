package dev.doorbell.diff;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/// The steps of a scenario of an IOMMU, as they come to be.
class IommuDraft {
  private static final int DATA_BITS = 16;

  final Dice dice;
  private final List<Step> steps = new ArrayList<>();
  private final long unit;
  private int datum;

  /// @param unit where the registers are
  IommuDraft(long seed, long unit) {
    this.dice = new Dice(seed);
    this.unit = unit;
  }

  final List<Step> steps() {
    return steps;
  }

  final void write(Register r, long value) {
    steps.add(new Step.Write(unit + r.offset(), r.bytes(), value));
  }

  final void read(Register r) {
    steps.add(new Step.Read(unit + r.offset(), r.bytes()));
  }

  final void store(long address, List<Long> words) {
    steps.add(new Step.Store(address, words));
  }

  final void store(long address, Long... words) {
    store(address, List.of(words));
  }

  final void command(long... words) {
    steps.add(new Step.Command(LongStream.of(words).boxed().toList()));
  }

  final void clear(AddressRange range) {
    steps.add(new Step.Clear(range.start(), range.bytes()));
  }

  /// {@return a datum that no other of the last writes has}
  final int fresh() {
    datum = datum % ((1 << DATA_BITS) - 1) + 1;
    return datum;
  }

  final void send(int requester, long address, int data) {
    steps.add(new Step.Message(requester, address, data));
  }
}
