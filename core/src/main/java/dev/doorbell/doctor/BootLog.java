package dev.doorbell.doctor;

import dev.doorbell.explain.Source;
import dev.doorbell.firmware.Contents;
import dev.doorbell.firmware.Sysroot;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What the kernel said since it started.
///
/// @param lines without their ends
/// @param offsets where each begins in the file
/// @param whole whether the first line of the boot is among them
record BootLog(
    List<String> lines, List<Integer> offsets, String file, boolean seen, boolean whole) {
  private static final int MOST_LINES = 200_000;
  private static final String FIRST_LINE = "Linux version ";

  /// A line and where it is.
  record Hit(String text, Source source) {}

  static BootLog read(Sysroot sysroot) {
    return switch (sysroot.kernelLog()) {
      case Contents.Present(var blob) -> split(blob.latin1(), blob.file());
      case Contents.Absent() -> none("dmesg.txt");
      case Contents.Unreadable(String why) -> none(why);
    };
  }

  private static BootLog none(String why) {
    return new BootLog(List.of(), List.of(), why, false, false);
  }

  private static BootLog split(String text, String file) {
    List<String> lines = new ArrayList<>();
    List<Integer> offsets = new ArrayList<>();
    boolean whole = false;
    for (int at = 0; at < text.length() && lines.size() < MOST_LINES; ) {
      int end = text.indexOf('\n', at);
      end = end < 0 ? text.length() : end;
      String line = text.substring(at, end).stripTrailing();
      lines.add(line);
      offsets.add(at);
      whole |= line.contains(FIRST_LINE);
      at = end + 1;
    }
    return new BootLog(List.copyOf(lines), List.copyOf(offsets), file, true, whole);
  }

  /// {@return the first line that has a text in it}
  Optional<Hit> first(String needle) {
    return all(needle, 1).stream().findFirst();
  }

  /// {@return the first lines that have a text in them}
  List<Hit> all(String needle, int most) {
    List<Hit> out = new ArrayList<>();
    for (int i = 0; i < lines.size() && out.size() < most; i++) {
      if (lines.get(i).contains(needle)) {
        out.add(new Hit(lines.get(i), Source.at(file, offsets.get(i))));
      }
    }
    return out;
  }

  Source source() {
    return Source.file(file);
  }
}
