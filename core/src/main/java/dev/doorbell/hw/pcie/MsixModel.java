package dev.doorbell.hw.pcie;

import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsixLayout;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;

/// The MSI-X hardware of a function: switches in configuration space, table and pending bits in BARs.
///
/// **Source**: PCI Express Base 6.0, 7.7.2, 6.1.4.
final class MsixModel implements MessageModel {
  private static final int ENTRY_BYTES = (int) MsixLayout.ENTRY.bytes();

  private final ConfigStorage storage;
  private final int at;
  private final int size;
  private final int tableBar;
  private final long tableOffset;
  private final int pbaBar;
  private final long pbaOffset;
  private final int[] words;
  private final BitSet pending = new BitSet();

  MsixModel(ConfigStorage storage, int at) {
    this.storage = storage;
    this.at = at;
    this.size = MsixLayout.TABLE_SIZE.getInt(storage.get(at, MsixLayout.CONTROL)) + 1;
    long table = storage.get(at, MsixLayout.TABLE);
    long pba = storage.get(at, MsixLayout.PBA);
    this.tableBar = MsixLayout.TABLE_BIR.getInt(table);
    this.tableOffset = MsixLayout.TABLE_OFFSET.get(table);
    this.pbaBar = MsixLayout.PBA_BIR.getInt(pba);
    this.pbaOffset = MsixLayout.PBA_OFFSET.get(pba);
    this.words = new int[size * ENTRY_BYTES / Integer.BYTES];
    maskAll();
  }

  @Override
  public MessageTable.Kind kind() {
    return MessageTable.Kind.MSIX;
  }

  @Override
  public boolean isOn() {
    return MsixLayout.ENABLE.isSet(storage.get(at, MsixLayout.CONTROL));
  }

  @Override
  public int vectors() {
    return size;
  }

  @Override
  public boolean isMasked(int vector) {
    return MsixLayout.isMasked(
        (int) storage.get(at, MsixLayout.CONTROL), word(vector, MsixLayout.VECTOR_CONTROL));
  }

  @Override
  public long address(int vector) {
    return word(vector, MsixLayout.MESSAGE_ADDRESS)
        | word(vector, MsixLayout.MESSAGE_UPPER_ADDRESS) << Integer.SIZE;
  }

  @Override
  public int data(int vector) {
    return (int) word(vector, MsixLayout.MESSAGE_DATA);
  }

  @Override
  public BitSet pending() {
    return pending;
  }

  private boolean holdsTable(int bar, long offset) {
    return bar == tableBar
        && offset >= tableOffset
        && offset < tableOffset + (long) size * ENTRY_BYTES;
  }

  private boolean holdsPba(int bar, long offset) {
    return bar == pbaBar
        && offset >= pbaOffset
        && offset < pbaOffset + Math.ceilDiv(size, Long.SIZE) * (long) Long.BYTES;
  }

  /// {@return bytes of the BAR that table or pending bits need, if they lie in it}
  long bytesNeeded(int bar) {
    long table = bar == tableBar ? tableOffset + (long) size * ENTRY_BYTES : 0;
    long bits = bar == pbaBar ? pbaOffset + Math.ceilDiv(size, Long.SIZE) * (long) Long.BYTES : 0;
    return Math.max(table, bits);
  }

  /// {@return whether an access of a BAR is the table's or the pending bits'}
  boolean holds(int bar, long offset) {
    return holdsTable(bar, offset) || holdsPba(bar, offset);
  }

  /// Takes a write of table or pending bits. Software must write whole doublewords or quadwords (7.7.2); pending bits are read-only.
  ///
  /// {@return false, with nothing changed, when it is smaller or not aligned}
  boolean write(int bar, long offset, long value, int bytes) {
    if (bytes < Integer.BYTES || offset % bytes != 0) {
      return false;
    }
    for (int i = 0; i < bytes; i += Integer.BYTES) {
      if (holdsTable(bar, offset + i)) {
        writeWord(offset + i, Integer.toUnsignedLong((int) (value >>> i * Byte.SIZE)));
      }
    }
    return true;
  }

  /// {@return the vector whose entry an access of the table touches, or -1 for an access of the pending bits}
  int vectorAt(int bar, long offset) {
    return holdsTable(bar, offset) ? (int) (offset - tableOffset) / ENTRY_BYTES : -1;
  }

  /// {@return what a read of table or pending bits answers, zero-extended}
  long read(int bar, long offset, int bytes) {
    long at = offset & -Integer.BYTES;
    long value = 0;
    for (int i = 0; i < Math.max(bytes, Integer.BYTES); i += Integer.BYTES) {
      long word =
          holdsTable(bar, at + i)
              ? Integer.toUnsignedLong(words[(int) (at + i - tableOffset) / Integer.BYTES])
              : holdsPba(bar, at + i) ? pendingWord(at + i) : 0;
      value |= word << i * Byte.SIZE;
    }
    long shifted = value >>> (offset - at) * Byte.SIZE;
    return bytes == Long.BYTES ? shifted : shifted & (1L << bytes * Byte.SIZE) - 1;
  }

  private void writeWord(long offset, long value) {
    int at = (int) (offset - tableOffset);
    Optional<RegisterMap.Hit> hit = MsixLayout.ENTRY.find(at % ENTRY_BYTES);
    int index = at / Integer.BYTES;
    hit.ifPresent(h ->
        words[index] = (int) h.register().legalize(Integer.toUnsignedLong(words[index]), value));
  }

  private long pendingWord(long offset) {
    int first = (int) (offset - pbaOffset) * Byte.SIZE;
    long bits = 0;
    for (int i = 0; i < Integer.SIZE; i++) {
      bits |= pending.get(first + i) ? 1L << i : 0;
    }
    return bits;
  }

  @Override
  public void reset() {
    pending.clear();
    Arrays.fill(words, 0);
    maskAll();
  }

  private void maskAll() {
    for (int v = 0; v < size; v++) {
      words[index(v, MsixLayout.VECTOR_CONTROL)] = (int) MsixLayout.VECTOR_CONTROL.reset();
    }
  }

  private long word(int vector, Register register) {
    return Integer.toUnsignedLong(words[index(vector, register)]);
  }

  private static int index(int vector, Register register) {
    return (vector * ENTRY_BYTES + (int) register.offset()) / Integer.BYTES;
  }
}
