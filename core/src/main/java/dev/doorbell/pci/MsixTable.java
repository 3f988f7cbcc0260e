package dev.doorbell.pci;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import java.util.Arrays;
import java.util.List;

/// The MSI-X table of a function and its pending bits, through the BARs that hold them.
///
/// **Source**: PCI Express Base 6.0, 7.7.2.5 to 7.7.2.9, 6.1.4.
public final class MsixTable implements MessageTable {
  /// An entry's registers, the one with the mask last.
  private static final List<Register> HELD =
      List.of(
          MsixLayout.MESSAGE_ADDRESS,
          MsixLayout.MESSAGE_UPPER_ADDRESS,
          MsixLayout.MESSAGE_DATA,
          MsixLayout.VECTOR_CONTROL);

  private final String function;
  private final MsixCapability capability;
  private final RegisterBus table;
  private final RegisterBus pba;
  private final long tableOffset;
  private final long pbaOffset;
  private final int vectors;

  MsixTable(String function, MsixCapability capability, RegisterBus table, RegisterBus pba) {
    this.function = function;
    this.capability = capability;
    this.table = table;
    this.pba = pba;
    this.tableOffset = capability.tableOffset();
    this.pbaOffset = capability.pbaOffset();
    this.vectors = capability.vectors();
  }

  @Override
  public Kind kind() {
    return Kind.MSIX;
  }

  @Override
  public int size() {
    return vectors;
  }

  @Override
  public boolean isMaskable() {
    return true;
  }

  @Override
  public boolean is64Bit() {
    return true;
  }

  @Override
  public long maxData() {
    return 0xffff_ffffL;
  }

  @Override
  public void write(int index, long address, int data) {
    long entry = entry(index);
    if ((address & 3) != 0) {
      throw new MessageRefused(
          function,
          "vector %d cannot write to 0x%x, which is not a multiple of 4".formatted(index, address),
          Source.rule("PCIe 6.0 7.7.2.5"),
          "use a doorbell on a 4-byte boundary");
    }
    long control = read(entry, MsixLayout.VECTOR_CONTROL);
    boolean masked = MsixLayout.MASK.isSet(control);
    if (!masked) {
      // A message must not mix old and new; changing an unmasked entry is undefined (7.7.2).
      maskEntry(entry, control, true);
    }
    write(entry, MsixLayout.MESSAGE_ADDRESS, MsixLayout.ADDRESS.get(address));
    write(entry, MsixLayout.MESSAGE_UPPER_ADDRESS, address >>> Integer.SIZE);
    write(entry, MsixLayout.MESSAGE_DATA, Integer.toUnsignedLong(data));
    if (!masked) {
      maskEntry(entry, control, false);
    }
  }

  @Override
  public long address(int index) {
    long entry = entry(index);
    return read(entry, MsixLayout.MESSAGE_ADDRESS)
        | read(entry, MsixLayout.MESSAGE_UPPER_ADDRESS) << Integer.SIZE;
  }

  @Override
  public int data(int index) {
    return (int) read(entry(index), MsixLayout.MESSAGE_DATA);
  }

  @Override
  public void mask(int index, boolean masked) {
    long entry = entry(index);
    maskEntry(entry, read(entry, MsixLayout.VECTOR_CONTROL), masked);
  }

  @Override
  public boolean isMasked(int index) {
    return MsixLayout.MASK.isSet(read(entry(index), MsixLayout.VECTOR_CONTROL));
  }

  @Override
  public boolean isPending(int index) {
    entry(index);
    long word = pba.read(pbaOffset + (long) (index / Integer.SIZE) * Integer.BYTES, Integer.BYTES);
    return (word >>> index % Integer.SIZE & 1) != 0;
  }

  /// {@return whether the whole function is masked}
  public boolean isFunctionMasked() {
    return capability.isFunctionMasked();
  }

  /// Masks or unmasks the whole function.
  public void functionMask(boolean masked) {
    capability.functionMask(masked);
  }

  @Override
  public void enable(int count) {
    capability.enable();
  }

  @Override
  public void disable() {
    capability.disable();
  }

  @Override
  public boolean isEnabled() {
    return capability.isEnabled();
  }

  @Override
  public Saved save(int first, int count) {
    long[][] entries = new long[count][];
    for (int i = 0; i < count; i++) {
      entries[i] = entryNow(entry(first + i));
    }
    MsixCapability.Switches switches = capability.switches();
    return () -> {
      if (!switches.isEnabled()) {
        capability.disable();
      }
      for (int i = 0; i < count; i++) {
        if (!Arrays.equals(entries[i], entryNow(entry(first + i)))) {
          restore(entry(first + i), entries[i]);
        }
      }
      switches.restore();
    };
  }

  private long[] entryNow(long entry) {
    return HELD.stream().mapToLong(r -> read(entry, r)).toArray();
  }

  private void restore(long entry, long[] values) {
    maskEntry(entry, read(entry, MsixLayout.VECTOR_CONTROL), true);
    for (int i = 0; i < values.length; i++) {
      write(entry, HELD.get(i), values[i]);
    }
  }

  private void maskEntry(long entry, long control, boolean masked) {
    write(entry, MsixLayout.VECTOR_CONTROL, MsixLayout.MASK.with(control, masked ? 1 : 0));
    // Reading back pushes the posted write: once it answers, no message of the old entry is to
    // come.
    read(entry, MsixLayout.VECTOR_CONTROL);
  }

  private long entry(int index) {
    if (index < 0 || index >= vectors) {
      throw new IndexOutOfBoundsException(
          "%s has %d MSI-X vectors, asked for %d".formatted(function, vectors, index));
    }
    return tableOffset + index * MsixLayout.ENTRY.bytes();
  }

  private long read(long entry, Register register) {
    return table.read(entry + register.offset(), register.bytes());
  }

  private void write(long entry, Register register, long value) {
    table.write(entry + register.offset(), value, register.bytes());
  }
}
