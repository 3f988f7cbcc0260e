package dev.doorbell.hw.ioapic;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The registers of an I/O APIC: an index, a window onto the register that it names, and the end of interrupt; and behind the window the registers
/// by index, each of 32 bits.
///
/// **Source** Intel 82093AA 3.1 (memory mapped registers), 3.2 (IOAPIC registers); ICH9 13.5.1 (EOI register).
public final class IoapicRegisters {
  /// Bytes that the registers take; they are repeated further on.
  public static final long BYTES = 0x100;

  /// The index of the first half of the first entry.
  public static final int FIRST_ENTRY = 0x10;

  /// Entries that an index of 8 bits reaches.
  public static final int MOST_ENTRIES = 0x78;

  /// Bytes of {@link #INDEXED} that stand for one index.
  public static final int BYTES_PER_INDEX = 4;

  /// VER.Version of the first that has an EOI register.
  public static final int VERSION_WITH_EOI = 0x20;

  private static final Layout SELECT_L = Layout.lsb0("IOREGSEL", 4);
  private static final Layout WINDOW_L = Layout.lsb0("IOWIN", 4);
  private static final Layout EOI_L = Layout.lsb0("EOI", 4);
  private static final Layout ID_L = Layout.lsb0("IOAPICID", 4);
  private static final Layout VERSION_L = Layout.lsb0("IOAPICVER", 4);
  private static final Layout ARBITRATION_L = Layout.lsb0("IOAPICARB", 4);

  // spotless:off
  public static final Field INDEX          = SELECT_L.bits     ("APIC Register Address", 7, 0);
  public static final Field DATA           = WINDOW_L.bits     ("APIC Register Data",  31,  0);
  public static final Field EOI_VECTOR     = EOI_L.bits        ("Redirection Entry Clear", 7, 0);
  public static final Field ID_VALUE       = ID_L.bits         ("IOAPIC Identification", 27, 24);
  public static final Field VERSION_VALUE  = VERSION_L.bits    ("APIC VERSION",         7,  0);
  public static final Field PRQ            = VERSION_L.bit     ("PRQ",                 15);
  public static final Field LAST_ENTRY     = VERSION_L.bits    ("Maximum Redirection Entry", 23, 16);
  public static final Field ARBITRATION_ID = ARBITRATION_L.bits("IOAPIC Arbitration ID", 27, 24);

  public static final Layout SELECT_LAYOUT  = SELECT_L.res0(31, 8).seal();
  public static final Layout WINDOW_LAYOUT  = WINDOW_L.seal();
  public static final Layout EOI_LAYOUT     = EOI_L.res0(31, 8).seal();
  public static final Layout ID_LAYOUT      = ID_L.res0(23, 0).res0(31, 28).seal();
  public static final Layout VERSION_LAYOUT = VERSION_L.res0(14, 8).res0(31, 24).seal();
  public static final Layout ARBITRATION_LAYOUT = ARBITRATION_L.res0(23, 0).res0(31, 28).seal();

  private static final Access ENTRY_BITS =
      Access.rw(IoapicLayout.ENTRY.fields().stream()
          .filter(f -> f != IoapicLayout.STATUS && f != IoapicLayout.REMOTE_IRR)
          .mapToLong(Field::mask).reduce(0, (a, b) -> a | b));
  private static final long MASKED = IoapicLayout.MASK.mask();

  private static final RegisterMap.Builder B = RegisterMap.named("I/O APIC", BYTES);
  public static final Register SELECT = B.register("IOREGSEL", 0x00, Access.rw(INDEX.mask()), SELECT_LAYOUT);
  public static final Register WINDOW = B.register("IOWIN",    0x10, Access.RW, WINDOW_LAYOUT);
  public static final Register EOI    = B.register("EOI",      0x40, Access.WO, EOI_LAYOUT);
  public static final RegisterMap MAP = B.seal();

  private static final RegisterMap.Builder I = RegisterMap.named("I/O APIC by index", 0x400);
  public static final Register ID          = I.register("IOAPICID",  0x00, Access.rw(ID_VALUE.mask()), ID_LAYOUT);
  public static final Register VERSION     = I.register("IOAPICVER", 0x04, Access.RO, VERSION_LAYOUT);
  public static final Register ARBITRATION = I.register("IOAPICARB", 0x08, Access.RO, ARBITRATION_LAYOUT);
  public static final Register ENTRIES     = I.array   ("IOREDTBL",  0x40, MOST_ENTRIES, ENTRY_BITS, IoapicLayout.ENTRY);
  public static final RegisterMap INDEXED  = I.seal();
  // spotless:on

  private IoapicRegisters() {}

  /// {@return the content of an entry after reset}
  public static long reset() {
    return MASKED;
  }

  /// {@return the index of the lower half of an entry}
  public static int index(int pin) {
    return FIRST_ENTRY + 2 * pin;
  }
}
