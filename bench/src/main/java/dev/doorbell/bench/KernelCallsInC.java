package dev.doorbell.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// The loops of {@link KernelCallsBenchmark} in C, compiled by this system's gcc. Gone with {@link #close}.
final class KernelCallsInC implements AutoCloseable {
  private static final String SOURCE = "kernel-calls.c";

  private final Path folder;

  private KernelCallsInC(Path folder) {
    this.folder = folder;
  }

  /// {@return the compiled loops; empty where there is no gcc, or it fails}
  static Optional<KernelCallsInC> compile() {
    Path folder;
    try {
      folder = Files.createTempDirectory("doorbell-bench");
    } catch (IOException e) {
      throw new UncheckedIOException("no temporary folder for the loops in C", e);
    }
    KernelCallsInC c = new KernelCallsInC(folder);
    try (InputStream source = KernelCallsInC.class.getResourceAsStream(SOURCE)) {
      if (source == null) {
        throw new IllegalStateException(SOURCE + " is not beside its class");
      }
      Files.write(folder.resolve(SOURCE), source.readAllBytes());
      if (c.run(List.of("gcc", "-O2", "-pthread", "-o", "loops", SOURCE)).isPresent()) {
        return Optional.of(c);
      }
    } catch (IOException e) {
      c.close();
      throw new UncheckedIOException("the loops in C cannot be written", e);
    }
    c.close();
    return Optional.empty();
  }

  /// {@return nanoseconds an operation; empty where the kernel refuses it}
  ///
  /// @param work a method of {@link KernelCallsBenchmark}
  /// @param group the number of the group whose memory is mapped, where the work maps some
  OptionalDouble nanoseconds(String work, int milliseconds, int group) {
    return run(List.of("./loops", work, Integer.toString(milliseconds), Integer.toString(group)))
        .map(t -> OptionalDouble.of(Double.parseDouble(t.strip())))
        .orElse(OptionalDouble.empty());
  }

  /// {@return what a program prints; empty when it is not there or fails}
  private Optional<String> run(List<String> command) {
    try {
      Process p =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return p.waitFor() == 0 ? Optional.of(out) : Optional.empty();
    } catch (IOException e) {
      // There is no such program here.
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    try {
      for (String name : List.of("loops", SOURCE)) {
        Files.deleteIfExists(folder.resolve(name));
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(folder + " cannot be removed", e);
    }
  }
}
