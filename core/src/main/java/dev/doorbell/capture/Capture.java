package dev.doorbell.capture;

import dev.doorbell.capture.CaptureReport.NotRead;
import dev.doorbell.firmware.Sysroot;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// Writes a host down as a sysroot.
public final class Capture {
  private static final String UNREAD = "unread.txt";

  private final Output output;
  private final Sysroot root;

  private Capture(Sysroot root, Output output) {
    this.root = root;
    this.output = output;
  }

  /// {@return a capture that is to be written to a folder}
  ///
  /// @param root the host, or another capture
  /// @throws OutputRefusedException when the folder is there and not empty
  public static Capture of(Sysroot root, Path out) {
    if (!root.isRoot()) {
      throw new OutputRefusedException(
          root.path() + " is not laid out as a Linux root, and there is nothing to capture from it",
          "give --root a folder that has sys or proc in it");
    }
    return new Capture(root, Output.at(out));
  }

  /// Reads the host and writes the capture: all of it, or nothing.
  ///
  /// **Errors**: {@link CaptureFailedException} when it cannot be written; what cannot be read is in the report. **Threads**: not safe.
  ///
  /// @param anonymise whether to blank what identifies the host
  public CaptureReport write(boolean anonymise) {
    Gathering gathering = new Gathering(root);
    List<String> leftOut = Wanted.gather(gathering);
    List<NotRead> unread =
        gathering.unread().stream().sorted(Comparator.comparing(NotRead::path)).toList();
    List<Entry> entries = new ArrayList<>(gathering.entries());
    if (!unread.isEmpty()) {
      entries.add(new Entry.Data(UNREAD, list(unread)));
    }
    int removed = 0;
    if (anonymise) {
      Anonymiser anonymiser = new Anonymiser(root);
      entries.replaceAll(anonymiser::scrub);
      removed = anonymiser.count();
    }
    output.write(entries);
    List<Entry.Data> files =
        entries.stream().filter(Entry.Data.class::isInstance).map(Entry.Data.class::cast).toList();
    long bytes = files.stream().mapToLong(d -> d.bytes().length).sum();
    return new CaptureReport(output.path(), files.size(), bytes, unread, leftOut, removed);
  }

  /// Removes what a capture that was cut short has written so far.
  public void discard() {
    output.discard();
  }

  private static byte[] list(List<NotRead> unread) {
    return unread.stream()
        .map(u -> u.path() + "\t" + u.why().replace('\n', ' ') + "\n")
        .collect(Collectors.joining())
        .getBytes(StandardCharsets.ISO_8859_1);
  }
}
