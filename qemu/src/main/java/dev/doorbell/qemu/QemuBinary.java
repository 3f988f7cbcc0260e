package dev.doorbell.qemu;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A program `qemu-system-…`.
///
/// @param path where it is
public record QemuBinary(Path path) {
  /// Environment variable, and (in lower case, with dots) system property, that names programs for Arm machines to use instead of the one on
  /// the PATH: a list of files separated by commas.
  public static final String VARIABLE = "DOORBELL_QEMU";

  private static final long VERSION_SECONDS = 10;
  private static final int VERSION_BYTES = 4096;
  private static final String ARM = "qemu-system-aarch64";
  private static final String X86 = "qemu-system-x86_64";
  private static final Map<String, Origin> ORIGINS =
      Map.of(
          ARM,
          new Origin("qemu-system-arm", VARIABLE),
          X86,
          new Origin("qemu-system-x86", VARIABLE + "_X86"),
          "qemu-system-ppc64",
          new Origin("qemu-system-ppc", VARIABLE + "_PPC"),
          "qemu-system-riscv64",
          new Origin("qemu-system-riscv", VARIABLE + "_RISCV"));

  /// @param debianPackage that has a program
  /// @param variable that names another one
  private record Origin(String debianPackage, String variable) {
    static Origin of(String program) {
      return ORIGINS.getOrDefault(program, new Origin("qemu-system", VARIABLE));
    }

    String property() {
      return variable.toLowerCase(Locale.ROOT).replace('_', '.');
    }
  }

  /// {@return the program for Arm machines: the first of {@link #all}}
  ///
  /// @throws QemuMissing when there is none
  public static QemuBinary arm() {
    return all(ARM).getFirst();
  }

  /// {@return the program for x86 machines: the first that DOORBELL_QEMU_X86 lists, else the one on the PATH}
  ///
  /// @throws QemuMissing when there is none
  public static QemuBinary x86() {
    return all(X86).getFirst();
  }

  /// {@return every program to be used: those that its variable lists ({@link #VARIABLE} for Arm, with _X86, _PPC or _RISCV behind it for the others), else the one of that name on the PATH}
  ///
  /// @param program such as `qemu-system-aarch64`
  /// @throws QemuMissing when one that is listed is not there, or there is none
  public static List<QemuBinary> all(String program) {
    Origin origin = Origin.of(program);
    String listed = System.getProperty(origin.property());
    return find(
        program, listed != null ? listed : System.getenv(origin.variable), System.getenv("PATH"));
  }

  static List<QemuBinary> find(String program, @Nullable String listed, @Nullable String path) {
    Origin origin = Origin.of(program);
    if (listed != null && !listed.isBlank()) {
      List<QemuBinary> out = new ArrayList<>();
      for (String entry : listed.split(",", -1)) {
        if (!isProgram(entry.strip())) {
          throw new QemuMissing(
              "'%s', which %s names,".formatted(entry.strip(), origin.variable),
              "an executable file",
              origin.debianPackage,
              origin.variable);
        }
        out.add(new QemuBinary(Path.of(entry.strip()).toAbsolutePath()));
      }
      return out;
    }
    for (String folder : (path == null ? "" : path).split(File.pathSeparator, -1)) {
      if (!folder.isEmpty() && isProgram(folder + File.separator + program)) {
        return List.of(new QemuBinary(Path.of(folder, program).toAbsolutePath()));
      }
    }
    throw new QemuMissing(
        program, "in any folder of the PATH", origin.debianPackage, origin.variable);
  }

  /// {@return the version that the program tells of itself; empty when it tells none}
  public Optional<QemuVersion> version() {
    try {
      Process asked =
          new ProcessBuilder(path.toString(), "--version").redirectErrorStream(true).start();
      try (InputStream said = asked.getInputStream()) {
        if (!asked.waitFor(VERSION_SECONDS, TimeUnit.SECONDS)) {
          return Optional.empty();
        }
        String text = new String(said.readNBytes(VERSION_BYTES), StandardCharsets.UTF_8);
        return QemuVersion.in(text);
      } finally {
        asked.destroyForcibly();
      }
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  /// Refuses a program that tells an older version than this; one that tells none may be any.
  ///
  /// @throws QemuTooOld when it does
  public void requireAtLeast(QemuVersion least) {
    version()
        .filter(found -> found.compareTo(least) < 0)
        .ifPresent(found -> {
          throw new QemuTooOld(this, found, least);
        });
  }

  /// {@return the environment variable that names another program for the same machines}
  String variable() {
    return origin().variable;
  }

  /// {@return Debian's package with a program of this name}
  String debianPackage() {
    return origin().debianPackage;
  }

  private Origin origin() {
    Path name = path.getFileName();
    return Origin.of(name == null ? "" : name.toString());
  }

  private static boolean isProgram(String file) {
    try {
      Path path = Path.of(file);
      return !file.isEmpty() && Files.isRegularFile(path) && Files.isExecutable(path);
    } catch (InvalidPathException e) {
      return false;
    }
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
