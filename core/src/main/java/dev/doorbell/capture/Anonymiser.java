package dev.doorbell.capture;

import dev.doorbell.firmware.Sysroot;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/// Takes out of a capture what identifies the host and its owner: serial numbers, MAC addresses, UUIDs, names of host and users, addresses of kernel code. What
/// `inspect` and `plan` print stays the same; lengths and offsets do, too.
final class Anonymiser {
  private static final Pattern LOGS =
      Pattern.compile(
          "dmesg\\.txt|lspci-xxxx\\.txt|proc/cmdline|proc/(?:self|1)/cgroup|.*/bootargs|unread\\.txt");
  private static final Pattern KERNEL_ADDRESS = Pattern.compile("\\b0x[0-9a-f]{9,16}\\b");
  private static final String TABLES = "sys/firmware/acpi/tables/";
  private static final int CHECKSUM_AT = 9;
  private static final int SHORTEST_BINARY = 6;
  private static final int LARGEST_CONFIG = 8 * 1024 * 1024;

  private final Secrets secrets;
  private final TextScrubber texts;
  private int count;

  Anonymiser(Sysroot root) {
    secrets = Secrets.of(root);
    texts = new TextScrubber(secrets);
  }

  /// {@return how many places have been blanked}
  int count() {
    return count + texts.count();
  }

  /// {@return the entry without what identifies the host}
  Entry scrub(Entry entry) {
    return switch (entry) {
      case Entry.Data d -> data(d);
      case Entry.Link l -> l;
      case Entry.Folder f -> f;
    };
  }

  private Entry.Data data(Entry.Data file) {
    byte[] bytes = file.bytes();
    String name = file.path().substring(file.path().lastIndexOf('/') + 1);
    boolean board =
        file.path().contains("devicetree") && TreeScrubber.NAMES.matcher(name).matches();
    if (name.equals("config") && file.path().contains("devices")) {
      count += ConfigScrubber.scrub(bytes);
    } else if (TreeScrubber.isTree(bytes)) {
      count += TreeScrubber.scrub(bytes, texts);
      binary(bytes);
    } else if (board) {
      blankValue(bytes);
    } else if (file.path().equals("proc/config.gz")) {
      return packed(file);
    } else if (file.isText() || LOGS.matcher(file.path()).matches()) {
      return text(file, bytes);
    } else {
      table(file.path(), bytes);
    }
    return file;
  }

  private Entry.Data text(Entry.Data file, byte[] bytes) {
    if (file.path().equals("lspci-xxxx.txt")) {
      count += DumpScrubber.scrub(bytes);
    }
    String before = new String(bytes, StandardCharsets.ISO_8859_1);
    String after = texts.scrub(before, LOGS.matcher(file.path()).matches());
    if (file.path().equals("proc/modules")) {
      after = KERNEL_ADDRESS.matcher(after).replaceAll("0x0000000000000000");
    }
    return new Entry.Data(file.path(), after.getBytes(StandardCharsets.ISO_8859_1));
  }

  /// The options that the kernel was built with; whoever built it may have left names in them. A file that is no such text stays as it is.
  private Entry.Data packed(Entry.Data file) {
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(file.bytes()))) {
      byte[] plain = in.readNBytes(LARGEST_CONFIG);
      String before = new String(plain, StandardCharsets.ISO_8859_1);
      String after = texts.scrub(before, false);
      if (plain.length == LARGEST_CONFIG || after.equals(before)) {
        return file;
      }
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
        gzip.write(after.getBytes(StandardCharsets.ISO_8859_1));
      }
      return new Entry.Data(file.path(), out.toByteArray());
    } catch (IOException e) {
      // No gzip file: nobody reads a name in it.
      return file;
    }
  }

  private void blankValue(byte[] bytes) {
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = bytes[i] == 0 ? 0 : (byte) 'x';
    }
    count++;
  }

  /// A table whose checksum was right has a right one afterwards.
  private void table(String path, byte[] bytes) {
    boolean checked = path.startsWith(TABLES) && bytes.length > CHECKSUM_AT && sum(bytes) == 0;
    binary(bytes);
    if (checked) {
      bytes[CHECKSUM_AT] = (byte) (bytes[CHECKSUM_AT] - sum(bytes));
    }
  }

  private void binary(byte[] bytes) {
    for (String word : secrets.words()) {
      byte[] secret = word.getBytes(StandardCharsets.ISO_8859_1);
      if (secret.length < SHORTEST_BINARY) {
        continue;
      }
      for (int at = 0; at + secret.length <= bytes.length; at++) {
        if (java.util.Arrays.equals(bytes, at, at + secret.length, secret, 0, secret.length)) {
          java.util.Arrays.fill(bytes, at, at + secret.length, (byte) 'x');
          count++;
        }
      }
    }
  }

  private static byte sum(byte[] bytes) {
    byte sum = 0;
    for (byte b : bytes) {
      sum += b;
    }
    return sum;
  }
}
