package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.vfio.EnabledVectors;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.Trigger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// A function's enabled vectors, each with an eventfd that the kernel signals. Guarded by the device's lock.
final class LinuxVectors implements EnabledVectors {
  private static final int NONE = -1;

  private final LinuxDevice device;
  private final IrqType type;
  private final boolean maskable;
  private final TreeMap<Integer, LinuxVector> live = new TreeMap<>();

  private LinuxVectors(LinuxDevice device, IrqType type, boolean maskable) {
    this.device = device;
    this.type = type;
    this.maskable = maskable;
  }

  /// Enables vectors from 0 up, one for each trigger or as many as the kernel has.
  ///
  /// @param maskable whether the kernel masks these itself
  static LinuxVectors enable(
      LinuxDevice device,
      IrqType type,
      boolean maskable,
      int min,
      List<? extends Trigger> triggers) {
    LinuxVectors v = new LinuxVectors(device, type, maskable);
    try {
      for (int i = 0; i < triggers.size(); i++) {
        v.live.put(i, v.vector(i, triggers.get(i)));
      }
      v.enableAll(min);
    } catch (RuntimeException | Error e) {
      v.live.values().forEach(LinuxVector::close);
      throw e;
    }
    return v;
  }

  private LinuxVector vector(int number, Trigger trigger) {
    return LinuxVector.of(
        device.vfio(), "%s vector %d".formatted(device.function(), number), trigger);
  }

  /// Where the kernel has fewer vectors it enables none: an interrupt controller that is short answers how many there are, processors that are
  /// short answer ENOSPC alone.
  private void enableAll(int min) {
    int wanted = live.size();
    for (int answer = tryFirst(wanted); answer != 0; answer = tryFirst(wanted)) {
      int available = answer > 0 ? answer : mostBelow(wanted);
      if (available < min) {
        throw new VectorsExhausted(
            new MsiSource(device.function().toString(), device.function().requesterId()),
            "the kernel's MSI controller",
            min,
            available,
            Source.rule("Linux VFIO_DEVICE_SET_IRQS"));
      }
      wanted = available;
    }
    SortedMap<Integer, LinuxVector> none = live.tailMap(wanted, true);
    none.values().forEach(LinuxVector::close);
    none.clear();
  }

  /// {@return how many vectors the kernel has for the function where so many are too many: it does not say, so that some are enabled and taken
  /// back until that is known}
  private int mostBelow(int refused) {
    int most = 0;
    int least = refused;
    while (least - most > 1) {
      int n = (most + least) >>> 1;
      int answer = tryFirst(n);
      if (answer == 0) {
        most = n;
        takeBack();
      } else {
        least = answer > 0 ? answer + 1 : n;
      }
    }
    return most;
  }

  /// {@return 0 when the first vectors are enabled; else how many can be, or ENOSPC, negated}
  private int tryFirst(int count) {
    List<Integer> fds = live.headMap(count).values().stream().map(LinuxVector::fd).toList();
    int answer = trySet(VfioLayout.SET_DATA_EVENTFD, VfioLayout.SET_ACTION_TRIGGER, 0, fds);
    if (answer < 0 && answer != -Errno.ENOSPC.number()) {
      Errno e = Errno.in(answer);
      throw new ErrnoException(
          VfioLayout.VFIO_DEVICE_SET_IRQS.name(), device.function().toString(), e, because(e));
    }
    return answer;
  }

  private static Because because(Errno e) {
    return switch (e.name()) {
      case "EMFILE", "ENFILE" -> Because.general(e);
      case "EINVAL" ->
          new Because(
              "other vectors of the function are enabled, or these cannot be changed one by one",
              "disable the function's vectors first");
      case "ENODEV", "ENXIO", "EIO" ->
          new Because(
              "the function is gone, or answers no more",
              "close it; `dmesg` says who took it away (hot-unplug, an error, power management)");
      default -> Because.general(e);
    };
  }

  @Override
  public IrqType type() {
    return type;
  }

  @Override
  public int count() {
    return live.size();
  }

  @Override
  public boolean has(int vector) {
    return live.containsKey(vector);
  }

  @Override
  public Optional<Trigger> trigger(int vector) {
    return Optional.ofNullable(live.get(vector)).map(LinuxVector::trigger);
  }

  /// What arrived and was not taken yet is gone.
  @Override
  public void release() {
    takeBack();
    close();
  }

  private void takeBack() {
    set(VfioLayout.SET_DATA_NONE, VfioLayout.SET_ACTION_TRIGGER, 0, List.of());
  }

  /// Lets go of the eventfds alone, as where the kernel has taken the vectors back with the device.
  @Override
  public void close() {
    live.values().forEach(LinuxVector::close);
    live.clear();
  }

  /// What arrived for the trigger before goes to the new one.
  @Override
  public void lead(int number, Trigger trigger) {
    LinuxVector next = vector(number, trigger);
    try {
      set(VfioLayout.SET_DATA_EVENTFD, VfioLayout.SET_ACTION_TRIGGER, number, List.of(next.fd()));
    } catch (RuntimeException | Error e) {
      next.close();
      throw e;
    }
    LinuxVector before = live.put(number, next);
    if (before != null) {
      before.moveTo(next);
    }
  }

  @Override
  public void add(int number, Trigger trigger) {
    lead(number, trigger);
  }

  @Override
  public void remove(int number) {
    LinuxVector v = at(number);
    set(VfioLayout.SET_DATA_EVENTFD, VfioLayout.SET_ACTION_TRIGGER, number, List.of(NONE));
    live.remove(number);
    v.close();
  }

  @Override
  public void mask(int number, boolean masked) {
    LinuxVector v = at(number);
    if (maskable) {
      int action = masked ? VfioLayout.SET_ACTION_MASK : VfioLayout.SET_ACTION_UNMASK;
      setCount(action, number);
    } else {
      v.hold(
          masked,
          fd ->
              set(VfioLayout.SET_DATA_EVENTFD, VfioLayout.SET_ACTION_TRIGGER, number, List.of(fd)));
    }
  }

  @Override
  public void loopback(int number) {
    at(number);
    setCount(VfioLayout.SET_ACTION_TRIGGER, number);
  }

  private LinuxVector at(int number) {
    LinuxVector v = live.get(number);
    if (v == null) {
      throw new IllegalArgumentException(
          "%s has no vector %d enabled".formatted(device.function(), number));
    }
    return v;
  }

  private void set(int data, int action, int start, List<Integer> fds) {
    int answer = trySet(data, action, start, fds);
    if (answer < 0) {
      Errno e = Errno.in(answer);
      throw new ErrnoException(
          VfioLayout.VFIO_DEVICE_SET_IRQS.name(), device.function().toString(), e, because(e));
    }
  }

  private void setCount(int action, int start) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = VfioLayout.IRQ_SET.allocate(arena);
      fill(s, VfioLayout.SET_DATA_NONE | action, start, 1);
      device.descriptor().ioctl(VfioLayout.VFIO_DEVICE_SET_IRQS, s, LinuxVectors::because);
    }
  }

  private int trySet(int data, int action, int start, List<Integer> fds) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = VfioLayout.IRQ_SET.allocate(arena, (long) fds.size() * Integer.BYTES);
      fill(s, data | action, start, fds.size());
      for (int i = 0; i < fds.size(); i++) {
        s.set(JAVA_INT, VfioLayout.IRQ_SET_DATA.offset() + (long) i * Integer.BYTES, fds.get(i));
      }
      return device.descriptor().tryIoctl(VfioLayout.VFIO_DEVICE_SET_IRQS, s);
    }
  }

  private void fill(MemorySegment s, int flags, int start, int count) {
    VfioLayout.IRQ_SET_ARGSZ.set(s, s.byteSize());
    VfioLayout.IRQ_SET_FLAGS.set(s, flags);
    VfioLayout.IRQ_SET_INDEX.set(s, type.ordinal());
    VfioLayout.IRQ_SET_START.set(s, start);
    VfioLayout.IRQ_SET_COUNT.set(s, count);
  }
}
