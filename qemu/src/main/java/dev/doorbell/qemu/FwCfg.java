package dev.doorbell.qemu;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// QEMU's firmware configuration device: what QEMU hands to firmware, ACPI tables among it. Each byte read from its data register is the chosen
/// item's next one.
///
/// **Source**: QEMU, `docs/specs/fw_cfg.rst`; addresses of the machines `virt` and `q35`.
final class FwCfg {
  private static final int DIRECTORY = 0x19;
  private static final int ENTRY_BYTES = 64;
  private static final int NAME_BYTES = 56;
  private static final int MOST_FILES = 1024;
  private static final int MOST_BYTES = 0x10_0000;
  private static final String ACPI = "etc/acpi/tables";
  private static final int ACPI_HEADER = 36;
  private static final int ACPI_CHECKSUM = 9;

  private final Qtest qtest;
  private final Registers registers;

  private FwCfg(Qtest qtest, Registers registers) {
    this.qtest = qtest;
    this.registers = registers;
  }

  /// {@return the device of the machine `virt`, in memory}
  ///
  /// @param data address of its data register
  static FwCfg mapped(Qtest qtest, long data) {
    return new FwCfg(qtest, new Mapped(data));
  }

  /// {@return the device of a PC, at I/O ports}
  static FwCfg ports(Qtest qtest) {
    return new FwCfg(qtest, new Ports());
  }

  /// How its registers are reached.
  private interface Registers {
    void choose(QtestBatch batch, int key);

    void next(QtestBatch batch);
  }

  private record Mapped(long data) implements Registers {
    private static final int SELECTOR_AT = 8;

    /// The selector is big-endian.
    @Override
    public void choose(QtestBatch batch, int key) {
      batch.write(
          data + SELECTOR_AT, Short.toUnsignedLong(Short.reverseBytes((short) key)), Short.BYTES);
    }

    @Override
    public void next(QtestBatch batch) {
      batch.read(data, 1);
    }
  }

  private static final class Ports implements Registers {
    private static final int SELECTOR = 0x510;
    private static final int DATA = 0x511;

    @Override
    public void choose(QtestBatch batch, int key) {
      batch.out(SELECTOR, key, Short.BYTES);
    }

    @Override
    public void next(QtestBatch batch) {
      batch.in(DATA, 1);
    }
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

  private byte[] read(int key, int bytes) {
    byte[] out = new byte[bytes];
    QtestBatch batch = qtest.batch();
    registers.choose(batch, key);
    for (int i = 0; i < bytes; i++) {
      registers.next(batch);
    }
    batch.run();
    for (int i = 0; i < bytes; i++) {
      out[i] = (byte) batch.value(1 + i);
    }
    return out;
  }
}
