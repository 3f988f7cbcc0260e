package dev.doorbell.firmware;

import dev.doorbell.explain.FileTrouble;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The log of the running kernel, as `dmesg` prints it.
///
/// `/dev/kmsg` gives one record a read and blocks behind the last one, so a thread of its own reads it, and the log counts as whole once no record has come
/// for {@link #SILENCE_MS}. Where it may not be read (`kernel.dmesg_restrict`), the newest boot in a log daemon's file is taken.
///
/// **Source**: Linux `Documentation/ABI/testing/dev-kmsg`.
final class LiveLog {
  private static final String DEVICE = "dev/kmsg";
  private static final List<String> FILES =
      List.of("var/log/dmesg", "var/log/kern.log", "var/log/messages", "var/log/syslog");
  private static final int SILENCE_MS = 100;
  private static final int RECORD_BYTES = 32 * 1024;
  private static final int MOST_RECORDS = 262_144;
  private static final int MOST_OVERWRITTEN = 1000;
  private static final Pattern RECORD =
      Pattern.compile("\\d+,\\d+,(\\d+),[^;]*;([^\n]*).*", Pattern.DOTALL);
  private static final String FIRST_LINE = "Linux version ";

  private LiveLog() {}

  static Contents read(Path root) {
    Path device = root.resolve(DEVICE);
    Contents ring =
        Files.exists(device) ? ring(device) : new Contents.Unreadable("there is no " + DEVICE);
    return switch (ring) {
      case Contents.Present p -> p;
      case Contents.Absent() -> writtenDown(root).orElse(Contents.ABSENT);
      case Contents.Unreadable u -> writtenDown(root).orElse(u);
    };
  }

  private static Contents ring(Path device) {
    BlockingQueue<String> records = new LinkedBlockingQueue<>();
    try (FileChannel in = FileChannel.open(device, StandardOpenOption.READ)) {
      Thread.ofPlatform().daemon().name("kmsg").start(() -> pump(in, records));
      StringBuilder out = new StringBuilder();
      int count = 0;
      String record = records.poll(SILENCE_MS, TimeUnit.MILLISECONDS);
      while (record != null && count++ < MOST_RECORDS && out.length() < KernelLog.LIMIT) {
        line(record, out);
        record = records.poll(SILENCE_MS, TimeUnit.MILLISECONDS);
      }
      return out.isEmpty()
          ? new Contents.Unreadable("no record came from " + DEVICE)
          : new Contents.Present(
              Blob.of(DEVICE, out.toString().getBytes(StandardCharsets.ISO_8859_1)));
    } catch (IOException e) {
      return new Contents.Unreadable(
          "cannot read %s: %s (kernel.dmesg_restrict keeps it for root)"
              .formatted(DEVICE, FileTrouble.of(e)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Contents.Unreadable("reading " + DEVICE + " was interrupted");
    }
  }

  /// Ends when the channel is closed, which wakes a read that waits.
  private static void pump(FileChannel in, BlockingQueue<String> records) {
    ByteBuffer buffer = ByteBuffer.allocate(RECORD_BYTES);
    int overwritten = 0;
    while (in.isOpen() && overwritten < MOST_OVERWRITTEN) {
      try {
        buffer.clear();
        int got = in.read(buffer);
        if (got <= 0) {
          return;
        }
        records.add(new String(buffer.array(), 0, got, StandardCharsets.ISO_8859_1));
      } catch (IOException e) {
        // EPIPE: records were overwritten before they were read, and the next read goes on behind
        // them.
        overwritten++;
      }
    }
  }

  private static void line(String record, StringBuilder out) {
    Matcher m = RECORD.matcher(record);
    if (m.matches()) {
      long micros = Long.parseLong(m.group(1));
      out.append("[%5d.%06d] %s\n".formatted(micros / 1_000_000, micros % 1_000_000, m.group(2)));
    }
  }

  /// A daemon's file holds many boots: the newest one begins at the last line that names the kernel's version.
  private static Optional<Contents> writtenDown(Path root) {
    for (String name : FILES) {
      Path file = root.resolve(name);
      try {
        if (!Files.isRegularFile(file) || Files.size(file) > KernelLog.LIMIT) {
          continue;
        }
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        int begin = text.lastIndexOf(FIRST_LINE);
        if (begin >= 0) {
          String boot = text.substring(text.lastIndexOf('\n', begin) + 1);
          return Optional.of(
              new Contents.Present(Blob.of(name, boot.getBytes(StandardCharsets.ISO_8859_1))));
        }
      } catch (IOException e) {
        // Not readable for this user: the next one may be.
      }
    }
    return Optional.empty();
  }
}
