package dev.doorbell.pci;

import java.util.Optional;
import java.util.function.Function;

/// What a look at a function's configuration space showed. A dump of 64 bytes cannot tell whether a capability exists:
/// that is neither yes nor no.
///
/// @param <T> the thing looked for
public sealed interface Seen<T> {
  /// It is there.
  record There<T>(T value) implements Seen<T> {
    @Override
    public <R> Seen<R> flatMap(Function<? super T, Seen<R>> of) {
      return of.apply(value);
    }
  }

  /// Everything where it could lie was seen, and it is not there.
  record NotThere<T>() implements Seen<T> {
    @Override
    public <R> Seen<R> flatMap(Function<? super T, Seen<R>> of) {
      return new NotThere<>();
    }
  }

  /// The part where it would lie was not seen.
  ///
  /// @param why what is missing
  record NotVisible<T>(String why) implements Seen<T> {
    @Override
    public <R> Seen<R> flatMap(Function<? super T, Seen<R>> of) {
      return new NotVisible<>(why);
    }
  }

  /// {@return the thing when it was seen}
  default Optional<T> thing() {
    return this instanceof There<T> there ? Optional.of(there.value()) : Optional.empty();
  }

  default boolean isThere() {
    return this instanceof There<T>;
  }

  default boolean isNotVisible() {
    return this instanceof NotVisible<T>;
  }

  /// {@return the same answer about something made of the thing}
  default <R> Seen<R> map(Function<? super T, ? extends R> of) {
    return flatMap(value -> new There<>(of.apply(value)));
  }

  /// {@return what a second look at the thing showed, or why there was none}
  <R> Seen<R> flatMap(Function<? super T, Seen<R>> of);
}
