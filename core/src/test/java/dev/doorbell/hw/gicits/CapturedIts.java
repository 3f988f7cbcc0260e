package dev.doorbell.hw.gicits;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The registers and the vectors of a lab capture's `oracle/`, as far as these tests need them. (The core module has no JSON reader; the
/// files are machine-made, one item a line.)
final class CapturedIts {
  private static final Pattern HEX = Pattern.compile("\"(\\w+)\"\\s*:\\s*\"0x([0-9a-f]+)\"");

  private CapturedIts() {}

  /// What the truth says of one vector.
  record Truth(
      String bdf,
      int requesterId,
      int data,
      long dteAddress,
      long dte,
      long itt,
      long iteAddress,
      int intid,
      int icid,
      int configByte) {}

  /// {@return the registers of the first device of a kind (`its`, `gicr`)}
  static Map<String, Long> registers(Path oracle, String kind) throws IOException {
    String text = Files.readString(oracle.resolve("registers.json"), UTF_8);
    int at = text.indexOf("\"" + kind + "\"");
    if (at < 0) {
      return Map.of();
    }
    int end = text.indexOf(']', at);
    Map<String, Long> registers = new LinkedHashMap<>();
    for (Matcher m = HEX.matcher(text.substring(at, end)); m.find(); ) {
      if (!m.group(1).equals("base")) {
        registers.put(m.group(1), Long.parseUnsignedLong(m.group(2), 16));
      }
    }
    return registers;
  }

  /// {@return every vector that an ITS translates}
  static List<Truth> truth(Path oracle) throws IOException {
    String text = Files.readString(oracle.resolve("truth.json"), UTF_8);
    List<Truth> vectors = new ArrayList<>();
    int begin = text.indexOf("\"vectors\"");
    int end = text.indexOf("\"dma\"");
    for (String vector :
        text.substring(begin, end < begin ? text.length() : end).split("\"bdf\"", -1)) {
      if (vector.contains("\"its\"") && vector.contains("ite_pa")) {
        vectors.add(one(vector));
      }
    }
    return vectors;
  }

  private static Truth one(String vector) {
    String its = vector.substring(vector.indexOf("\"its\""));
    Matcher bdf = Pattern.compile("^\\s*:\\s*\"([^\"]+)\"").matcher(vector);
    return new Truth(
        bdf.find() ? bdf.group(1) : "?",
        (int) hex(vector, "requester_id"),
        (int) hex(vector, "data"),
        hex(its, "dte_pa"),
        hex(its, "dte"),
        hex(its, "itt"),
        hex(its, "ite_pa"),
        decimal(its, "intid"),
        decimal(its, "icid"),
        (int) hex(its, "lpi_config_byte"));
  }

  private static long hex(String text, String name) {
    Matcher m = Pattern.compile("\"" + name + "\"\\s*:\\s*\"0x([0-9a-f]+)\"").matcher(text);
    if (!m.find()) {
      throw new IllegalArgumentException("no " + name + " in " + text);
    }
    return Long.parseUnsignedLong(m.group(1), 16);
  }

  private static int decimal(String text, String name) {
    Matcher m = Pattern.compile("\"" + name + "\"\\s*:\\s*(\\d+)").matcher(text);
    if (!m.find()) {
      throw new IllegalArgumentException("no " + name + " in " + text);
    }
    return Integer.parseInt(m.group(1));
  }
}
