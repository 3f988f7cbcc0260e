package dev.doorbell.capture;

import dev.doorbell.firmware.Blob;
import dev.doorbell.firmware.Contents;
import dev.doorbell.firmware.Sysroot;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// The words that identify a host: its names, its users, its serial numbers. They are looked for wherever they may turn up again.
///
/// @param words longest first
record Secrets(List<String> words) {
  private static final int LIMIT = 1024 * 1024;
  private static final int SHORTEST = 3;
  private static final int FIRST_USER = 1000;
  private static final int LAST_USER = 60_000;
  private static final int PASSWD_FIELDS = 4;

  private static final List<String> NAMES =
      List.of(
          "proc/sys/kernel/hostname", "etc/hostname", "proc/sys/kernel/domainname", "etc/mailname");

  private static final List<String> SERIALS =
      List.of(
          "sys/class/dmi/id/product_serial",
          "sys/class/dmi/id/board_serial",
          "sys/class/dmi/id/chassis_serial",
          "sys/class/dmi/id/product_uuid",
          "sys/class/dmi/id/board_asset_tag",
          "sys/class/dmi/id/chassis_asset_tag",
          "etc/machine-id",
          "var/lib/dbus/machine-id",
          "proc/sys/kernel/random/boot_id",
          "sys/firmware/devicetree/base/serial-number",
          "proc/device-tree/serial-number");

  /// What vendors write where no serial number is.
  private static final Set<String> NO_SERIALS =
      Set.of(
          "none",
          "(none)",
          "n/a",
          "default string",
          "not specified",
          "not applicable",
          "system serial number",
          "to be filled by o.e.m.",
          "localhost",
          "unknown",
          "0");

  static Secrets of(Sysroot root) {
    Set<String> words = new TreeSet<>();
    NAMES.stream()
        .flatMap(p -> line(root, p).stream())
        .forEach(n -> {
          words.add(n);
          // A host name with its domain turns up without it, too.
          words.add(n.split("\\.", 2)[0]);
        });
    SERIALS.stream().flatMap(p -> line(root, p).stream()).forEach(words::add);
    root.text("etc/passwd", LIMIT).orElse("").lines().flatMap(Secrets::user).forEach(words::add);
    // PCI functions' serial numbers and all that is only in binary places are blanked where they
    // are.
    return new Secrets(
        words.stream()
            .filter(w -> w.length() >= SHORTEST)
            .filter(w -> !NO_SERIALS.contains(w.toLowerCase(Locale.ROOT)))
            .sorted((a, b) -> Integer.compare(b.length(), a.length()))
            .toList());
  }

  private static Optional<String> line(Sysroot root, String path) {
    return root.read(path, LIMIT) instanceof Contents.Present(Blob blob)
        ? Optional.of(
            new String(
                    blob.latin1().getBytes(StandardCharsets.ISO_8859_1),
                    StandardCharsets.ISO_8859_1)
                .replace("\0", "")
                .strip())
        : Optional.empty();
  }

  private static Stream<String> user(String line) {
    String[] fields = line.split(":", -1);
    boolean person =
        fields.length > PASSWD_FIELDS
            && fields[2].matches("[0-9]{1,9}")
            && Integer.parseInt(fields[2]) >= FIRST_USER
            && Integer.parseInt(fields[2]) < LAST_USER;
    return person
        ? Stream.concat(Stream.of(fields[0]), Arrays.stream(fields[4].split(",")))
        : Stream.empty();
  }
}
