package dev.doorbell.doctor;

import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// One fact about a host that bears on passthrough.
///
/// @param id which check found it, stable for scripts: `kernel.vfio`, `group.not-viable` …
/// @param message the fact, with the objects and figures; lower case, no period
/// @param source the file that told it, or that would
/// @param cure a command or setting that can be pasted; empty where there is nothing to change
/// @param functions the functions that it concerns; empty for all of the host
public record Finding(
    String id,
    Severity severity,
    String message,
    Source source,
    Optional<String> cure,
    List<Sbdf> functions) {
  public Finding {
    functions = List.copyOf(functions);
  }

  /// {@return whether the fact was seen}
  public boolean isSeen() {
    return severity != Severity.UNSEEN;
  }

  /// {@return whether it concerns a function}
  public boolean concerns(Sbdf function) {
    return functions.isEmpty() || functions.contains(function);
  }
}
