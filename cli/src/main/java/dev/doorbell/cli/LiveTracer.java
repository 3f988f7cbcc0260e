package dev.doorbell.cli;

import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LiveHop;
import dev.doorbell.linux.LiveTrace;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.NoSuchFunction;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// `trace --on linux`: where a vector of this host stops, by what its kernel shows and what moves meanwhile.
final class LiveTracer {
  private static final int USUAL_SECONDS = 2;

  private final Console console;
  private final LinuxOptions options;
  private final Ending ending;
  private final Wanted wanted;

  /// What the user asks.
  ///
  /// @param watch whether it goes on until the user ends it
  /// @param seconds how long; null for 2, or with `watch` for ever
  record Wanted(
      String function, int vector, boolean watch, @Nullable Integer seconds, boolean json) {}

  LiveTracer(Console console, LinuxOptions options, Ending ending, Wanted wanted) {
    this.console = console;
    this.options = options;
    this.ending = ending;
    this.wanted = wanted;
  }

  int call() {
    Integer seconds = wanted.seconds();
    if (seconds != null && seconds < 1) {
      throw new UnusableInput(
          "BadArguments", "--for %d is not 1 or more".formatted(seconds), "give 1 or more");
    }
    Sbdf function = Functions.one(wanted.function());
    ending.takeSignals();
    if (seconds != null) {
      ending.askAfter(Duration.ofSeconds(seconds));
    } else if (!wanted.watch()) {
      ending.askAfter(Duration.ofSeconds(USUAL_SECONDS));
    }
    try {
      LiveTrace last =
          wanted.watch() && !wanted.json() ? again(function) : once(function, ending::awaitAsked);
      if (wanted.json()) {
        console.line(Json.write(LiveTraceView.of(last, verdict(last))));
      }
      return last.delivered() ? ExitStatus.YES.code() : ExitStatus.NO.code();
    } catch (NoSuchFunction e) {
      throw new UnusableInput(
          "NoSuchFunction", String.valueOf(e.getMessage()), e.refusal().advice());
    } catch (IndexOutOfBoundsException e) {
      throw new UnusableInput(
          "NoSuchVector",
          String.valueOf(e.getMessage()),
          "see %s inspect %s --on linux".formatted(MachineOptions.program(), function));
    }
  }

  private LiveTrace once(Sbdf function, LiveTrace.Pause pause) {
    LiveTrace t = LiveTrace.watch(options, function, wanted.vector(), pause);
    if (!wanted.json()) {
      print(t);
    }
    return t;
  }

  /// The whole way first, and again whenever it stops somewhere else; else a line each time.
  private LiveTrace again(Sbdf function) {
    LiveTrace.Pause pause = () -> ending.await(Duration.ofSeconds(USUAL_SECONDS));
    LiveTrace last = once(function, pause);
    while (!ending.isAsked()) {
      console.out().flush();
      LiveTrace t = LiveTrace.watch(options, function, wanted.vector(), pause);
      if (t.stoppedAt().equals(last.stoppedAt())) {
        console.line("  " + verdict(t));
      } else {
        console.blank();
        print(t);
      }
      last = t;
    }
    return last;
  }

  private void print(LiveTrace t) {
    console.line("%s vector %d, on this host".formatted(t.function(), t.vector()));
    int n = 0;
    for (LiveHop h : t.hops()) {
      n++;
      String step = "%s -> %s".formatted(h.hop().in(), h.hop().out());
      boolean stop = t.stoppedAt().filter(s -> s.equals(h.hop().at())).isPresent();
      console.line(
          "  %2d. %s: %s  (%s)"
              .formatted(n, h.hop().at(), stop ? console.bad(step) : step, told(h.movement())));
      console.line(
          "      %s  %s"
              .formatted(
                  h.hop().why(),
                  console.faint(
                      "[%s, %s]".formatted(h.hop().source(), Json.name(h.hop().basis())))));
    }
    t.unseen()
        .forEach(u ->
            console.line("  cannot see %s: %s; %s".formatted(u.what(), u.why(), u.consequence())));
    console.blank();
    String verdict = verdict(t);
    console.line("  " + (t.delivered() ? console.good(verdict) : console.bad(verdict)));
  }

  private static String told(LiveHop.Movement m) {
    return switch (m) {
      case MOVED -> "moved";
      case STILL -> "still";
      case UNSEEN -> "cannot see";
    };
  }

  private static String verdict(LiveTrace t) {
    if (t.delivered()) {
      return "delivered: the kernel counted %d".formatted(t.counted().getAsLong());
    }
    return t.stoppedAt()
        .map(s -> "first stop without movement: " + s)
        .orElse("no movement was seen, and no stop either: what tells cannot be seen");
  }
}
