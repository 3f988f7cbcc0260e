package dev.doorbell.qemu;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// QEMU's firmware configuration device: what QEMU hands to firmware, ACPI tables among it. Read through its memory-mapped registers.
///
/// **Source**: QEMU, `docs/specs/fw_cfg.rst`; addresses of the machine `virt`.
final class FwCfg {
  private static final long DATA = 0x0902_0000L;
  private static final long SELECTOR = DATA + 8;
  private static final int DIRECTORY = 0x19;
  private static final int ENTRY_BYTES = 64;
  private static final int NAME_BYTES = 56;
  private static final int MOST_FILES = 1024;
  private static final int MOST_BYTES = 0x10_0000;
  private static final String ACPI = "etc/acpi/tables";
  private static final int ACPI_HEADER = 36;
  private static final int ACPI_CHECKSUM = 9;

  private final Qtest qtest;

  FwCfg(Qtest qtest) {
    this.qtest = qtest;
  }

  /// {@return a file's bytes}
  ///
  /// @throws QemuUnusable when there is none of that name
  byte[] file(String name) {
    int files = ByteBuffer.wrap(read(DIRECTORY, Integer.BYTES)).getInt();
    if (files < 0 || files > MOST_FILES) {
      throw new QemuUnusable("fw_cfg", "its directory has %d files".formatted(files));
    }
    ByteBuffer directory = ByteBuffer.wrap(read(DIRECTORY, Integer.BYTES + files * ENTRY_BYTES));
    directory.getInt();
    for (int i = 0; i < files; i++) {
      int bytes = directory.getInt();
      int key = Short.toUnsignedInt(directory.getShort());
      directory.getShort();
      byte[] text = new byte[NAME_BYTES];
      directory.get(text);
      String found = new String(text, StandardCharsets.US_ASCII);
      if (found.substring(0, Math.max(0, found.indexOf('\0'))).equals(name)) {
        if (bytes < 0 || bytes > MOST_BYTES) {
          throw new QemuUnusable("fw_cfg", "file %s has %d bytes".formatted(name, bytes));
        }
        return read(key, bytes);
      }
    }
    throw new QemuUnusable("fw_cfg", "it has no file " + name);
  }

  /// {@return the ACPI tables by signature; of two with one signature the first}
  ///
  /// Firmware would fill in checksums, and addresses that nobody here follows; this fills in the checksums.
  Map<String, byte[]> acpiTables() {
    ByteBuffer all = ByteBuffer.wrap(file(ACPI)).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    Map<String, byte[]> out = new LinkedHashMap<>();
    while (all.remaining() >= ACPI_HEADER) {
      int start = all.position();
      int bytes = all.getInt(start + Integer.BYTES);
      if (bytes < ACPI_HEADER || bytes > all.remaining()) {
        throw new QemuUnusable(
            "fw_cfg", "a table at 0x%x of %s has %d bytes".formatted(start, ACPI, bytes));
      }
      byte[] table = new byte[bytes];
      all.get(table);
      table[ACPI_CHECKSUM] = 0;
      byte sum = 0;
      for (byte b : table) {
        sum += b;
      }
      table[ACPI_CHECKSUM] = (byte) -sum;
      out.putIfAbsent(new String(table, 0, Integer.BYTES, StandardCharsets.US_ASCII), table);
      skipPadding(all);
    }
    return out;
  }

  private static void skipPadding(ByteBuffer all) {
    while (all.hasRemaining() && all.get(all.position()) == 0) {
      all.get();
    }
  }

  /// The selector is big-endian; each byte read from the data register is the item's next one.
  private byte[] read(int key, int bytes) {
    qtest.write(SELECTOR, Short.toUnsignedLong(Short.reverseBytes((short) key)), Short.BYTES);
    byte[] out = new byte[bytes];
    QtestBatch batch = qtest.batch();
    for (int i = 0; i < bytes; i++) {
      batch.read(DATA, 1);
    }
    batch.run();
    for (int i = 0; i < bytes; i++) {
      out[i] = (byte) batch.value(i);
    }
    return out;
  }
}
