package dev.doorbell.linux;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// A function works for the host, and nobody said that its driver may be taken off.
public final class DriverInUse extends LinuxException {
  private static final long serialVersionUID = 1L;

  /// @param serves what the driver makes of the function, such as `net eth0`; empty when nothing is seen
  DriverInUse(Sbdf function, String driver, List<String> serves) {
    super(
        new Refusal(
            "DriverInUse",
            "%s works for the host: driver %s has it%s"
                .formatted(
                    function, driver, serves.isEmpty() ? "" : ", as " + String.join(", ", serves)),
            Optional.empty(),
            Optional.empty(),
            List.of(function.toString(), driver),
            Source.file(HostFiles.device(function) + "/driver"),
            "say --yes to take it off %s until the end; what the host does with it stops meanwhile"
                .formatted(driver)));
  }
}
