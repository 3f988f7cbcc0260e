package dev.doorbell.pci;

import dev.doorbell.bits.Register;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;

/// The MSI capability of a function, and its vectors as a {@link MessageTable}.
///
/// **Source**: PCI Express Base 6.0, 7.7.1, 6.1.4.
public final class MsiCapability implements MessageTable {
  /// Log2 of 32, the most that Multiple Message Capable can say.
  private static final int MAX_ORDER = 5;

  private static final Source RULE = Source.rule("PCIe 6.0 7.7.1");

  private final String function;
  private final ConfigAccess at;
  private final boolean wide;
  private final boolean maskable;

  private MsiCapability(String function, ConfigAccess at) {
    this.function = function;
    this.at = at;
    long control = at.read(MsiLayout.CONTROL);
    this.wide = MsiLayout.ADDRESS64.isSet(control);
    this.maskable = MsiLayout.MASKABLE.isSet(control);
  }

  /// {@return the capability whose header lies at an offset}
  ///
  /// @param function the function's name, for messages
  public static MsiCapability at(String function, ConfigSpace config, int offset) {
    return new MsiCapability(function, new ConfigAccess(config, offset));
  }

  /// {@return the offset of its header}
  public int offset() {
    return at.base();
  }

  /// {@return bytes that it takes in configuration space}
  public int bytes() {
    Register last = maskable ? pending() : wide ? MsiLayout.DATA_64 : MsiLayout.DATA_32;
    return (int) last.offset() + last.bytes();
  }

  /// {@return whether the whole capability can be seen}
  public boolean isVisible() {
    return at.sees(MsiLayout.CONTROL) && at.base() + bytes() <= at.config().size();
  }

  @Override
  public Kind kind() {
    return Kind.MSI;
  }

  @Override
  public int size() {
    return 1 << Math.min(MAX_ORDER, (int) at.get(MsiLayout.CONTROL, MsiLayout.MULTIPLE_CAPABLE));
  }

  /// {@return vectors that software has given: a power of two, not above {@link #size}}
  public int granted() {
    return 1 << Math.min(MAX_ORDER, (int) at.get(MsiLayout.CONTROL, MsiLayout.MULTIPLE_ENABLE));
  }

  @Override
  public boolean isMaskable() {
    return maskable;
  }

  @Override
  public boolean is64Bit() {
    return wide;
  }

  @Override
  public long maxData() {
    return at.isSet(MsiLayout.CONTROL, MsiLayout.EXTENDED_CAPABLE) ? 0xffff_ffffL : 0xffffL;
  }

  @Override
  public void write(int index, long address, int data) {
    check(index);
    if (index > 0) {
      follows(index, address, data);
      return;
    }
    fits(address, data);
    long control = at.read(MsiLayout.CONTROL);
    boolean on = MsiLayout.ENABLE.isSet(control);
    if (on) {
      // Every vector shares these registers: no message may leave while they change.
      at.write(MsiLayout.CONTROL, MsiLayout.ENABLE.with(control, 0));
    }
    at.write(MsiLayout.MESSAGE_ADDRESS, MsiLayout.ADDRESS.get(address));
    if (wide) {
      at.write(MsiLayout.UPPER, address >>> Integer.SIZE);
    }
    at.write(dataRegister(), MsiLayout.DATA.max() & data);
    if (MsiLayout.EXTENDED_CAPABLE.isSet(control)) {
      long upper = Integer.toUnsignedLong(data) >>> MsiLayout.DATA.width();
      at.write(wide ? MsiLayout.EXTENDED_DATA_64 : MsiLayout.EXTENDED_DATA_32, upper);
      control = MsiLayout.EXTENDED_ENABLE.with(control, upper == 0 ? 0 : 1);
      at.write(MsiLayout.CONTROL, MsiLayout.ENABLE.with(control, 0));
    }
    if (on) {
      at.write(MsiLayout.CONTROL, control);
    }
  }

  @Override
  public long address(int index) {
    check(index);
    return addressNow();
  }

  @Override
  public int data(int index) {
    check(index);
    return dataNow() & -granted() | index & (granted() - 1);
  }

  @Override
  public void mask(int index, boolean masked) {
    check(index);
    if (!maskable) {
      throw refused(
          "vector %d cannot be masked: the capability has no per-vector masking".formatted(index),
          "mask at the MSI controller, or disable the function's messages");
    }
    long bit = 1L << index;
    long bits = at.read(maskRegister());
    at.write(maskRegister(), masked ? bits | bit : bits & ~bit);
  }

  @Override
  public boolean isMasked(int index) {
    check(index);
    return maskable && (at.read(maskRegister()) >>> index & 1) != 0;
  }

  @Override
  public boolean isPending(int index) {
    check(index);
    return maskable && (at.read(pending()) >>> index & 1) != 0;
  }

  @Override
  public void enable(int count) {
    if (count < 1 || count > size() || Integer.bitCount(count) != 1) {
      throw refused(
          "%d vectors cannot be enabled: it takes a power of two up to %d".formatted(count, size()),
          "ask for " + Integer.highestOneBit(Math.clamp(count, 1, size())));
    }
    ConfigAccess header = ConfigAccess.header(at.config());
    header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.INTERRUPT_DISABLE, 1);
    long control = at.read(MsiLayout.CONTROL);
    control = MsiLayout.MULTIPLE_ENABLE.with(control, Integer.numberOfTrailingZeros(count));
    at.write(MsiLayout.CONTROL, MsiLayout.ENABLE.with(control, 1));
  }

  @Override
  public void disable() {
    at.set(MsiLayout.CONTROL, MsiLayout.ENABLE, 0);
  }

  @Override
  public boolean isEnabled() {
    return at.isSet(MsiLayout.CONTROL, MsiLayout.ENABLE);
  }

  @Override
  public Saved save(int first, int count) {
    List<Register> held = new ArrayList<>();
    held.add(MsiLayout.MESSAGE_ADDRESS);
    if (wide) {
      held.add(MsiLayout.UPPER);
    }
    held.add(dataRegister());
    if (at.isSet(MsiLayout.CONTROL, MsiLayout.EXTENDED_CAPABLE)) {
      held.add(wide ? MsiLayout.EXTENDED_DATA_64 : MsiLayout.EXTENDED_DATA_32);
    }
    if (maskable) {
      held.add(maskRegister());
    }
    List<Long> values = held.stream().map(at::read).toList();
    long control = at.read(MsiLayout.CONTROL);
    ConfigAccess header = ConfigAccess.header(at.config());
    long wiredOff = header.get(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.INTERRUPT_DISABLE);
    return () -> {
      at.set(MsiLayout.CONTROL, MsiLayout.ENABLE, 0);
      for (int i = 0; i < values.size(); i++) {
        at.write(held.get(i), values.get(i));
      }
      header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.INTERRUPT_DISABLE, wiredOff);
      at.write(MsiLayout.CONTROL, control);
    };
  }

  private long addressNow() {
    long low = at.get(MsiLayout.MESSAGE_ADDRESS, MsiLayout.ADDRESS);
    return wide ? low | at.read(MsiLayout.UPPER) << Integer.SIZE : low;
  }

  private int dataNow() {
    long low = at.read(dataRegister());
    if (!at.isSet(MsiLayout.CONTROL, MsiLayout.EXTENDED_ENABLE)) {
      return (int) low;
    }
    return (int)
        (low
            | at.read(wide ? MsiLayout.EXTENDED_DATA_64 : MsiLayout.EXTENDED_DATA_32)
                << MsiLayout.DATA.width());
  }

  private void fits(long address, int data) {
    if (!wide && address >>> Integer.SIZE != 0) {
      throw refused(
          "address 0x%x does not fit: the capability has no 64-bit address".formatted(address),
          "place the MSI window below 4 GiB");
    }
    if ((address & 3) != 0) {
      throw refused(
          "address 0x%x is not a multiple of 4".formatted(address),
          "use a doorbell on a 4-byte boundary");
    }
    if (Integer.toUnsignedLong(data) > maxData()) {
      throw refused(
          "datum 0x%x does not fit: the capability carries at most 0x%x".formatted(data, maxData()),
          "use vectors whose data fit, or another controller");
    }
  }

  private void follows(int index, long address, int data) {
    int first = dataNow();
    if (address != addressNow() || data != (first & -size() | index) && data != first + index) {
      throw refused(
          "vector %d cannot send 0x%x to 0x%x: vector 0 sends 0x%x to 0x%x and the others follow it"
              .formatted(index, data, address, first, addressNow()),
          "allocate contiguous data that start at a multiple of the count");
    }
  }

  private Register dataRegister() {
    return wide ? MsiLayout.DATA_64 : MsiLayout.DATA_32;
  }

  private Register maskRegister() {
    return wide ? MsiLayout.MASK_64 : MsiLayout.MASK_32;
  }

  private Register pending() {
    return wide ? MsiLayout.PENDING_64 : MsiLayout.PENDING_32;
  }

  private void check(int index) {
    if (index < 0 || index >= size()) {
      throw new IndexOutOfBoundsException(
          "%s has %d MSI vectors, asked for %d".formatted(function, size(), index));
    }
  }

  private MessageRefused refused(String message, String advice) {
    return new MessageRefused(function, message, RULE, advice);
  }
}
