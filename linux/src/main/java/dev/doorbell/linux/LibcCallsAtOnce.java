package dev.doorbell.linux;

import static dev.doorbell.linux.LibcLinker.atOnce;
import static dev.doorbell.linux.LibcLinker.variadicAtOnce;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The calls of the C library that return at once, without the thread's change into native code and back, which costs more than some of them;
/// and where every call's errno is found.
abstract sealed class LibcCallsAtOnce implements SystemCalls permits LibcCalls {
  private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
  private static final long ERRNO_OFFSET =
      STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

  /// Where the linker leaves errno; one a thread, freed with it.
  private static final ThreadLocal<MemorySegment> ERRNO =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

  private static final MethodHandle IOCTL =
      variadicAtOnce("ioctl", JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
  private static final MethodHandle READ = atOnce("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle WRITE =
      atOnce("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);

  static MemorySegment state() {
    return ERRNO.get();
  }

  static int answer(int result, MemorySegment state) {
    return result < 0 ? -state.get(JAVA_INT, ERRNO_OFFSET) : result;
  }

  static long answer(long result, MemorySegment state) {
    return result < 0 ? -state.get(JAVA_INT, ERRNO_OFFSET) : result;
  }

  /// A method handle declares every throwable. A downcall throws for wrong use of memory (a closed arena), and that passes through.
  static RuntimeException broken(String call, Throwable cause) {
    if (cause instanceof Error e) {
      throw e;
    }
    return cause instanceof RuntimeException r
        ? r
        : new IllegalStateException("the call of " + call + " is declared wrong", cause);
  }

  @Override
  public int ioctlAtOnce(int fd, int request, MemorySegment argument) {
    try {
      MemorySegment s = state();
      return answer((int) IOCTL.invokeExact(s, fd, Integer.toUnsignedLong(request), argument), s);
    } catch (Throwable t) {
      throw broken("ioctl", t);
    }
  }

  @Override
  public long readAtOnce(int fd, MemorySegment into) {
    try {
      MemorySegment s = state();
      return answer((long) READ.invokeExact(s, fd, into, into.byteSize()), s);
    } catch (Throwable t) {
      throw broken("read", t);
    }
  }

  @Override
  public long writeAtOnce(int fd, MemorySegment from) {
    try {
      MemorySegment s = state();
      return answer((long) WRITE.invokeExact(s, fd, from, from.byteSize()), s);
    } catch (Throwable t) {
      throw broken("write", t);
    }
  }
}
