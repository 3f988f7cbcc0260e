package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The ACPI tables of a sysroot that Doorbell reads or knows the meaning of.
///
/// @param bySignature tables whose header makes sense
/// @param present signatures of files that are there, readable or not
record AcpiTables(Map<String, AcpiTable> bySignature, List<String> present) {
  static final String FOLDER = "sys/firmware/acpi/tables";
  private static final int LIMIT = 4 * 1024 * 1024;
  private static final AcpiTables NONE = new AcpiTables(Map.of(), List.of());
  private static final int RSDP_V1 = 20;
  private static final int RSDP_V2 = 36;

  /// In the order of reading.
  private static final List<String> KNOWN =
      List.of(
          "APIC", "IORT", "MCFG", "VIOT", "XSDT", "RSDT", "DMAR", "IVRS", "RIMT", "RHCT", "HPET");

  Optional<AcpiTable> table(String signature) {
    return Optional.ofNullable(bySignature.get(signature));
  }

  /// {@return the tables in a folder}
  ///
  /// @param folder the empty string when the root itself holds them
  static AcpiTables read(Sysroot sysroot, String folder, Findings findings) {
    Map<String, AcpiTable> tables = new HashMap<>();
    List<String> present = new ArrayList<>();
    for (String name : sysroot.list(folder).orElse(List.of())) {
      String path = folder.isEmpty() ? name : folder + "/" + name;
      if (name.equals("RSDP")) {
        rsdp(sysroot, path, findings);
        continue;
      }
      // Linux numbers the files of tables that share a signature: MCFG1, MCFG2.
      if (!name.matches("[A-Z]{4}[0-9]{0,3}") || !KNOWN.contains(name.substring(0, 4))) {
        continue;
      }
      String signature = name.substring(0, 4);
      if (!present.contains(signature)) {
        present.add(signature);
      }
      Optional<AcpiTable> table = load(sysroot, path, signature, findings);
      table.ifPresent(t -> pointers(t, findings));
      if (table.isPresent() && tables.putIfAbsent(signature, table.get()) != null) {
        findings.harmless(
            "%s is a second table %s; the first, %s, counts, as it does for Linux"
                .formatted(path, signature, tables.get(signature).blob().file()),
            table.get().source(0));
      }
    }
    return new AcpiTables(Map.copyOf(tables), List.copyOf(present));
  }

  /// {@return the tables that one file is: a table, or the text of `acpidump`}
  static AcpiTables ofFile(Optional<Blob> file, Findings findings) {
    return file.map(f -> AcpiDump.isOne(f) ? AcpiDump.read(f, findings) : List.of(f))
        .map(blobs -> of(blobs, findings))
        .orElse(NONE);
  }

  /// {@return the tables in the text of `acpidump` beside a capture}
  static AcpiTables ofDump(Sysroot sysroot, Findings findings) {
    return sysroot
        .read(AcpiDump.PATH, AcpiDump.LIMIT)
        .blob(why ->
            findings.unseen(
                "the tables in " + AcpiDump.PATH, why, "what they describe is not known"))
        .map(text -> of(AcpiDump.read(text, findings), findings))
        .orElse(NONE);
  }

  /// Told by their signatures; of two with one signature the first counts.
  private static AcpiTables of(List<Blob> blobs, Findings findings) {
    Map<String, AcpiTable> tables = new HashMap<>();
    Set<String> present = new LinkedHashSet<>();
    for (Blob blob : blobs) {
      String signature = blob.size() < 4 ? "" : blob.text(0, 4);
      if (KNOWN.contains(signature) && present.add(signature)) {
        AcpiTable.read(blob, signature, findings)
            .ifPresent(t -> {
              pointers(t, findings);
              tables.put(signature, t);
            });
      }
    }
    return new AcpiTables(Map.copyOf(tables), List.copyOf(present));
  }

  private static Optional<AcpiTable> load(
      Sysroot sysroot, String path, String signature, Findings findings) {
    return sysroot
        .read(path, LIMIT)
        .blob(why -> findings.unseen("table " + signature, why, "what it describes is not known"))
        .flatMap(blob -> AcpiTable.read(blob, signature, findings));
  }

  /// Root and Extended System Description Table: only their size can be judged, their addresses lead to no file.
  ///
  /// **Source**: ACPI 6.5, 5.2.7 and 5.2.8.
  private static void pointers(AcpiTable table, Findings findings) {
    int entry =
        switch (table.signature()) {
          case "RSDT" -> Integer.BYTES;
          case "XSDT" -> Long.BYTES;
          default -> 1;
        };
    int rest = (table.size() - AcpiTable.HEADER) % entry;
    if (rest != 0) {
      findings.harmless(
          "%s has entries of %d bytes; %d bytes at the end are none"
              .formatted(table.signature(), entry, rest),
          table.source(table.size() - rest));
    }
  }

  /// Root System Description Pointer: only its two checksums can be judged, its addresses lead to no file.
  ///
  /// **Source**: ACPI 6.5, 5.2.5.3.
  private static void rsdp(Sysroot sysroot, String path, Findings findings) {
    if (!(sysroot.read(path, LIMIT) instanceof Contents.Present(Blob b))) {
      return;
    }
    if (b.size() < RSDP_V1 || !b.text(0, 8).equals("RSD PTR ")) {
      findings.odd(path + " is no Root System Description Pointer", b.source(0));
    } else if (b.sum(0, RSDP_V1) != 0) {
      findings.harmless(
          "checksum of the first 20 bytes of %s is wrong".formatted(path), b.source(8));
    } else if (b.u8(15) >= 2 && (b.size() < RSDP_V2 || b.sum(0, RSDP_V2) != 0)) {
      findings.harmless("extended checksum of %s is wrong".formatted(path), b.source(32));
    }
  }

  /// {@return whether a fact was read in a table with this signature}
  static boolean isOf(String signature, Source source) {
    String where = source.where();
    return where.endsWith("/" + signature) || where.endsWith(":" + signature);
  }
}
