package dev.doorbell.doctor;

import dev.doorbell.firmware.Sysroot;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Kernel modules and their parameters.
///
/// @param loaded names in `proc/modules`
/// @param listed whether that file could be read
record Modules(Sysroot sysroot, Set<String> loaded, boolean listed) {
  static final String LIST = "proc/modules";
  private static final int LIMIT = 1024 * 1024;

  static Modules read(Sysroot sysroot) {
    Optional<String> text = sysroot.text(LIST, LIMIT);
    Set<String> names =
        text.orElse("")
            .lines()
            .map(l -> l.split("\\s", 2)[0])
            .filter(n -> !n.isEmpty())
            .collect(Collectors.toUnmodifiableSet());
    return new Modules(sysroot, names, text.isPresent());
  }

  /// {@return whether a module is loaded, or built in and shows parameters}
  boolean isThere(String name) {
    return loaded.contains(name) || sysroot.isFolder("sys/module/" + name);
  }

  /// {@return a parameter's value as sysfs shows it}
  Optional<String> parameter(String module, String name) {
    return sysroot.text(path(module, name), LIMIT).map(String::strip);
  }

  static String path(String module, String name) {
    return "sys/module/" + module + "/parameters/" + name;
  }
}
