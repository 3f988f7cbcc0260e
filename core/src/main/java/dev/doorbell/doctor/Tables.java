package dev.doorbell.doctor;

import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Blob;
import dev.doorbell.firmware.Contents;
import dev.doorbell.firmware.DmarLayout;
import dev.doorbell.firmware.Sysroot;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which ACPI tables firmware has; their names can be seen without privilege, their contents cannot.
///
/// @param logged whether they are known by the lines that the kernel printed while it started, and not by files
/// @param names file names, such as `DMAR` or `MCFG1`; empty when the folder is not there, or masked
/// @param dmarFlags the flags of the DMAR, when it could be read
record Tables(List<String> names, String folder, boolean logged, Optional<Integer> dmarFlags) {
  private static final String FOLDER = "sys/firmware/acpi/tables";
  private static final int LIMIT = 4 * 1024 * 1024;

  private static final Pattern LINE =
      Pattern.compile(".*\\bACPI: ([A-Z0-9]{4}) (?:0x)?[0-9A-Fa-f]{8,16} .*");
  private static final int MOST = 256;

  static Tables read(Sysroot sysroot, BootLog log) {
    String folder = sysroot.isRoot() ? FOLDER : "";
    List<String> names =
        sysroot.list(folder).orElse(List.of()).stream()
            .filter(n -> n.matches("[A-Z0-9]{4}[0-9]{0,3}"))
            .toList();
    List<String> said = names.isEmpty() && log.whole() ? logged(log) : List.of();
    if (!said.isEmpty()) {
      return new Tables(said, log.file(), true, Optional.empty());
    }
    return new Tables(
        names, folder, false, names.contains("DMAR") ? flags(sysroot, folder) : Optional.empty());
  }

  private static List<String> logged(BootLog log) {
    return log.all("ACPI: ", MOST).stream()
        .map(hit -> LINE.matcher(hit.text()))
        .filter(Matcher::matches)
        .map(m -> m.group(1))
        .distinct()
        .toList();
  }

  private static Optional<Integer> flags(Sysroot sysroot, String folder) {
    String path = folder.isEmpty() ? "DMAR" : folder + "/DMAR";
    return sysroot.read(path, LIMIT) instanceof Contents.Present(Blob blob)
            && blob.size() > DmarLayout.FLAGS_AT
            && blob.text(0, 4).equals("DMAR")
        ? Optional.of(blob.u8(DmarLayout.FLAGS_AT))
        : Optional.empty();
  }

  boolean has(String signature) {
    return names.stream().anyMatch(n -> n.startsWith(signature));
  }

  /// {@return whether there was anything to see}
  boolean seen() {
    return !names.isEmpty();
  }

  Source source() {
    return Source.file(folder.isEmpty() ? "the folder of tables" : folder);
  }

  Source source(String signature) {
    return logged ? source() : Source.file(folder.isEmpty() ? signature : folder + "/" + signature);
  }
}
