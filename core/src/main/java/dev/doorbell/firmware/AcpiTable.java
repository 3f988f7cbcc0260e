package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import java.util.Optional;

/// An ACPI table whose header makes sense.
///
/// **Source**: ACPI 6.5, 5.2.6.
///
/// @param signature four characters
/// @param blob the whole table, header included, cut to the length that the header states
record AcpiTable(String signature, String oemId, String oemTableId, Blob blob) {
  static final int HEADER = 36;

  Source source(long at) {
    return blob.source(at);
  }

  int size() {
    return blob.size();
  }

  /// {@return the table in a file, or empty with the reason among the findings}
  ///
  /// @param signature what the file's name promises
  static Optional<AcpiTable> read(Blob file, String signature, Findings findings) {
    String name = file.file();
    if (file.size() == 0) {
      return refuse(name + " is empty", file, findings);
    }
    if (file.size() < HEADER) {
      return refuse(
          "%s has %d bytes, less than a table header's %d".formatted(name, file.size(), HEADER),
          file,
          findings);
    }
    String found = file.text(0, 4);
    if (!found.equals(signature)) {
      return refuse("%s begins with signature '%s'".formatted(name, found), file, findings);
    }
    long length = file.u32(4);
    Blob blob = file;
    if (length > file.size()) {
      String lie = "%s states a length of 0x%x over %d bytes".formatted(name, length, file.size());
      if (file.hasReplacementCharacters()) {
        return refuse(
            lie
                + ": bytes that are not UTF-8 were replaced by EF BF BD, and what follows is shifted",
            file,
            findings);
      }
      findings.odd(lie + "; the bytes that are there are read", file.source(4));
    } else if (length < HEADER) {
      return refuse(
          "%s states a length of %d, less than its header".formatted(name, length), file, findings);
    } else {
      if (length < file.size()) {
        findings.harmless(
            "%s states a length of %d over %d bytes; what follows is passed over"
                .formatted(name, length, file.size()),
            file.source(4));
      }
      blob = file.truncated((int) length);
      int sum = blob.sum(0, blob.size());
      if (sum != 0) {
        findings.harmless(
            "%s has a wrong checksum: its bytes add up to 0x%02x".formatted(name, sum),
            file.source(9));
      }
    }
    return Optional.of(new AcpiTable(signature, blob.text(10, 6), blob.text(16, 8), blob));
  }

  private static Optional<AcpiTable> refuse(String why, Blob file, Findings findings) {
    findings.odd(why + "; the table is not read", file.source(0));
    return Optional.empty();
  }
}
