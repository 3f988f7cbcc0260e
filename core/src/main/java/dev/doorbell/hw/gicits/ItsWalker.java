package dev.doorbell.hw.gicits;

import static dev.doorbell.hw.gicits.GitsRegisters.*;
import static dev.doorbell.hw.gicits.QemuItsTables.*;

import dev.doorbell.bits.Decoded;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/// Follows one message through an ITS's tables and tells each step. Reads registers and memory that somebody else recorded or lets it
/// see; at most six reads, whatever they hold.
///
/// Tables whose format is not one that it knows by name are not guessed at: the walk ends with a hop that says `cannot see`.
///
/// **Source**: IHI 0069 H, 5.2 and 12.19.
public final class ItsWalker {
  private static final String CANNOT_SEE = "cannot see";
  private static final String DROPPED = "dropped";

  private final String id;
  private final Map<String, Long> registers;
  private final MemoryView memory;
  private final String format;
  private final Basis basis;

  /// @param id the ITS's name
  /// @param registers by the manual's names without `GITS_`: `CTLR`, `TYPER`, `BASER0` to `BASER7`; missing ones cannot be seen
  /// @param memory where the tables are
  /// @param format the name of the tables' format, {@link QemuItsTables#NAME} or one that is not known
  /// @param basis how registers and memory are known
  public ItsWalker(
      String id, Map<String, Long> registers, MemoryView memory, String format, Basis basis) {
    this.id = id;
    this.registers = Map.copyOf(registers);
    this.memory = memory;
    this.format = format;
    this.basis = basis;
  }

  /// {@return what becomes of a message}
  ///
  /// @param deviceId unsigned
  /// @param eventId unsigned
  public ItsWalk walk(int deviceId, int eventId) {
    Walk walk = new Walk(Integer.toUnsignedLong(deviceId), Integer.toUnsignedLong(eventId));
    return walk.run();
  }

  /// One walk under way.
  private final class Walk {
    private final long deviceId;
    private final long eventId;
    private final List<Hop> hops = new ArrayList<>();
    private OptionalLong dteAddress = OptionalLong.empty();
    private OptionalLong dte = OptionalLong.empty();
    private OptionalLong ittAddress = OptionalLong.empty();
    private OptionalLong iteAddress = OptionalLong.empty();
    private OptionalInt intid = OptionalInt.empty();
    private OptionalInt icid = OptionalInt.empty();
    private OptionalInt target = OptionalInt.empty();
    private ItsWalk.Outcome outcome = ItsWalk.Outcome.CANNOT_SEE;

    Walk(long deviceId, long eventId) {
      this.deviceId = deviceId;
      this.eventId = eventId;
    }

    ItsWalk run() {
      if (accepts() && knowsFormat() && device() && event() && collection()) {
        outcome = ItsWalk.Outcome.TRANSLATED;
      }
      return new ItsWalk(
          hops, dteAddress, dte, ittAddress, iteAddress, intid, icid, target, outcome);
    }

    private boolean accepts() {
      Long ctlr = registers.get("CTLR");
      if (ctlr == null) {
        return unseen("GITS_CTLR", message(), "the register was not recorded", register("CTLR"));
      }
      String fields = fields(CTLR_LAYOUT, ctlr);
      if (!ENABLED.isSet(ctlr)) {
        return dropped("GITS_CTLR", message(), "the ITS is disabled: " + fields, register("CTLR"));
      }
      hop(
          "GITS_TRANSLATER",
          message(),
          message(),
          "the ITS is enabled: " + fields,
          register("CTLR"));
      return true;
    }

    private boolean knowsFormat() {
      if (!format.equals(NAME)) {
        return unseen(
            "device table",
            message(),
            "the ITS's tables are in the format '%s', which the architecture leaves to the implementation and Doorbell does not know"
                .formatted(format),
            Source.rule("IHI 0069 5.2"));
      }
      Long typer = registers.get("TYPER");
      if (typer == null) {
        return unseen("GITS_TYPER", message(), "the register was not recorded", register("TYPER"));
      }
      if (PTA.isSet(typer)) {
        return unseen(
            "GITS_TYPER",
            message(),
            "collections name a Redistributor by address (PTA is 1), which the format '%s' does not"
                .formatted(format),
            register("TYPER"));
      }
      if (ITT_ENTRY_SIZE.get(typer) + 1 != ITE_BYTES) {
        return unseen(
            "GITS_TYPER",
            message(),
            "ITT entries have %d bytes, so the tables are not in the format '%s'"
                .formatted(ITT_ENTRY_SIZE.get(typer) + 1, format),
            register("TYPER"));
      }
      if (deviceId >>> (DEVBITS.get(typer) + 1) != 0) {
        return dropped(
            "GITS_TYPER",
            message(),
            "a DeviceID has %d bits".formatted(DEVBITS.get(typer) + 1),
            register("TYPER"));
      }
      return true;
    }

    private boolean device() {
      OptionalLong entry = entry("device table", TYPE_DEVICES, DTE_BYTES, deviceId, message());
      if (entry.isEmpty()) {
        return false;
      }
      long at = entry.getAsLong();
      dteAddress = entry;
      OptionalLong word = memory.read64(at);
      if (word.isEmpty()) {
        return unseen("DTE", message(), notDumped(at), memory.source(at));
      }
      dte = word;
      String fields = fields(DTE, word.getAsLong());
      if (!DTE_VALID.isSet(word.getAsLong())) {
        return dropped("DTE", message(), "the device is not mapped: " + fields, memory.source(at));
      }
      long bits = DTE_SIZE.get(word.getAsLong()) + 1;
      if (eventId >>> bits != 0) {
        return dropped(
            "DTE",
            message(),
            "the device has EventIDs of %d bits: %s".formatted(bits, fields),
            memory.source(at));
      }
      long itt = ittAddress(word.getAsLong());
      ittAddress = OptionalLong.of(itt);
      hop(
          "DTE",
          message(),
          "ITT 0x%x, EventIDs of %d bits".formatted(itt, bits),
          fields,
          memory.source(at));
      return true;
    }

    private boolean event() {
      long at = ittAddress.orElseThrow() + eventId * ITE_BYTES;
      iteAddress = OptionalLong.of(at);
      String in = "EventID " + eventId;
      OptionalLong word0 = memory.read32(at + ITE_WORD0);
      OptionalLong word1 = memory.read32(at + ITE_WORD1);
      if (word0.isEmpty() || word1.isEmpty()) {
        return unseen("ITE", in, notDumped(at), memory.source(at));
      }
      String fields = fields(ITE_0, word0.getAsLong()) + " " + fields(ITE_1, word1.getAsLong());
      if (!ITE_VALID.isSet(word0.getAsLong())) {
        return dropped("ITE", in, "the event is not mapped: " + fields, memory.source(at));
      }
      if (!ITE_PHYSICAL.isSet(word0.getAsLong())) {
        return unseen(
            "ITE",
            in,
            "the event is a virtual interrupt (GICv4), which is not followed: " + fields,
            memory.source(at));
      }
      intid = OptionalInt.of(ITE_INTID.getInt(word0.getAsLong()));
      icid = OptionalInt.of(ITE_ICID.getInt(word1.getAsLong()));
      hop(
          "ITE",
          in,
          "LPI %d, collection %d".formatted(intid.getAsInt(), icid.getAsInt()),
          fields,
          memory.source(at));
      return true;
    }

    private boolean collection() {
      String in = "collection " + icid.orElseThrow();
      if (icid.orElseThrow() < HCC.get(registers.getOrDefault("TYPER", 0L))) {
        return unseen(
            "CTE", in, "the ITS holds this collection itself (GITS_TYPER.HCC)", register("TYPER"));
      }
      OptionalLong entry =
          entry("collection table", TYPE_COLLECTIONS, CTE_BYTES, icid.orElseThrow(), in);
      if (entry.isEmpty()) {
        return false;
      }
      long at = entry.getAsLong();
      OptionalLong word = memory.read64(at);
      if (word.isEmpty()) {
        return unseen("CTE", in, notDumped(at), memory.source(at));
      }
      String fields = fields(CTE, word.getAsLong());
      if (!CTE_VALID.isSet(word.getAsLong())) {
        return dropped("CTE", in, "the collection is not mapped: " + fields, memory.source(at));
      }
      target = OptionalInt.of(CTE_RDBASE.getInt(word.getAsLong()));
      hop("CTE", in, "redistributor of processor " + target.getAsInt(), fields, memory.source(at));
      return true;
    }

    /// {@return the address of an entry of a table in one or two levels; empty when the walk has ended}
    private OptionalLong entry(String table, int type, int entryBytes, long index, String in) {
      for (int i = 0; i < BASERS; i++) {
        Long baser = registers.get("BASER" + i);
        if (baser != null && BASER_TYPE.get(baser) == type) {
          return entryOf(i, table, entryBytes, index, in);
        }
      }
      unseen(table, in, "no GITS_BASER of this type was recorded", register("BASER<n>"));
      return OptionalLong.empty();
    }

    /// @param n the GITS_BASER that describes the table
    private OptionalLong entryOf(int n, String table, int entryBytes, long index, String in) {
      long baser = registers.getOrDefault("BASER" + n, 0L);
      Source register = register("BASER" + n);
      String fields = fields(BASER_LAYOUT, baser);
      if (!BASER_VALID.isSet(baser)) {
        dropped(table, in, "there is no table: " + fields, register);
        return OptionalLong.empty();
      }
      if (BASER_ENTRY_SIZE.get(baser) + 1 != entryBytes) {
        unseen(
            table,
            in,
            "entries do not have the %d bytes of the format '%s': %s"
                .formatted(entryBytes, format, fields),
            register);
        return OptionalLong.empty();
      }
      long page = pageBytes(BASER_PAGE_SIZE.get(baser));
      long bytes = (BASER_SIZE.get(baser) + 1) * page;
      boolean indirect = BASER_INDIRECT.isSet(baser);
      long perSlot = indirect ? page / entryBytes : 1;
      long slot = index / perSlot;
      long at = tableAddress(baser) + slot * (indirect ? LEVEL1_ENTRY_BYTES : entryBytes);
      if (slot >= bytes / (indirect ? LEVEL1_ENTRY_BYTES : entryBytes)) {
        dropped(table, in, "the table ends before entry %d: %s".formatted(index, fields), register);
        return OptionalLong.empty();
      }
      if (!indirect) {
        hop(table, in, "entry at 0x%x".formatted(at), "flat: " + fields, register);
        return OptionalLong.of(at);
      }
      hop(table, in, "level-1 entry at 0x%x".formatted(at), "two levels: " + fields, register);
      return levelTwo(table, at, page, index % perSlot * entryBytes, in);
    }

    private OptionalLong levelTwo(String table, long at, long page, long offset, String in) {
      String level1 = table + ", level 1";
      OptionalLong word = memory.read64(at);
      if (word.isEmpty()) {
        unseen(level1, in, notDumped(at), memory.source(at));
        return OptionalLong.empty();
      }
      String fields = fields(LEVEL1_LAYOUT, word.getAsLong());
      if (!LEVEL1_VALID.isSet(word.getAsLong())) {
        dropped(level1, in, "there is no level-2 page: " + fields, memory.source(at));
        return OptionalLong.empty();
      }
      long entry = (LEVEL1_ADDRESS.get(word.getAsLong()) & -page) + offset;
      hop(level1, in, "entry at 0x%x".formatted(entry), fields, memory.source(at));
      return OptionalLong.of(entry);
    }

    private String message() {
      return "DeviceID 0x%x, EventID %d".formatted(deviceId, eventId);
    }

    private void hop(String at, String in, String out, String why, Source source) {
      hops.add(new Hop(id + " " + at, in, out, why, source, basis));
    }

    private boolean dropped(String at, String in, String why, Source source) {
      hop(at, in, DROPPED, why, source);
      outcome = ItsWalk.Outcome.DROPPED;
      return false;
    }

    private boolean unseen(String at, String in, String why, Source source) {
      hop(at, in, CANNOT_SEE, why, source);
      outcome = ItsWalk.Outcome.CANNOT_SEE;
      return false;
    }
  }

  private static String notDumped(long at) {
    return "memory at 0x%x is not there to be read".formatted(at);
  }

  private Source register(String name) {
    return Source.rule("GITS_" + name + " of " + id);
  }

  private static String fields(Layout layout, long word) {
    return layout.decode(word).stream().map(Decoded::toString).collect(Collectors.joining(" "));
  }
}
