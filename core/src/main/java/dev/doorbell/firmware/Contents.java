package dev.doorbell.firmware;

import java.util.Optional;
import java.util.function.Consumer;

/// What became of reading a file of a sysroot. "Is not there" and "could not be seen" are different answers.
public sealed interface Contents {
  /// The file's bytes.
  record Present(Blob blob) implements Contents {
    @Override
    public Optional<Blob> blob(Consumer<String> unreadable) {
      return Optional.of(blob);
    }
  }

  /// There is no such file.
  record Absent() implements Contents {
    @Override
    public Optional<Blob> blob(Consumer<String> unreadable) {
      return Optional.empty();
    }
  }

  /// There is something, but it could not be read.
  record Unreadable(String why) implements Contents {
    @Override
    public Optional<Blob> blob(Consumer<String> unreadable) {
      unreadable.accept(why);
      return Optional.empty();
    }
  }

  /// {@return the bytes, when they are there}
  ///
  /// @param unreadable told why something that is there could not be read
  Optional<Blob> blob(Consumer<String> unreadable);

  Contents ABSENT = new Absent();
}
