package dev.doorbell.linux.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.doorbell.linux.Descriptor;
import dev.doorbell.linux.Errno;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.Kernel;
import dev.doorbell.linux.KernelConstants;
import dev.doorbell.linux.Struct.Member;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/// A virtual processor. One thread runs it, usually {@link VcpuThread}; only {@link #stop} may be called from others meanwhile.
///
/// **Source**: Linux `Documentation/virt/kvm/api.rst` sections 4.10 (`KVM_RUN`) and 5
public final class KvmVcpu implements AutoCloseable {
  private static final VarHandle BYTE = JAVA_BYTE.varHandle();

  private final int id;
  private final Descriptor descriptor;
  private final Arena arena;
  private final MemorySegment run;
  private final VcpuKick kick;

  /// Where the answer to a read goes.
  private MemorySegment answer = MemorySegment.NULL;

  private KvmVcpu(int id, Descriptor descriptor, Arena arena, MemorySegment run) {
    this.id = id;
    this.descriptor = descriptor;
    this.arena = arena;
    this.run = run;
    this.kick = new VcpuKick(descriptor);
  }

  /// Takes a descriptor over.
  ///
  /// @param shared bytes of the page that the kernel shares
  // The arena is closed here when something fails, and else by close().
  @SuppressWarnings("MustBeClosedChecker")
  static KvmVcpu of(int id, Descriptor descriptor, long shared) {
    Arena arena = Arena.ofShared();
    try {
      MemorySegment run =
          descriptor
              .kernel()
              .map(
                  arena,
                  shared,
                  KernelConstants.MAP_SHARED,
                  descriptor.number(),
                  descriptor.name());
      return new KvmVcpu(id, descriptor, arena, run);
    } catch (RuntimeException | Error e) {
      arena.close();
      descriptor.close();
      throw e;
    }
  }

  public int id() {
    return id;
  }

  Descriptor descriptor() {
    return descriptor;
  }

  /// Makes the calling thread the one that {@link #stop} can bring back out of the kernel, until it ends.
  void claimThread() {
    kick.claim();
  }

  void leaveThread() {
    kick.leave();
  }

  /// {@return why the guest came back, having run until then}
  ///
  /// @throws ErrnoException when the kernel does not run it, such as one that was not set up
  public VcpuExit run() {
    while (true) {
      int fd = descriptor.acquire();
      int result;
      try {
        result =
            descriptor.kernel().calls().ioctl(fd, KvmLayout.KVM_RUN.number(), MemorySegment.NULL);
      } finally {
        descriptor.release();
      }
      boolean interrupted = Kernel.isInterrupted(result) || result == -Errno.EAGAIN.number();
      if (interrupted && isStopped()) {
        return new VcpuExit.Stopped();
      }
      if (result >= 0) {
        return exit();
      }
      if (!interrupted) {
        Errno e = Errno.in(result);
        throw new ErrnoException("KVM_RUN", descriptor.name(), e, KvmRefused.run(e));
      }
    }
  }

  private VcpuExit exit() {
    int reason = KvmRunLayout.EXIT_REASON.getInt(run);
    return switch (reason) {
      case KvmRunLayout.EXIT_IO -> io();
      case KvmRunLayout.EXIT_HLT -> new VcpuExit.Hlt();
      case KvmRunLayout.EXIT_MMIO -> mmio();
      case KvmRunLayout.EXIT_SHUTDOWN -> new VcpuExit.Shutdown();
      case KvmRunLayout.EXIT_FAIL_ENTRY ->
          new VcpuExit.FailEntry(KvmRunLayout.FAIL_ENTRY_REASON.get(run));
      case KvmRunLayout.EXIT_INTERNAL_ERROR -> internal();
      case KvmRunLayout.EXIT_SYSTEM_EVENT ->
          new VcpuExit.SystemEvent(kind(KvmRunLayout.SYSTEM_EVENT_TYPE.getInt(run)));
      case KvmRunLayout.EXIT_ARM_NISV ->
          new VcpuExit.NoSyndrome(KvmRunLayout.NISV_ADDRESS.get(run));
      default -> new VcpuExit.Other(reason);
    };
  }

  private static VcpuExit.SystemEvent.Kind kind(int type) {
    return switch (type) {
      case KvmRunLayout.SYSTEM_EVENT_SHUTDOWN -> VcpuExit.SystemEvent.Kind.SHUTDOWN;
      case KvmRunLayout.SYSTEM_EVENT_RESET -> VcpuExit.SystemEvent.Kind.RESET;
      case KvmRunLayout.SYSTEM_EVENT_CRASH -> VcpuExit.SystemEvent.Kind.CRASH;
      default -> VcpuExit.SystemEvent.Kind.OTHER;
    };
  }

  private VcpuExit mmio() {
    int bytes = KvmRunLayout.MMIO_LEN.getInt(run);
    boolean write = KvmRunLayout.MMIO_IS_WRITE.get(run) != 0;
    answer = run.asSlice(KvmRunLayout.MMIO_DATA.offset(), bytes);
    return new VcpuExit.Mmio(
        KvmRunLayout.MMIO_ADDRESS.get(run), bytes, write, write ? load(answer) : 0);
  }

  private VcpuExit io() {
    int bytes = KvmRunLayout.IO_SIZE.getInt(run);
    boolean write = KvmRunLayout.IO_DIRECTION.getInt(run) == KvmRunLayout.IO_OUT;
    answer = run.asSlice(KvmRunLayout.IO_DATA_OFFSET.get(run), bytes);
    return new VcpuExit.Io(
        KvmRunLayout.IO_PORT.getInt(run),
        bytes,
        write,
        KvmRunLayout.IO_COUNT.getInt(run),
        write ? load(answer) : 0);
  }

  private VcpuExit internal() {
    int n = Math.min(KvmRunLayout.INTERNAL_NDATA.getInt(run), KvmRunLayout.MOST_INTERNAL_DATA);
    List<Long> data = new ArrayList<>();
    Member d = KvmRunLayout.INTERNAL_DATA;
    for (int i = 0; i < n; i++) {
      data.add(run.get(JAVA_LONG, d.offset() + (long) i * Long.BYTES));
    }
    return new VcpuExit.KvmInternalError(KvmRunLayout.INTERNAL_SUBERROR.getInt(run), data);
  }

  /// The hosts that KVM is driven on are little-endian, and so is what it hands over.
  private static long load(MemorySegment from) {
    long value = 0;
    for (long i = from.byteSize() - 1; i >= 0; i--) {
      value = value << Byte.SIZE | Byte.toUnsignedLong(from.get(JAVA_BYTE, i));
    }
    return value;
  }

  /// Answers the read that it came back with; of a string instruction, its first element.
  ///
  /// @param value its low bytes count, as many as were asked for
  public void answer(long value) {
    for (long i = 0; i < answer.byteSize(); i++) {
      answer.set(JAVA_BYTE, i, (byte) (value >>> i * Byte.SIZE));
    }
  }

  /// Ends {@link #run}, now or when it is called next, with {@link VcpuExit.Stopped}. What the guest had begun is completed first. A thread
  /// that waits in the kernel for the guest (`HLT`, `WFI`) comes back when it is a {@link VcpuThread}. Called from any thread; without effect once it is closed.
  public void stop() {
    kick.kick(() -> BYTE.setVolatile(run, KvmRunLayout.IMMEDIATE_EXIT.offset(), (byte) 1));
  }

  /// Lets it run again after {@link #stop}.
  public void resume() {
    BYTE.setVolatile(run, KvmRunLayout.IMMEDIATE_EXIT.offset(), (byte) 0);
  }

  private boolean isStopped() {
    return (byte) BYTE.getVolatile(run, KvmRunLayout.IMMEDIATE_EXIT.offset()) != 0;
  }

  /// Gives it back. Its thread must have ended.
  @Override
  public void close() {
    if (kick.end()) {
      arena.close();
      descriptor.close();
    }
  }
}
