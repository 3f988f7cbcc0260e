package dev.doorbell.cli;

import dev.doorbell.linux.LinuxOptions;
import java.nio.file.Path;
import java.util.function.Function;

/// What commands have around them besides their arguments.
///
/// @param kernel the kernel of this host, whose sysfs and procfs lie below a folder
/// @param ending how the process is told to end
record Surroundings(Function<Path, LinuxOptions> kernel, Ending ending) {
  /// {@return the running kernel}
  static Surroundings with(Ending ending) {
    return new Surroundings(root -> LinuxOptions.USUAL.at(root), ending);
  }

  LinuxOptions kernel(Path root) {
    return kernel.apply(root);
  }
}
