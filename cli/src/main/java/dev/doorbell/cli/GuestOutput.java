package dev.doorbell.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Where a guest's console prints: bytes as the guest writes them, each at once, so that a prompt without an end of line is seen. Safe for use
/// from many threads.
final class GuestOutput {
  private final OutputStream out;
  private volatile @Nullable IOException failure;

  /// @param out is flushed after each byte
  GuestOutput(OutputStream out) {
    this.out = out;
  }

  /// Prints a byte. After the first one that cannot be written nothing more is: the guest goes on without.
  ///
  /// @param character 0 to 255
  void print(int character) {
    if (failure != null) {
      return;
    }
    try {
      out.write(character);
      out.flush();
    } catch (IOException e) {
      failure = e;
    }
  }

  /// {@return why something could not be written}
  Optional<IOException> failure() {
    return Optional.ofNullable(failure);
  }
}
