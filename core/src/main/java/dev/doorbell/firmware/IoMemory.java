package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Printable;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `proc/iomem`: which physical addresses are RAM, registers and PCI windows.
///
/// @param lines in the file's order
/// @param seen whether the file tells addresses
record IoMemory(List<Line> lines, boolean seen) {
  static final IoMemory NONE = new IoMemory(List.of(), false);
  static final String PATH = "proc/iomem";
  private static final int LIMIT = 16 * 1024 * 1024;
  private static final int MAX_LINES = 200_000;
  private static final Pattern LINE =
      Pattern.compile("( *)([0-9a-f]{1,16})-([0-9a-f]{1,16}) : (.*)");

  /// One line.
  ///
  /// @param depth 0 for what lies in nothing else
  record Line(int depth, AddressRange range, String name, Source source) {}

  static IoMemory read(Sysroot sysroot, Findings findings) {
    Contents contents = sysroot.read(PATH, LIMIT);
    if (contents instanceof Contents.Present(Blob blob)) {
      return parse(blob, findings);
    }
    String why =
        contents instanceof Contents.Unreadable(String reason) ? reason : "there is no " + PATH;
    findings.unseen(
        "physical address map",
        why,
        "RAM and PCI windows are known only where firmware tells them");
    return new IoMemory(List.of(), false);
  }

  private static IoMemory parse(Blob blob, Findings findings) {
    List<Line> lines = new ArrayList<>();
    boolean zeros = true;
    long at = 0;
    for (String text : blob.latin1().lines().limit(MAX_LINES).toList()) {
      Matcher m = LINE.matcher(text);
      Source source = Source.at(PATH, at);
      at += text.length() + 1;
      if (!m.matches()) {
        if (!text.isBlank()) {
          findings.odd("line is not 'start-end : name': '" + text.strip() + "'", source);
        }
        continue;
      }
      long start = Long.parseUnsignedLong(m.group(2), 16);
      long last = Long.parseUnsignedLong(m.group(3), 16);
      zeros &= start == 0 && last == 0;
      if (Long.compareUnsigned(last, start) < 0) {
        findings.odd("range ends at 0x%x, before its start 0x%x".formatted(last, start), source);
        continue;
      }
      lines.add(
          new Line(
              m.group(1).length() / 2,
              new AddressRange(start, last),
              Printable.of(m.group(4).strip()),
              source));
    }
    if (zeros) {
      findings.unseen(
          "physical address map",
          PATH + " was read without privilege: it shows zeros",
          "RAM and PCI windows are known only where firmware tells them");
      return new IoMemory(List.of(), false);
    }
    return new IoMemory(List.copyOf(lines), true);
  }

  List<Line> ram() {
    return lines.stream().filter(l -> l.name.equals("System RAM")).toList();
  }

  /// {@return the windows of a root bus: lines that name it and lie in no other bus's}
  List<Line> windows(int segment, int bus) {
    String wanted = String.format(Locale.ROOT, "PCI Bus %04x:%02x", segment, bus);
    List<Line> out = new ArrayList<>();
    int inside = Integer.MAX_VALUE;
    for (Line line : lines) {
      if (line.depth <= inside) {
        inside = Integer.MAX_VALUE;
      }
      if (line.name.startsWith("PCI Bus ") && inside == Integer.MAX_VALUE) {
        inside = line.depth;
        if (line.name.equals(wanted)) {
          out.add(line);
        }
      }
    }
    return out;
  }

  /// {@return the outermost range of a name}
  Optional<Line> named(String name) {
    return lines.stream().filter(l -> l.name.equals(name)).findFirst();
  }
}
