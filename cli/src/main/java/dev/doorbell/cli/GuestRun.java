package dev.doorbell.cli;

import dev.doorbell.explain.Refused;
import dev.doorbell.linux.kvm.VcpuExit;
import dev.doorbell.vmm.GuestSession;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.Supplier;

/// A guest from its making to its end, which Ctrl-C brings about, too: whenever that comes, what was taken is given back.
final class GuestRun {
  /// A guest that was made.
  interface Guest extends AutoCloseable {
    /// {@return why it ended}
    VcpuExit run() throws InterruptedException;

    /// Ends {@link #run}, now or when it is called. Called from any thread; without effect after {@link #close}.
    void stop();

    /// Hands it a character. Called from any thread.
    void type(int character);

    @Override
    void close();

    static Guest of(GuestSession session) {
      return new Guest() {
        @Override
        public VcpuExit run() throws InterruptedException {
          return session.run(0);
        }

        @Override
        public void stop() {
          session.stop();
        }

        @Override
        public void type(int character) {
          session.type(character);
        }

        @Override
        public void close() {
          session.close();
        }
      };
    }
  }

  private final Ending ending;
  private final InputStream in;

  /// @param in what is typed
  GuestRun(Ending ending, InputStream in) {
    this.ending = ending;
    this.in = in;
  }

  /// {@return why the guest ended}
  ///
  /// @param open takes the host's function and makes the guest
  VcpuExit run(Supplier<Guest> open) throws InterruptedException {
    // Before the first driver is touched: from now on Ctrl-C undoes.
    ending.takeSignals();
    try (Guest guest = open.get()) {
      daemon(
          "end",
          () -> {
            ending.awaitAsked();
            guest.stop();
          });
      daemon("console", () -> type(guest));
      return guest.run();
    } catch (IllegalStateException e) {
      // What an access of the guest met is told as itself.
      if (e.getCause() instanceof RuntimeException cause && cause instanceof Refused) {
        for (Throwable notGivenBack : e.getSuppressed()) {
          cause.addSuppressed(notGivenBack);
        }
        throw cause;
      }
      throw e;
    }
  }

  private static void daemon(String name, Runnable what) {
    Thread.ofPlatform().daemon().name("guest " + name).start(what);
  }

  /// Hands what is typed to the guest until there is no more.
  private void type(Guest guest) {
    try {
      for (int c = in.read(); c >= 0; c = in.read()) {
        guest.type(c);
      }
    } catch (IOException e) {
      // Whoever typed is gone; the guest goes on without.
      return;
    }
  }
}
