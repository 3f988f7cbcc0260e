package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.explain.Source;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Physical address space of the embedded machine: RAM and the register windows of its devices. Devices may be added at any time;
/// accesses take no lock and allocate nothing on writes.
final class SystemMap implements SystemBus {
  private static final int RECENT = 32;
  private static final int FRAME_BITS = 16;

  private final Ram ram;
  private volatile Window[] windows = {};
  // The windows that were written to last, by 64 KiB of where; each is asked whether it has the
  // place.
  private final @Nullable Window[] recent = new Window[RECENT];

  SystemMap(Ram ram) {
    this.ram = ram;
  }

  /// @param alone whether no RAM lies there as well, which would go first
  private record Window(long start, long last, boolean alone, String name, MmioDevice device) {
    boolean has(long pa, int bytes) {
      return Long.compareUnsigned(pa, start) >= 0
          && Long.compareUnsigned(pa, last) <= 0
          && Long.compareUnsigned(pa + bytes - 1, last) <= 0;
    }
  }

  /// Puts a device's registers at a place.
  ///
  /// @throws UnusableDescription when another device is there, as in what damaged tables describe
  synchronized void add(String name, AddressRange range, MmioDevice device) {
    for (Window w : windows) {
      if (new AddressRange(w.start, w.last).overlaps(range)) {
        throw new UnusableDescription(
            name,
            "its registers at %s meet those of %s at [0x%x, 0x%x]"
                .formatted(range, w.name, w.start, w.last),
            Source.rule("physical address space of the machine"));
      }
    }
    Window[] more = Arrays.copyOf(windows, windows.length + 1);
    more[windows.length] = new Window(range.start(), range.last(), !ram.meets(range), name, device);
    Arrays.sort(more, (a, b) -> Long.compareUnsigned(a.start, b.start));
    windows = more;
  }

  /// {@return what is there already, if something is}
  Optional<String> occupant(AddressRange range) {
    return List.of(windows).stream()
        .filter(w -> new AddressRange(w.start, w.last).overlaps(range))
        .map(Window::name)
        .findFirst();
  }

  /// {@return whether neither memory nor a device is there}
  boolean isFree(AddressRange range) {
    return occupant(range).isEmpty() && !ram.meets(range);
  }

  @Override
  public BusOutcome write(long pa, long value, int bytes, int requester) {
    int place = (int) (pa >>> FRAME_BITS) & RECENT - 1;
    Window w = recent[place];
    if (w == null || !w.has(pa, bytes)) {
      if (ram.holds(pa, bytes)) {
        ram.write(pa, value, bytes);
        return BusOutcome.OK;
      }
      w = find(pa, bytes);
      if (w == null) {
        return BusOutcome.ERROR;
      }
      if (w.alone) {
        recent[place] = w;
      }
    }
    return w.device.write(pa - w.start, value, bytes, requester);
  }

  @Override
  public BusRead read(long pa, int bytes) {
    if (ram.holds(pa, bytes)) {
      return BusRead.ok(ram.read(pa, bytes));
    }
    Window w = find(pa, bytes);
    return w == null ? BusRead.error(bytes) : w.device.read(pa - w.start, bytes);
  }

  /// {@return a CPU's view of a window}
  RegisterBus registers(AddressRange range) {
    return new CpuWindow(range);
  }

  private @Nullable Window find(long pa, int bytes) {
    Window[] all = windows;
    for (int low = 0, high = all.length - 1; low <= high; ) {
      int mid = (low + high) >>> 1;
      Window w = all[mid];
      if (Long.compareUnsigned(pa, w.start) < 0) {
        high = mid - 1;
      } else if (Long.compareUnsigned(pa, w.last) > 0) {
        low = mid + 1;
      } else {
        return Long.compareUnsigned(pa + bytes - 1, w.last) <= 0 ? w : null;
      }
    }
    return null;
  }

  private final class CpuWindow implements RegisterBus {
    private final AddressRange range;

    CpuWindow(AddressRange range) {
      this.range = range;
    }

    @Override
    public long read(long offset, int bytes) {
      BusRead read = SystemMap.this.read(check("read", offset, bytes), bytes);
      if (read.outcome() == BusOutcome.ERROR) {
        throw new BusErrorException("read", range.start() + offset, bytes);
      }
      return read.value();
    }

    @Override
    public void write(long offset, long value, int bytes) {
      if (SystemMap.this.write(check("write", offset, bytes), value, bytes, CPU)
          == BusOutcome.ERROR) {
        throw new BusErrorException("write", range.start() + offset, bytes);
      }
    }

    private long check(String operation, long offset, int bytes) {
      if (offset < 0 || offset > range.last() - range.start() - (bytes - 1)) {
        throw new BusErrorException(
            operation + " outside window " + range, range.start() + offset, bytes);
      }
      return range.start() + offset;
    }
  }
}
