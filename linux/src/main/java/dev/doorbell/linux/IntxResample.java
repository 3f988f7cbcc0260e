package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.doorbell.explain.Source;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NoSuchIrqs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Lets a function's INTx through again whenever an eventfd is signalled, inside the kernel. INTx is level-triggered: the kernel masks it when
/// it signals its trigger, and signals again only once it was let through and the function still asserts it.
///
/// With a guest, {@link dev.doorbell.linux.kvm.KvmVm#connectLevel} takes INTx's trigger and the same eventfd, which it signals when the guest
/// has handled the interrupt: then no code of this process runs for it. There is no such thing for masking, nor for MSI and MSI-X, which are
/// edges: the kernel has no requests for it.
///
/// **Source**: Linux `include/uapi/linux/vfio.h`, `VFIO_IRQ_SET_ACTION_UNMASK` with `VFIO_IRQ_SET_DATA_EVENTFD`; `drivers/vfio/pci/vfio_pci_intrs.c`
public final class IntxResample implements AutoCloseable {
  private static final int NONE = -1;

  private final LinuxDevice device;
  private boolean ended;

  private IntxResample(LinuxDevice device) {
    this.device = device;
  }

  /// Begins it, for INTx that is enabled. It ends by itself when INTx is disabled.
  ///
  /// @param handled signalled by whoever has handled the interrupt; stays the caller's
  /// @throws NoSuchIrqs when the function has no INTx
  /// @throws ErrnoException with EINVAL when INTx is not enabled, EBUSY when an eventfd lets it through already
  public static IntxResample of(LinuxDevice device, EventFd handled) {
    boolean none = device.irqs().get(IrqType.INTX.ordinal()).count() == 0;
    if (none) {
      throw new NoSuchIrqs(
          device.function(), IrqType.INTX, Source.rule("Linux VFIO_DEVICE_GET_IRQ_INFO"));
    }
    int fd = handled.descriptor().acquire();
    try {
      check(device, trySet(device, fd));
    } finally {
      handled.descriptor().release();
    }
    return new IntxResample(device);
  }

  private static int trySet(LinuxDevice device, int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = VfioLayout.IRQ_SET.allocate(arena, Integer.BYTES);
      VfioLayout.IRQ_SET_ARGSZ.set(s, s.byteSize());
      VfioLayout.IRQ_SET_FLAGS.set(s, VfioLayout.SET_DATA_EVENTFD | VfioLayout.SET_ACTION_UNMASK);
      VfioLayout.IRQ_SET_INDEX.set(s, IrqType.INTX.ordinal());
      VfioLayout.IRQ_SET_COUNT.set(s, 1);
      s.set(JAVA_INT, VfioLayout.IRQ_SET_DATA.offset(), fd);
      return device.descriptor().tryIoctl(VfioLayout.VFIO_DEVICE_SET_IRQS, s);
    }
  }

  private static void check(LinuxDevice device, int answer) {
    if (answer < 0) {
      Errno e = Errno.in(answer);
      throw new ErrnoException(
          VfioLayout.VFIO_DEVICE_SET_IRQS.name(), device.function().toString(), e, because(e));
    }
  }

  private static Because because(Errno e) {
    return switch (e.name()) {
      case "EINVAL" -> new Because("INTx of the function is not enabled", "enable it first");
      case "EBUSY" -> new Because("an eventfd lets it through already", "end that one first");
      default -> Because.general(e);
    };
  }

  /// Ends it. Where INTx was disabled, or the function closed, the kernel has ended it.
  @Override
  public void close() {
    if (!ended && device.descriptor().isOpen()) {
      int answer = trySet(device, NONE);
      if (answer != -Errno.EINVAL.number()) {
        check(device, answer);
      }
    }
    ended = true;
  }
}
