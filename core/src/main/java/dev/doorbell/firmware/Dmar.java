package dev.doorbell.firmware;

import dev.doorbell.explain.Printable;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// DMA Remapping table of Intel VT-d.
///
/// **Source**: Intel Virtualization Technology for Directed I/O, revision 4.1, 8.
///
/// @param width bits of a host physical address
/// @param flags `DmarLayout.FLAGS`
/// @param units DRHD structures
/// @param memory RMRR structures
/// @param ports root ports that take ATS requests (ATSR), integrated devices that should use ATS (SATC), and devices with properties of
///   their own (SIDP)
/// @param named ACPI devices that scopes refer to by a number (ANDD)
/// @param counts structures by type
record Dmar(
    int width,
    int flags,
    List<Unit> units,
    List<Memory> memory,
    List<Scoped> ports,
    List<Proximity> proximities,
    List<Named> named,
    TreeMap<Integer, Integer> counts,
    AcpiTable table) {

  static final int DRHD = 0;
  static final int RMRR = 1;
  static final int ATSR = 2;
  static final int RHSA = 3;
  static final int ANDD = 4;
  static final int SATC = 5;
  static final int SIDP = 6;

  /// Scopes of one table that are read at most: real ones have some dozens.
  private static final int MOST_SCOPES = 8192;

  private static final long PAGE = 4096;
  private static final int LONGEST_NAME = 256;

  /// A remapping unit.
  ///
  /// @param bytes of its registers
  record Unit(
      boolean includeAll,
      int segment,
      long base,
      long bytes,
      List<DeviceScope> scopes,
      Source source) {}

  /// Memory that devices use behind the operating system's back.
  record Memory(int segment, long base, long limit, List<DeviceScope> scopes, Source source) {}

  /// An ATSR, SATC or SIDP structure.
  record Scoped(int type, int flags, int segment, List<DeviceScope> scopes, Source source) {}

  /// Which NUMA node a unit is near.
  record Proximity(long base, long domain, Source source) {}

  /// An ACPI device.
  record Named(int number, String name, Source source) {}

  /// A device, told by the way to it from a bus.
  ///
  /// @param type 1 PCI endpoint, 2 PCI sub-hierarchy, 3 I/O APIC, 4 HPET, 5 ACPI device
  /// @param enumerationId the I/O APIC's or HPET's id
  /// @param path device and function numbers, alternately
  record DeviceScope(int type, int enumerationId, int startBus, List<Integer> path, Source source) {
    static final int ENDPOINT = 1;
    static final int SUB_HIERARCHY = 2;
    static final int IO_APIC = 3;
    static final int HPET = 4;
    static final int ACPI_DEVICE = 5;

    boolean isPci() {
      return type == ENDPOINT || type == SUB_HIERARCHY;
    }
  }

  /// {@return whether firmware asks the system to stay out of x2APIC mode}
  boolean optsOutOfX2Apic() {
    return DmarLayout.X2APIC_OPT_OUT.isSet(flags);
  }

  static Dmar read(AcpiTable table, Findings findings) {
    Blob b = table.blob();
    Dmar dmar =
        new Dmar(
            b.getInt(0, DmarLayout.WIDTH) + 1,
            b.getInt(0, DmarLayout.TABLE_FLAGS),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new TreeMap<>(),
            table);
    if (dmar.width > Long.SIZE) {
      findings.odd(
          "a host address width of %d bits is no width".formatted(dmar.width),
          b.source(DmarLayout.WIDTH.offset()));
    }
    Scopes scopes = new Scopes(b, findings);
    int at = DmarLayout.TABLE_BYTES;
    while (at < b.size()) {
      if (at + DmarLayout.HEADER.size() > b.size()) {
        findings.odd("a structure header is cut off at the table's end", b.source(at));
        break;
      }
      int type = b.getInt(at, DmarLayout.TYPE);
      int length = b.getInt(at, DmarLayout.LENGTH);
      if (length < DmarLayout.HEADER.size() || at + length > b.size()) {
        findings.odd(
            "structure of type %d states length %d with %d bytes left; what follows cannot be found"
                .formatted(type, length, b.size() - at),
            b.source(at));
        break;
      }
      dmar.counts.merge(type, 1, Integer::sum);
      try {
        dmar.structure(type, at, length, scopes);
      } catch (MalformedException e) {
        findings.odd(e);
      }
      at += length;
    }
    dmar.counts
        .tailMap(SIDP, false)
        .forEach((type, count) ->
            findings.odd(
                "%d structures of unknown type %d are passed over".formatted(count, type),
                table.source(0)));
    return dmar;
  }

  private void structure(int type, int at, int length, Scopes scopes) {
    Blob b = table.blob();
    Source source = b.source(at);
    switch (type) {
      case DRHD -> {
        atLeast(DmarLayout.UNIT.size(), length, "DRHD", source);
        units.add(
            new Unit(
                DmarLayout.INCLUDE_PCI_ALL.isSet(b.get(at, DmarLayout.UNIT_FLAGS)),
                b.getInt(at, DmarLayout.UNIT_SEGMENT),
                b.get(at, DmarLayout.UNIT_BASE),
                PAGE << DmarLayout.SIZE.getInt(b.get(at, DmarLayout.UNIT_SIZE)),
                scopes.read(at + DmarLayout.UNIT.size(), at + length),
                source));
      }
      case RMRR -> {
        atLeast(DmarLayout.RMRR.size(), length, "RMRR", source);
        memory.add(
            new Memory(
                b.getInt(at, DmarLayout.RMRR_SEGMENT),
                b.get(at, DmarLayout.RMRR_BASE),
                b.get(at, DmarLayout.RMRR_LIMIT),
                scopes.read(at + DmarLayout.RMRR.size(), at + length),
                source));
      }
      case ATSR, SATC, SIDP -> {
        atLeast(
            DmarLayout.ATSR.size(),
            length,
            type == ATSR ? "ATSR" : type == SATC ? "SATC" : "SIDP",
            source);
        ports.add(
            new Scoped(
                type,
                b.getInt(at, DmarLayout.ATSR_FLAGS),
                b.getInt(at, DmarLayout.ATSR_SEGMENT),
                scopes.read(at + DmarLayout.ATSR.size(), at + length),
                source));
      }
      case RHSA -> {
        atLeast(DmarLayout.RHSA.size(), length, "RHSA", source);
        proximities.add(
            new Proximity(
                b.get(at, DmarLayout.RHSA_BASE), b.get(at, DmarLayout.RHSA_DOMAIN), source));
      }
      case ANDD -> {
        int name = DmarLayout.ANDD.size();
        atLeast(name + 1, length, "ANDD", source);
        String text = b.zeroTerminated(at + name, Math.min(length - name, LONGEST_NAME));
        named.add(new Named(b.getInt(at, DmarLayout.ANDD_NUMBER), Printable.of(text), source));
      }
      default -> {}
    }
  }

  private static void atLeast(int wanted, int length, String name, Source source) {
    if (length < wanted) {
      throw new MalformedException(
          "%s structure of length %d, less than %d; it is passed over"
              .formatted(name, length, wanted),
          source);
    }
  }

  /// Reads device scopes, a bounded number of them.
  private static final class Scopes {
    private final Blob b;
    private final Findings findings;
    private int left = MOST_SCOPES;

    Scopes(Blob b, Findings findings) {
      this.b = b;
      this.findings = findings;
    }

    List<DeviceScope> read(int from, int end) {
      List<DeviceScope> out = new ArrayList<>();
      int at = from;
      while (at < end) {
        int length = at + 2 <= end ? b.getInt(at, DmarLayout.SCOPE_LENGTH) : 0;
        if (length < DmarLayout.SCOPE.size() + 2 || at + length > end) {
          findings.odd(
              "device scope states length %d with %d bytes left of its structure"
                  .formatted(length, end - at),
              b.source(at));
          break;
        }
        if (left-- <= 0) {
          findings.odd("more than %d device scopes".formatted(MOST_SCOPES), b.source(at));
          break;
        }
        out.add(scope(at, length));
        at += length;
      }
      return List.copyOf(out);
    }

    private DeviceScope scope(int at, int length) {
      List<Integer> path = new ArrayList<>();
      for (int i = DmarLayout.SCOPE.size(); i + 2 <= length; i += 2) {
        path.add(b.u8(at + i));
        path.add(b.u8(at + i + 1));
      }
      return new DeviceScope(
          b.getInt(at, DmarLayout.SCOPE_TYPE),
          b.getInt(at, DmarLayout.ENUMERATION_ID),
          b.getInt(at, DmarLayout.START_BUS),
          List.copyOf(path),
          b.source(at));
    }
  }
}
