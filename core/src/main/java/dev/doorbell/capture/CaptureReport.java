package dev.doorbell.capture;

import java.nio.file.Path;
import java.util.List;

/// What a capture holds, and what it does not.
///
/// @param files regular files written
/// @param unread what was there and could not be read, with the reason
/// @param leftOut what was left out on purpose
/// @param removed places where something that identifies the host was blanked; 0 unless asked for
public record CaptureReport(
    Path out, int files, long bytes, List<NotRead> unread, List<String> leftOut, int removed) {
  /// A file that could not be read.
  public record NotRead(String path, String why) {}

  public CaptureReport {
    unread = List.copyOf(unread);
    leftOut = List.copyOf(leftOut);
  }
}
