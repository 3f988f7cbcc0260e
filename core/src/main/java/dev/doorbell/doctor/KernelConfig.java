package dev.doorbell.doctor;

import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Contents;
import dev.doorbell.firmware.Sysroot;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/// The configuration that the kernel was built with. Only one that belongs to the running kernel counts: `proc/config.gz`, or a file named by its release;
/// in a container `boot` is that of the image.
///
/// @param options value by name without `CONFIG_`
/// @param seen whether a configuration could be read
/// @param source the file, or where it was looked for
record KernelConfig(Map<String, String> options, boolean seen, Source source) {
  private static final String RUNNING = "proc/config.gz";
  private static final int LIMIT = 8 * 1024 * 1024;
  private static final int CHUNK = 64 * 1024;
  private static final Pattern LINE = Pattern.compile("CONFIG_([A-Za-z0-9_]+)=(.*)");
  private static final Pattern RELEASE = Pattern.compile("Linux version (\\S+) .*", Pattern.DOTALL);

  /// How an option is set.
  enum Setting {
    BUILT_IN,
    MODULE,
    /// Not set, or not offered because what it depends on is not set.
    OFF,
    UNSEEN
  }

  KernelConfig {
    options = Map.copyOf(options);
  }

  Setting setting(String name) {
    if (!seen) {
      return Setting.UNSEEN;
    }
    return switch (options.getOrDefault(name, "n")) {
      case "y" -> Setting.BUILT_IN;
      case "m" -> Setting.MODULE;
      default -> Setting.OFF;
    };
  }

  boolean isOff(String name) {
    return setting(name) == Setting.OFF;
  }

  boolean isOn(String name) {
    return setting(name) == Setting.BUILT_IN || setting(name) == Setting.MODULE;
  }

  static KernelConfig read(Sysroot sysroot) {
    List<String> tried = new ArrayList<>(List.of(RUNNING));
    if (sysroot.read(RUNNING, LIMIT) instanceof Contents.Present(var blob)) {
      Optional<String> text = unpack(blob.latin1().getBytes(StandardCharsets.ISO_8859_1));
      if (text.isPresent()) {
        return parse(text.get(), RUNNING);
      }
    }
    Optional<String> release = release(sysroot);
    if (release.isPresent()) {
      for (String path :
          List.of(
              "boot/config-" + release.get(),
              "lib/modules/" + release.get() + "/config",
              "usr/lib/modules/" + release.get() + "/config",
              "lib/modules/" + release.get() + "/build/.config")) {
        tried.add(path);
        Optional<String> text = sysroot.text(path, LIMIT);
        if (text.isPresent()) {
          return parse(text.get(), path);
        }
      }
    }
    return new KernelConfig(Map.of(), false, Source.file(String.join(", ", tried)));
  }

  /// {@return the running kernel's release, as `uname -r` prints it}
  static Optional<String> release(Sysroot sysroot) {
    Optional<String> direct = sysroot.text("proc/sys/kernel/osrelease", CHUNK).map(String::strip);
    return direct
        .or(() ->
            sysroot
                .text("proc/version", CHUNK)
                .map(RELEASE::matcher)
                .filter(Matcher::matches)
                .map(m -> m.group(1)))
        .filter(r -> r.matches("[\\w.+~-]{1,128}"));
  }

  private static KernelConfig parse(String text, String path) {
    Map<String, String> options = new HashMap<>();
    for (String line : text.lines().toList()) {
      Matcher m = LINE.matcher(line);
      if (m.matches()) {
        options.put(m.group(1), m.group(2));
      }
    }
    return new KernelConfig(options, !options.isEmpty(), Source.file(path));
  }

  private static Optional<String> unpack(byte[] packed) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] chunk = new byte[CHUNK];
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
      for (int got = in.read(chunk); got > 0 && out.size() <= LIMIT; got = in.read(chunk)) {
        out.write(chunk, 0, got);
      }
      return out.size() > LIMIT
          ? Optional.empty()
          : Optional.of(out.toString(StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      // Not a gzip file, or a broken one: as good as unread.
      return Optional.empty();
    }
  }
}
