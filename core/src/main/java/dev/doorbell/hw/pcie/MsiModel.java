package dev.doorbell.hw.pcie;

import dev.doorbell.bits.Register;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsiLayout;
import java.util.BitSet;

/// The MSI hardware of a function: registers in configuration space.
///
/// **Source**: PCI Express Base 6.0, 7.7.1, 6.1.4.
final class MsiModel implements MessageModel {
  private final ConfigStorage storage;
  private final int at;
  private final boolean wide;
  private final boolean maskable;
  private final BitSet pending = new BitSet();

  MsiModel(ConfigStorage storage, int at) {
    this.storage = storage;
    this.at = at;
    long control = storage.get(at, MsiLayout.CONTROL);
    this.wide = MsiLayout.ADDRESS64.isSet(control);
    this.maskable = MsiLayout.MASKABLE.isSet(control);
  }

  @Override
  public MessageTable.Kind kind() {
    return MessageTable.Kind.MSI;
  }

  @Override
  public boolean isOn() {
    return MsiLayout.ENABLE.isSet(storage.get(at, MsiLayout.CONTROL));
  }

  @Override
  public int vectors() {
    long control = storage.get(at, MsiLayout.CONTROL);
    int given = MsiLayout.MULTIPLE_ENABLE.getInt(control);
    return 1 << Math.min(given, MsiLayout.MULTIPLE_CAPABLE.getInt(control));
  }

  @Override
  public boolean isMasked(int vector) {
    return maskable
        && (storage.get(at, wide ? MsiLayout.MASK_64 : MsiLayout.MASK_32) >>> vector & 1) != 0;
  }

  @Override
  public long address(int vector) {
    long low = MsiLayout.ADDRESS.get(storage.get(at, MsiLayout.MESSAGE_ADDRESS));
    return wide ? low | storage.get(at, MsiLayout.UPPER) << Integer.SIZE : low;
  }

  @Override
  public int data(int vector) {
    long data = storage.get(at, wide ? MsiLayout.DATA_64 : MsiLayout.DATA_32);
    if (MsiLayout.EXTENDED_ENABLE.isSet(storage.get(at, MsiLayout.CONTROL))) {
      Register upper = wide ? MsiLayout.EXTENDED_DATA_64 : MsiLayout.EXTENDED_DATA_32;
      data |= storage.get(at, upper) << MsiLayout.DATA.width();
    }
    return (int) data & -vectors() | vector;
  }

  @Override
  public BitSet pending() {
    return pending;
  }

  /// Shows the pending bits in the register that software reads.
  void publish() {
    if (maskable) {
      long bits = pending.isEmpty() ? 0 : pending.toLongArray()[0];
      storage.change(at, wide ? MsiLayout.PENDING_64 : MsiLayout.PENDING_32, bits);
    }
  }

  @Override
  public void reset() {
    pending.clear();
    publish();
  }
}
