package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeMap;

/// I/O Virtualization Reporting Structure of AMD-Vi.
///
/// **Source**: AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 5.2.
///
/// @param info `IvrsLayout.IV_INFO`
/// @param units IVHD blocks, of which several may describe one unit
/// @param memory IVMD blocks
/// @param counts blocks by type
record Ivrs(
    long info,
    List<Unit> units,
    List<Memory> memory,
    TreeMap<Integer, Integer> counts,
    AcpiTable table) {

  static final int IVHD_10 = 0x10;
  static final int IVHD_11 = 0x11;
  static final int IVHD_40 = 0x40;
  static final int IVMD_ALL = 0x20;
  static final int IVMD_SELECT = 0x21;
  static final int IVMD_RANGE = 0x22;

  /// Device entries of one table that are read at most, and units: real tables have some dozens, and at most eight.
  private static final int MOST_ENTRIES = 8192;

  private static final int MOST_UNITS = 256;
  private static final int BLOCK_HEADER = 4;

  /// An IVHD block.
  ///
  /// @param type 10h, 11h or 40h; the higher one counts where a unit has several
  /// @param deviceId the requester id of the IOMMU itself
  /// @param features Extended Feature Register; empty in a block of type 10h
  record Unit(
      int type,
      int deviceId,
      int segment,
      long base,
      OptionalLong features,
      List<Entry> entries,
      Source source) {}

  /// A device entry.
  sealed interface Entry {
    Source source();
  }

  /// Every device.
  record All(Source source) implements Entry {}

  /// Devices first to last.
  ///
  /// @param alias the requester id under which they appear, or -1 for their own
  record Range(int first, int last, int alias, Source source) implements Entry {}

  /// An I/O APIC or an HPET.
  ///
  /// @param variety 1 I/O APIC, 2 HPET
  /// @param handle the I/O APIC's or HPET's id
  /// @param deviceId the requester id of its messages
  record Special(int variety, int handle, int deviceId, Source source) implements Entry {
    static final int IO_APIC = 1;
    static final int HPET = 2;
  }

  /// A device that is no PCI function.
  record AcpiDevice(int deviceId, String hid, Source source) implements Entry {}

  /// An IVMD block.
  ///
  /// @param first the first requester id that it binds
  /// @param last the last one
  record Memory(
      int flags, int segment, int first, int last, long start, long bytes, Source source) {}

  static Ivrs read(AcpiTable table, Findings findings) {
    Blob b = table.blob();
    Ivrs ivrs =
        new Ivrs(
            b.get(0, IvrsLayout.INFORMATION),
            new ArrayList<>(),
            new ArrayList<>(),
            new TreeMap<>(),
            table);
    Entries entries = new Entries(b, findings);
    int at = IvrsLayout.TABLE_BYTES;
    while (at < b.size()) {
      if (at + BLOCK_HEADER > b.size()) {
        findings.odd("a block header is cut off at the table's end", b.source(at));
        break;
      }
      int type = b.getInt(at, IvrsLayout.TYPE);
      int length = b.getInt(at, IvrsLayout.LENGTH);
      if (length < BLOCK_HEADER || at + length > b.size()) {
        findings.odd(
            "block of type %02Xh states length %d with %d bytes left; what follows cannot be found"
                .formatted(type, length, b.size() - at),
            b.source(at));
        break;
      }
      ivrs.counts.merge(type, 1, Integer::sum);
      try {
        ivrs.block(type, at, length, entries);
      } catch (MalformedException e) {
        findings.odd(e);
      }
      at += length;
    }
    return ivrs;
  }

  private void block(int type, int at, int length, Entries entries) {
    Blob b = table.blob();
    Source source = b.source(at);
    switch (type) {
      case IVHD_10, IVHD_11, IVHD_40 -> {
        int header = type == IVHD_10 ? IvrsLayout.UNIT_BYTES : IvrsLayout.UNIT.size();
        atLeast(header, length, "IVHD", source);
        if (units.size() >= MOST_UNITS) {
          throw new MalformedException(
              "more than %d IVHD blocks; it is passed over".formatted(MOST_UNITS), source);
        }
        units.add(
            new Unit(
                type,
                b.getInt(at, IvrsLayout.DEVICE_ID),
                b.getInt(at, IvrsLayout.UNIT_SEGMENT),
                b.get(at, IvrsLayout.UNIT_BASE),
                type == IVHD_10
                    ? OptionalLong.empty()
                    : OptionalLong.of(b.get(at, IvrsLayout.UNIT_EFR)),
                entries.read(at + header, at + length),
                source));
      }
      case IVMD_ALL, IVMD_SELECT, IVMD_RANGE -> {
        atLeast(IvrsLayout.MEMORY_BLOCK.size(), length, "IVMD", source);
        int first = type == IVMD_ALL ? 0 : b.getInt(at, IvrsLayout.DEVICE_ID);
        int last =
            type == IVMD_ALL
                ? 0xffff
                : type == IVMD_SELECT ? first : b.getInt(at, IvrsLayout.MEMORY_LAST);
        memory.add(
            new Memory(
                b.getInt(at, IvrsLayout.BLOCK_FLAGS),
                b.getInt(at, IvrsLayout.MEMORY_SEGMENT),
                first,
                last,
                b.get(at, IvrsLayout.MEMORY_START),
                b.get(at, IvrsLayout.MEMORY_BYTES),
                source));
      }
      default ->
          throw new MalformedException(
              "block of unknown type %02Xh and length %d is passed over".formatted(type, length),
              source);
    }
  }

  private static void atLeast(int wanted, int length, String name, Source source) {
    if (length < wanted) {
      throw new MalformedException(
          "%s block of length %d, less than %d; it is passed over".formatted(name, length, wanted),
          source);
    }
  }

  /// Reads device entries, a bounded number of them.
  private static final class Entries {
    private static final int PADDING = 0x00;
    private static final int ALL = 0x01;
    private static final int SELECT = 0x02;
    private static final int RANGE_START = 0x03;
    private static final int RANGE_END = 0x04;
    private static final int ALIAS_SELECT = 0x42;
    private static final int ALIAS_START = 0x43;
    private static final int EXTENDED_SELECT = 0x46;
    private static final int EXTENDED_START = 0x47;
    private static final int SPECIAL = 0x48;
    private static final int ACPI_DEVICE = 0xf0;
    private static final int FIRST_VARIABLE = 0x80;

    /// A range whose end has not come yet.
    private record Open(int first, int alias, Source source) {}

    private final Blob b;
    private final Findings findings;
    private int left = MOST_ENTRIES;

    Entries(Blob b, Findings findings) {
      this.b = b;
      this.findings = findings;
    }

    List<Entry> read(int from, int end) {
      List<Entry> out = new ArrayList<>();
      Open open = null;
      int at = from;
      while (at < end) {
        int type = b.getInt(at, IvrsLayout.ENTRY_TYPE);
        int length = length(type, at, end);
        if (length == 0 || at + length > end) {
          findings.odd(
              "device entry of type %02Xh does not fit the %d bytes left of its block"
                  .formatted(type, end - at),
              b.source(at));
          break;
        }
        if (left-- <= 0) {
          findings.odd("more than %d device entries".formatted(MOST_ENTRIES), b.source(at));
          break;
        }
        if (open != null && type != RANGE_END && type != PADDING) {
          findings.odd(
              "range of devices from 0x%x has no end entry after it".formatted(open.first),
              open.source);
          open = null;
        }
        open =
            switch (type) {
              case RANGE_START, ALIAS_START, EXTENDED_START ->
                  new Open(
                      b.getInt(at, IvrsLayout.ENTRY_DEVICE),
                      type == ALIAS_START ? b.getInt(at, IvrsLayout.ALIAS_SOURCE) : -1,
                      b.source(at));
              case RANGE_END -> {
                close(open, at, out);
                yield null;
              }
              default -> {
                single(type, at, length, out);
                yield open;
              }
            };
        at += length;
      }
      if (open != null) {
        findings.odd(
            "range of devices from 0x%x has no end entry after it".formatted(open.first),
            open.source);
      }
      return List.copyOf(out);
    }

    /// Types below 80h say their length by their two top bits; what is above is known or not.
    private int length(int type, int at, int end) {
      if (type < FIRST_VARIABLE) {
        return 4 << (type >>> 6);
      }
      int fixed = IvrsLayout.ACPI_DEVICE.size();
      return type == ACPI_DEVICE && at + fixed <= end
          ? fixed + b.getInt(at, IvrsLayout.ACPI_UID_LENGTH)
          : 0;
    }

    private void close(@org.jspecify.annotations.Nullable Open open, int at, List<Entry> out) {
      int last = b.getInt(at, IvrsLayout.ENTRY_DEVICE);
      if (open == null) {
        findings.odd("end of a range of devices without a start before it", b.source(at));
      } else if (last < open.first) {
        findings.odd(
            "range of devices from 0x%x ends at 0x%x".formatted(open.first, last), open.source);
      } else {
        out.add(new Range(open.first, last, open.alias, open.source));
      }
    }

    private void single(int type, int at, int length, List<Entry> out) {
      Source source = b.source(at);
      int device = b.getInt(at, IvrsLayout.ENTRY_DEVICE);
      switch (type) {
        case PADDING -> {}
        case ALL -> out.add(new All(source));
        case SELECT, EXTENDED_SELECT -> out.add(new Range(device, device, -1, source));
        case ALIAS_SELECT ->
            out.add(new Range(device, device, b.getInt(at, IvrsLayout.ALIAS_SOURCE), source));
        case SPECIAL ->
            out.add(
                new Special(
                    b.getInt(at, IvrsLayout.SPECIAL_VARIETY),
                    b.getInt(at, IvrsLayout.SPECIAL_HANDLE),
                    b.getInt(at, IvrsLayout.SPECIAL_DEVICE),
                    source));
        case ACPI_DEVICE ->
            out.add(
                new AcpiDevice(
                    device,
                    b.text(at + IvrsLayout.ACPI_HID.offset(), IvrsLayout.ACPI_HID.bytes()),
                    source));
        default ->
            findings.odd(
                "device entry of unknown type %02Xh and length %d is passed over"
                    .formatted(type, length),
                source);
      }
    }
  }
}
