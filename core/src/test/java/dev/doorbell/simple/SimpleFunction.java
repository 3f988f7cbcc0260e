package dev.doorbell.simple;

import dev.doorbell.pci.MessageTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A function with MSI or MSI-X registers, behind a simple IOMMU or none. Its messages go the whole way.
public final class SimpleFunction implements MessageTable {
  /// One entry.
  private record Entry(long address, int data, boolean masked) {}

  /// How a function is made.
  ///
  /// @param maskable of MSI
  public record Shape(Kind kind, int size, boolean maskable, boolean wide) {
    public static Shape msix(int size) {
      return new Shape(Kind.MSIX, size, true, true);
    }

    public static Shape msi(int size) {
      return new Shape(Kind.MSI, size, false, true);
    }
  }

  private final String name;
  private final Shape shape;
  private final int stream;
  private final Optional<SimpleIommu> iommu;
  private final List<SimpleMsiController> controllers;
  private final HardwareWrites hw;
  private final Entry[] entries;
  private final boolean[] pending;
  private boolean enabled;
  private int granted = 1;
  private boolean wiredOff;
  private int reads;

  public SimpleFunction(
      String name,
      Shape shape,
      int stream,
      Optional<SimpleIommu> iommu,
      List<SimpleMsiController> controllers,
      HardwareWrites hw) {
    this.name = name;
    this.shape = shape;
    this.stream = stream;
    this.iommu = iommu;
    this.controllers = controllers;
    this.hw = hw;
    this.entries = new Entry[shape.size()];
    this.pending = new boolean[shape.size()];
    for (int i = 0; i < entries.length; i++) {
      // As after a reset: MSI-X entries are masked, MSI ones are not.
      entries[i] = new Entry(0, 0, shape.kind() == Kind.MSIX);
    }
  }

  /// The device raises a vector.
  ///
  /// {@return whether a vector of some controller was raised now; false also when the message waits here}
  public synchronized boolean fire(int index) {
    if (!enabled || shape.kind() == Kind.MSI && index >= granted) {
      return false;
    }
    if (entries[index].masked()) {
      pending[index] = true;
      return false;
    }
    return send(index);
  }

  private boolean send(int index) {
    pending[index] = false;
    return write(address(index), data(index));
  }

  /// The device writes something somewhere, as a hostile one may.
  public boolean write(long address, int data) {
    Optional<Long> pa =
        iommu.isPresent() ? iommu.get().write(stream, address) : Optional.of(address);
    return pa.isPresent() && controllers.stream().anyMatch(c -> c.message(pa.get(), data, stream));
  }

  /// Loses its registers, as on a reset.
  public synchronized void lose() {
    for (int i = 0; i < entries.length; i++) {
      entries[i] = new Entry(0, 0, shape.kind() == Kind.MSIX);
      pending[i] = false;
    }
    enabled = false;
    wiredOff = false;
  }

  /// {@return the registers, to be compared}
  public synchronized List<Object> state() {
    List<Object> out = new ArrayList<>(List.of(entries));
    out.add(enabled);
    out.add(granted);
    out.add(wiredOff);
    return out;
  }

  @Override
  public Kind kind() {
    return shape.kind();
  }

  @Override
  public int size() {
    return shape.size();
  }

  @Override
  public boolean isMaskable() {
    return shape.maskable();
  }

  @Override
  public boolean is64Bit() {
    return shape.wide();
  }

  @Override
  public long maxData() {
    return shape.kind() == Kind.MSI ? 0xffff : 0xffff_ffffL;
  }

  @Override
  public synchronized void write(int index, long address, int data) {
    if (shape.kind() == Kind.MSI && index > 0) {
      throw new IllegalStateException("vector " + index + " has no registers");
    }
    boolean held = shape.kind() == Kind.MSIX && !entries[index].masked();
    if (held) {
      mask(index, true);
    }
    hw.write(name + " address " + index);
    entries[index] = new Entry(address, entries[index].data(), entries[index].masked());
    hw.write(name + " data " + index);
    entries[index] = new Entry(address, data, entries[index].masked());
    if (held) {
      mask(index, false);
    }
  }

  @Override
  public synchronized long address(int index) {
    return entries[shape.kind() == Kind.MSI ? 0 : index].address();
  }

  @Override
  public synchronized int data(int index) {
    return shape.kind() == Kind.MSI ? entries[0].data() + index : entries[index].data();
  }

  @Override
  public synchronized void mask(int index, boolean masked) {
    if (!shape.maskable()) {
      throw new IllegalStateException("cannot mask");
    }
    hw.write(name + (masked ? " mask " : " unmask ") + index);
    entries[index] = new Entry(entries[index].address(), entries[index].data(), masked);
    if (!masked && pending[index] && enabled) {
      send(index);
    }
  }

  @Override
  public synchronized boolean isMasked(int index) {
    return entries[index].masked();
  }

  @Override
  public synchronized boolean isPending(int index) {
    return pending[index];
  }

  @Override
  public synchronized void enable(int count) {
    hw.write(name + " wired off");
    wiredOff = true;
    hw.write(name + " enable " + count);
    granted = count;
    enabled = true;
  }

  @Override
  public synchronized void disable() {
    hw.write(name + " disable");
    enabled = false;
  }

  @Override
  public synchronized boolean isEnabled() {
    reads++;
    return enabled;
  }

  /// {@return how often it was asked whether it is on: an answer comes after the messages sent before}
  public synchronized int reads() {
    return reads;
  }

  @Override
  public synchronized Saved save(int first, int count) {
    Entry[] then = entries.clone();
    boolean on = enabled;
    int g = granted;
    boolean w = wiredOff;
    int from = shape.kind() == Kind.MSI ? 0 : first;
    int to = shape.kind() == Kind.MSI ? entries.length : first + count;
    return () -> {
      synchronized (this) {
        hw.write(name + " restore");
        System.arraycopy(then, from, entries, from, to - from);
        enabled = on;
        granted = g;
        wiredOff = w;
      }
    };
  }
}
