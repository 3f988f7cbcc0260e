package dev.doorbell.linux;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// What a test holds of the running kernel, to be the same before and after: open files, mappings of files, and the process's own memory that
/// was mapped through a {@link FakeKernel}, by address.
public final class Held {
  /// Bytes, by address.
  private static final Map<Long, Long> MAPPED = new ConcurrentHashMap<>();

  private Held() {}

  /// {@return how many there are of each kind}
  public static Map<String, Integer> now() {
    Map<String, Integer> all = OpenFiles.held();
    all.put("mapped memory of the process", MAPPED.size());
    return all;
  }

  /// A call has been answered.
  static void note(String call, Object[] arguments, Object answer) {
    if (call.equals("mmap") && (long) answer > 0) {
      MAPPED.put((long) answer, (long) arguments[0]);
    } else if (call.equals("munmap")) {
      MemorySegment gone = (MemorySegment) arguments[0];
      if (!MAPPED.remove(gone.address(), gone.byteSize())) {
        throw new IllegalStateException("what is unmapped was not mapped so: " + gone);
      }
    }
  }
}
