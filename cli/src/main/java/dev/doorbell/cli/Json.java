package dev.doorbell.cli;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Printable;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// The shapes of `--json` that several commands share, and the one writer. Addresses are strings `0x…`, ranges inclusive.
final class Json {
  private Json() {}

  static String write(Object document) {
    return Writer.MAPPER.writeValueAsString(document);
  }

  /// Apart from the shapes, which the printed form is made of as well: whoever asks for no JSON waits for no mapper.
  private static final class Writer {
    static final ObjectMapper MAPPER =
        JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private Writer() {}
  }

  static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }

  static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// Addresses first to last.
  record Range(String start, String end) {
    static Range of(AddressRange r) {
      return new Range(hex(r.start()), hex(r.last()));
    }
  }

  /// A file and an offset, or a rule.
  record OddityView(String message, String file, @Nullable Long offset, String source) {
    static OddityView of(Oddity o) {
      return new OddityView(
          o.message(), o.source().where(), offsetOf(o.source()), o.source().toString());
    }
  }

  record UnseenView(String what, String why, String consequence) {
    static UnseenView of(Unseen u) {
      return new UnseenView(u.what(), u.why(), u.consequence());
    }
  }

  /// The document of a refusal or an error.
  record ErrorDocument(ErrorView error) {}

  record ErrorView(
      String type,
      String message,
      @Nullable Long needed,
      @Nullable Long available,
      @Nullable String unit,
      List<String> objects,
      @Nullable String source,
      @Nullable String advice) {
    static ErrorView of(Refusal r) {
      return new ErrorView(
          r.type(),
          r.message(),
          r.needed().map(Refusal.Figure::value).orElse(null),
          r.available().map(Refusal.Figure::value).orElse(null),
          r.needed().or(r::available).map(Refusal.Figure::unit).orElse(null),
          r.objects(),
          r.source().toString(),
          r.advice());
    }

    /// {@return the same, without what is too long to be read: it may quote arguments}
    ErrorView brief() {
      return new ErrorView(
          type,
          Printable.brief(message),
          needed,
          available,
          unit,
          objects.stream().map(Printable::brief).toList(),
          source == null ? null : Printable.brief(source),
          advice == null ? null : Printable.brief(advice));
    }
  }

  private static @Nullable Long offsetOf(Source s) {
    return s.offset() < 0 ? null : s.offset();
  }
}
