package dev.doorbell.cli;

import dev.doorbell.explain.FileTrouble;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/// Standard output that remembers why it could not be written: a `PrintWriter` keeps only that it could not.
///
/// A reader that has seen enough (`doorbell inspect | head`) is no failure.
final class Sink extends OutputStream {
  private final OutputStream to;
  private @Nullable String why;

  Sink(OutputStream to) {
    this.to = to;
  }

  /// {@return whether something that was meant to be read is lost}
  boolean failed() {
    return why != null;
  }

  String why() {
    return why == null ? "" : why;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int from, int count) throws IOException {
    try {
      to.write(bytes, from, count);
    } catch (IOException e) {
      String message = FileTrouble.of(e);
      if (!message.contains("Broken pipe")) {
        why = message;
      }
      throw e;
    }
  }

  @Override
  public void flush() throws IOException {
    to.flush();
  }
}
