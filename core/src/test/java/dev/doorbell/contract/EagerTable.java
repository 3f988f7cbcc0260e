package dev.doorbell.contract;

import dev.doorbell.pci.MessageTable;
import java.util.function.IntConsumer;

/// The registers of a function that interrupts as soon as it is let: with every vector the moment messages are turned on, and with one
/// the moment it is unmasked. What is programmed before its doorbell is mapped is lost then.
record EagerTable(MessageTable real, IntConsumer raise) implements MessageTable {
  @Override
  public Kind kind() {
    return real.kind();
  }

  @Override
  public int size() {
    return real.size();
  }

  @Override
  public boolean isMaskable() {
    return real.isMaskable();
  }

  @Override
  public boolean is64Bit() {
    return real.is64Bit();
  }

  @Override
  public long maxData() {
    return real.maxData();
  }

  @Override
  public void write(int index, long address, int data) {
    real.write(index, address, data);
  }

  @Override
  public long address(int index) {
    return real.address(index);
  }

  @Override
  public int data(int index) {
    return real.data(index);
  }

  @Override
  public void mask(int index, boolean masked) {
    real.mask(index, masked);
    if (!masked && real.isEnabled()) {
      raise.accept(index);
    }
  }

  @Override
  public boolean isMasked(int index) {
    return real.isMasked(index);
  }

  @Override
  public boolean isPending(int index) {
    return real.isPending(index);
  }

  @Override
  public void enable(int count) {
    real.enable(count);
    int all = real.kind() == Kind.MSI ? count : real.size();
    for (int i = 0; i < all; i++) {
      if (!real.isMaskable() || !real.isMasked(i)) {
        raise.accept(i);
      }
    }
  }

  @Override
  public void disable() {
    real.disable();
  }

  @Override
  public boolean isEnabled() {
    return real.isEnabled();
  }

  @Override
  public Saved save(int first, int count) {
    return real.save(first, count);
  }
}
