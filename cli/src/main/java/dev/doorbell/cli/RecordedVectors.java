package dev.doorbell.cli;

import dev.doorbell.explain.Source;
import dev.doorbell.pci.MsixLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.route.ProgrammedVector;
import dev.doorbell.route.VectorState;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import tools.jackson.databind.JsonNode;

/// The functions' vectors as a `devices.json` has them. Nothing stands for a fact that it lacks.
///
/// **Source**: PCI Express Base 6.0, 7.7.1.2 (MSI Message Control), 7.7.2.2 (MSI-X Message Control), 6.1.4 (several messages).
final class RecordedVectors {
  private static final int CONTROL_BITS = 16;
  private static final int MSI_ENABLE = 0;
  private static final int MSI_CAPABLE_SHIFT = 1;
  private static final int MSI_ALLOCATED_SHIFT = 4;
  private static final int MSI_EXPONENT = 7;
  private static final int MSI_MASKING = 8;
  private static final int MSI_EXTENDED_DATA = 10;
  private static final int MSIX_ENABLE = 15;
  private static final int MOST_MESSAGES = 32;

  private final Map<String, RecordedFields> functions = new HashMap<>();

  RecordedVectors(Path file, JsonNode document) {
    RecordedFields root = new RecordedFields(file, "", document);
    int n = 0;
    for (JsonNode d :
        root.list("devices").orElseThrow(() -> root.wrong("devices", "is not there"))) {
      RecordedFields fields = new RecordedFields(file, "devices[%d]".formatted(n), d);
      n++;
      String bdf = d.path("bdf").asString("");
      if (!bdf.isEmpty() && functions.put(bdf, fields) != null) {
        throw fields.wrong("bdf", "is %s, which came before".formatted(bdf));
      }
    }
  }

  /// {@return what is known of a vector}
  ///
  /// @throws IndexOutOfBoundsException when the function has no such vector
  /// @throws UnusableInput when a field cannot be meant, or contradicts another
  VectorState vector(Sbdf function, int vector) {
    RecordedFields d = functions.get(function.toString());
    if (d == null) {
      return unseen("it has no entry for the function", function, "devices");
    }
    Optional<VectorState> msix = d.object("msix").map(m -> msix(function, m, vector));
    Optional<VectorState> msi = d.object("msi").map(m -> msi(function, m, vector));
    if (msix.isEmpty() || msix.get() instanceof VectorState.Off) {
      Optional<VectorState> other = msi.filter(s -> !(s instanceof VectorState.Off));
      return other
          .or(() -> msix)
          .or(() -> msi)
          .orElseGet(() -> unseen("it has neither msix nor msi", function, "devices"));
    }
    return msix.get();
  }

  private static VectorState msix(Sbdf function, RecordedFields m, int vector) {
    OptionalLong control = m.number("control", CONTROL_BITS);
    OptionalLong enabled = enabled(m, control, MSIX_ENABLE);
    OptionalLong size =
        control.isPresent()
            ? OptionalLong.of(MsixLayout.entries((int) control.getAsLong()))
            : control;
    OptionalLong entries =
        m.agreed("entries", m.number("entries", CONTROL_BITS), "Message Control", size);
    if (enabled.isEmpty()) {
      return unseen("it has neither enabled nor control", function, "msix");
    }
    if (enabled.getAsLong() == 0) {
      return new VectorState.Off("MSI-X", source(function, "msix"));
    }
    if (entries.isPresent() && vector >= entries.getAsLong()) {
      throw new IndexOutOfBoundsException(
          "%s has an MSI-X table of %d entries and no vector %d"
              .formatted(function, entries.getAsLong(), vector));
    }
    Optional<RecordedFields> entry = entry(m, vector);
    if (entry.isEmpty()) {
      return unseen("it has no entry %d".formatted(vector), function, "msix.table");
    }
    RecordedFields e = entry.get();
    OptionalLong ctrl = e.number("ctrl", Integer.SIZE);
    String lacks = lacks(e.number("addr", Long.SIZE), e.number("data", Integer.SIZE));
    if (lacks.isEmpty() && ctrl.isEmpty()) {
      lacks = "ctrl";
    }
    if (!lacks.isEmpty()) {
      return unseen("entry %d has no %s".formatted(vector, lacks), function, "msix.table");
    }
    if (control.isEmpty()) {
      return unseen("it has no control, which holds the function's mask", function, "msix");
    }
    return new ProgrammedVector(
        e.number("addr", Long.SIZE).orElseThrow(),
        (int) e.number("data", Integer.SIZE).orElseThrow(),
        MsixLayout.isMasked((int) control.getAsLong(), ctrl.orElseThrow()),
        "MSI-X",
        source(function, "msix.table"));
  }

  private static Optional<RecordedFields> entry(RecordedFields m, int vector) {
    Optional<RecordedFields> found = Optional.empty();
    int n = 0;
    for (JsonNode node : m.list("table").map(t -> (Iterable<JsonNode>) t).orElse(List.of())) {
      RecordedFields e = new RecordedFields(m.file(), "%s.table[%d]".formatted(m.place(), n), node);
      n++;
      OptionalLong number = e.number("vector", CONTROL_BITS);
      if (number.isPresent() && number.getAsLong() == vector) {
        if (found.isPresent()) {
          throw e.wrong("vector", "is %d, which came before".formatted(vector));
        }
        found = Optional.of(e);
      }
    }
    return found;
  }

  private static VectorState msi(Sbdf function, RecordedFields m, int vector) {
    OptionalLong control = m.number("control", CONTROL_BITS);
    OptionalLong enabled = enabled(m, control, MSI_ENABLE);
    OptionalLong most = messages(m, "max", control, MSI_CAPABLE_SHIFT);
    OptionalLong allocated = messages(m, "allocated", control, MSI_ALLOCATED_SHIFT);
    if (enabled.isEmpty()) {
      return unseen("it has neither enabled nor control", function, "msi");
    }
    if (enabled.getAsLong() == 0) {
      return new VectorState.Off("MSI", source(function, "msi"));
    }
    if (most.isPresent() && vector >= most.getAsLong()) {
      throw new IndexOutOfBoundsException(
          "%s has an MSI capability of %d vectors and no vector %d"
              .formatted(function, most.getAsLong(), vector));
    }
    if (allocated.isEmpty()) {
      return unseen("it has neither allocated nor control", function, "msi");
    }
    if (vector >= allocated.getAsLong()) {
      return new VectorState.Off("MSI", source(function, "msi"));
    }
    boolean wide = control.isPresent() && bit(control.getAsLong(), MSI_EXTENDED_DATA) != 0;
    OptionalLong address = m.number("addr", Long.SIZE);
    OptionalLong data = m.number("data", wide ? Integer.SIZE : Short.SIZE);
    OptionalLong mask = m.number("mask", Integer.SIZE);
    String lacks = lacks(address, data);
    boolean noMask = control.isPresent() && bit(control.getAsLong(), MSI_MASKING) == 0;
    if (lacks.isEmpty() && mask.isEmpty() && !noMask) {
      lacks = "mask";
    }
    if (!lacks.isEmpty()) {
      return unseen("it has no " + lacks, function, "msi");
    }
    // The function replaces the low bits of the datum, and does not add to it.
    long numbered = data.getAsLong() & -allocated.getAsLong() | vector;
    return new ProgrammedVector(
        address.getAsLong(),
        (int) numbered,
        mask.isPresent() && bit(mask.getAsLong(), vector) != 0,
        "MSI",
        source(function, "msi"));
  }

  private static OptionalLong enabled(RecordedFields m, OptionalLong control, int bit) {
    OptionalLong said =
        m.flag("enabled").map(e -> OptionalLong.of(e ? 1 : 0)).orElse(OptionalLong.empty());
    OptionalLong read =
        control.isPresent() ? OptionalLong.of(bit(control.getAsLong(), bit)) : control;
    return m.agreed("enabled", said, "Message Control", read);
  }

  private static OptionalLong messages(
      RecordedFields m, String field, OptionalLong control, int shift) {
    OptionalLong said = m.number(field, CONTROL_BITS);
    if (said.isPresent()
        && (Long.bitCount(said.getAsLong()) != 1 || said.getAsLong() > MOST_MESSAGES)) {
      throw m.wrong(field, "is %d, and not a power of two up to 32".formatted(said.getAsLong()));
    }
    OptionalLong read =
        control.isPresent()
            ? OptionalLong.of(1L << (control.getAsLong() >>> shift & MSI_EXPONENT))
            : control;
    return m.agreed(field, said, "Message Control", read);
  }

  private static String lacks(OptionalLong address, OptionalLong data) {
    if (address.isEmpty()) {
      return "addr";
    }
    return data.isEmpty() ? "data" : "";
  }

  private static long bit(long word, int bit) {
    return word >>> bit & 1;
  }

  private static VectorState unseen(String why, Sbdf function, String where) {
    return new VectorState.Unseen(
        "what the function is programmed with was not recorded: " + why, source(function, where));
  }

  private static Source source(Sbdf function, String where) {
    return Source.file("devices.json: %s of %s".formatted(where, function));
  }
}
