package dev.doorbell.bench;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// What a declared field costs against a literal mask and shift: C2 is expected to fold both to the same code.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class FieldBenchmark {
  private static final Layout LAYOUT = Layout.lsb0("word", 8);
  private static final Field CONFIG = LAYOUT.bits("Config", 3, 1);
  private static final Field POINTER = LAYOUT.address("Pointer", 55, 6);

  private long word = 0x0000_1234_5678_9a4bL;

  /// {@return two declared fields of the word, taken apart}
  @Benchmark
  public long declared() {
    return CONFIG.get(word) + POINTER.get(word);
  }

  /// {@return the same two fields by hand}
  @Benchmark
  public long literal() {
    return ((word >>> 1) & 0x7) + (word & 0x00ff_ffff_ffff_ffc0L);
  }
}
