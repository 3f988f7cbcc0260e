package dev.doorbell.capture;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Blanks in texts what identifies a host. Each letter and digit becomes an `x`, so that lengths, and with them offsets in files and trees, stay as they were.
///
/// **Threads**: not safe; it counts.
final class TextScrubber {
  /// As names of control groups have one, too: after `pod`, with underscores.
  private static final String UUID =
      "(?:\\b|(?<=pod))[0-9A-Fa-f]{8}(?:[-_][0-9A-Fa-f]{4}){3}[-_][0-9A-Fa-f]{12}\\b";

  /// Of 48 or 64 bits, or with the kind of hardware before it, as `BOOTIF=` has it.
  private static final String MAC =
      "(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}[:-]){5,7}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])";

  /// In every text. A group, where there is one, is what is blanked.
  private static final List<Pattern> EVERYWHERE =
      compile(
          UUID,
          MAC,
          // Network interfaces that are named after their address.
          "\\b(?:enx|wlx|wwx)([0-9a-f]{12})\\b",
          "\\b((?:naa|eui|t10|wwn-0x|iqn|nqn)\\.?[0-9A-Za-z][0-9A-Za-z.:-]{6,})",
          "/home/([^/\\s:]+)",
          // What a kernel that was built at home is to call its host.
          "CONFIG_DEFAULT_HOSTNAME=\"((?!\\(none\\))[^\"]+)\"",
          // Who built the kernel, and where.
          "\\(([^()\\s@]+@[^()\\s@]+)\\)");

  /// In the kernel's log and command line, where the same shapes mean nothing else.
  private static final List<Pattern> IN_LOGS =
      compile(
          "(?i)\\bserial[ _-]?(?:number|no|num)?\\s*[:=#]\\s*((?!8250/16550)[^\\s,]+)",
          "(?i)\\b(?:asset[ _-]?tag)\\s*[:=]\\s*([^\\s,]+)",
          // Of a machine, or of a container, whose host name is the beginning of it.
          "\\b[0-9a-f]{32,}\\b",
          "(?<![0-9.])(?:[0-9]{1,3}\\.){3}[0-9]{1,3}(?![0-9.])",
          // IPv6, which may hold a MAC address: global, of a site or of a link; a PCI function's
          // name has two colons and no pair.
          "(?<![0-9A-Za-z:])(?=[0-9A-Fa-f:]*::|(?:[0-9A-Fa-f]{1,4}:){5})(?:fe80|f[cd][0-9A-Fa-f]{2}|[23][0-9A-Fa-f]{3})"
              + "(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:])",
          "(?i)\\bhost ?name(?:=| (?:to|is|set to)?\\s*<?)([\\w.-]+)>?",
          "\\b(?:PARTUUID|UUID|LABEL|PARTLABEL)=([^\\s,]+)",
          "\\bds=([^\\s]+)");

  private final List<Pattern> known;
  private int count;

  TextScrubber(Secrets secrets) {
    known =
        secrets.words().stream()
            .map(w -> Pattern.compile("(?<![\\w-])" + Pattern.quote(w) + "(?![\\w-])"))
            .toList();
  }

  /// {@return how many places have been blanked}
  int count() {
    return count;
  }

  /// {@return the text with the same length}
  ///
  /// @param log whether it is the kernel's log or command line
  String scrub(String text, boolean log) {
    String out = text;
    for (Pattern p :
        Stream.of(EVERYWHERE, log ? IN_LOGS : List.<Pattern>of(), known)
            .flatMap(List::stream)
            .toList()) {
      out = blank(p, out);
    }
    return out;
  }

  /// {@return the text with the same length, shapes blanked and no words of the host's: for texts of firmware, where such a word is another}
  String shapes(String text) {
    String out = text;
    for (Pattern p : EVERYWHERE) {
      out = blank(p, out);
    }
    return out;
  }

  private String blank(Pattern pattern, String text) {
    Matcher m = pattern.matcher(text);
    StringBuilder out = null;
    while (m.find()) {
      int group = m.groupCount() > 0 ? 1 : 0;
      String found = m.group(group);
      String blanked = found.replaceAll("[0-9A-Za-z]", "x");
      if (!blanked.equals(found)) {
        count++;
        out = out == null ? new StringBuilder(text) : out;
        out.replace(m.start(group), m.end(group), blanked);
      }
    }
    return out == null ? text : out.toString();
  }

  private static List<Pattern> compile(String... patterns) {
    return Stream.of(patterns).map(Pattern::compile).toList();
  }
}
