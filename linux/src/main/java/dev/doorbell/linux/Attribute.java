package dev.doorbell.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A file of sysfs that acts when it is written.
///
/// @param path in full
/// @param why says why the kernel refuses, where more is known than the errno's general meaning
record Attribute(Kernel kernel, String path, Because.Teller why) {
  /// Writes a line, in one call.
  ///
  /// @throws ErrnoException when the kernel refuses
  void write(String line) {
    try (Arena arena = Arena.ofConfined();
        Descriptor d = kernel.open(path, KernelConstants.O_WRONLY, why)) {
      MemorySegment m = arena.allocateFrom(ValueLayout.JAVA_BYTE, (line + "\n").getBytes(UTF_8));
      long answer = d.tryWrite(m);
      if (answer < 0) {
        Errno e = Errno.in(answer);
        throw new ErrnoException("write of '%s'".formatted(line), path, e, why.of(e));
      }
    }
  }
}
