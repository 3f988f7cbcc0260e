import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Group;
import java.util.List;

/// The reset of a slot: of a function alone there, of two that share it, and where the caller does not have both.
final class HotReset {
  private HotReset() {}

  static void all(Access access) throws Exception {
    for (Sbdf f : Lab.find(Kind.NVME)) {
      if (f.bus() == 0) {
        continue;
      }
      String what = "%s hot reset of %s".formatted(access, f);
      Lab.guarded(what, () -> alone(what, access, Kind.NVME, f));
    }
    for (Sbdf f : Lab.find(Kind.E1000E)) {
      Sbdf neighbour = Sbdf.of(f.segment(), f.requesterId() + 1);
      if (f.function() == 0 && Lab.functions().contains(neighbour)) {
        String what = "%s hot reset of %s and %s".formatted(access, f, neighbour);
        Lab.guarded(what, () -> two(what, access, f, neighbour));
      }
    }
    for (Sbdf f : Lab.find(Kind.EDU).stream().filter(f -> f.bus() == 0 && Lab.isAlone(f)).toList()) {
      String what = "%s hot reset of %s on the root bus".formatted(access, f);
      Lab.guarded(what, () -> {
        try (Assigned a = Assigned.of(access, f)) {
          Lab.refused(what, ErrnoException.class, () -> a.device().hotReset());
        }
      });
    }
  }

  private static void alone(String what, Access access, Kind kind, Sbdf f) throws Exception {
    try (Assigned a = Assigned.of(access, f)) {
      LinuxDevice d = a.device();
      Lab.check(d.resetTogether().equals(List.of(f)), "%s: reset together with %s".formatted(what, d.resetTogether()));
      try (Raiser raiser = Raiser.of(kind, a.container(), d)) {
        Signals signals = new Signals(what, raiser, kind.vectors());
        Lab.check(d.enable(kind.irqs(), kind.vectors(), signals.counters()) == kind.vectors(), what + ": all vectors");
        raiser.arm();
        signals.rounds("before");
        d.hotReset();
        Assigned.master(d);
        raiser.arm();
        signals.rounds("after the hot reset, vectors still enabled");
        Prediction.of(f).check(what, a.container(), d, kind.irqs());
      }
    }
  }

  /// Two functions that share a slot, in one group or two: the first is reset only when the caller has both.
  private static void two(String what, Access access, Sbdf first, Sbdf second) throws Exception {
    LinuxOptions options = LinuxOptions.USUAL.with(access);
    String before = Lab.driver(second);
    try (DriverBinding other = DriverBinding.toVfio(options, second)) {
      try (Assigned a = Assigned.of(access, first)) {
        Lab.check(
            a.device().resetTogether().equals(List.of(first, second)),
            "%s: reset together: %s".formatted(what, a.device().resetTogether()));
        both(what, a, second);
      }
    }
    Lab.check(Lab.driver(second).equals(before), "%s: %s given back to '%s'".formatted(what, second, before));
  }

  private static void both(String what, Assigned a, Sbdf second) throws Exception {
    Group group = a.vfio().group(second);
    boolean shared = group.functions().contains(a.function());
    Lab.say("%s: %s".formatted(what, shared ? "one group" : "two groups"));
    if (!shared) {
      a.container().attach(group);
    }
    try (LinuxDevice d = (LinuxDevice) group.open(second)) {
      Assigned.master(d);
      try (Raiser raiser = Raiser.of(Kind.E1000E, a.container(), d)) {
        Signals signals = new Signals(what, raiser, Kind.E1000E.vectors());
        var unused = d.enable(Kind.E1000E.irqs(), Kind.E1000E.vectors(), signals.counters());
        raiser.arm();
        signals.rounds("before");
        a.device().hotReset();
        Assigned.master(d);
        raiser.arm();
        signals.rounds("of the second function after the first one's hot reset");
      }
    }
    if (!shared) {
      a.container().detach(group);
    }
  }
}
