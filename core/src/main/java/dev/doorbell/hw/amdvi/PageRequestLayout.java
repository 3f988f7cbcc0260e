package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.JoinedField;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;
import java.util.List;

/// Records of the peripheral page request log: 16 bytes, two little-endian quadwords. The event INVALID_PPR_REQUEST has its fields where they are
/// here.
///
/// **Source** AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.6 Peripheral Page Request (PPR) Logging.
public final class PageRequestLayout {
  /// Bytes of a record.
  public static final int BYTES = 16;

  /// PPRCode: a device asks for a page.
  public static final int PAGE_SERVICE_REQUEST = 1;

  private static final Layout L = Layout.lsb0("PPR[0]", 8);
  private static final Layout A = Layout.lsb0("PPR[1]", 8);

  // spotless:off
  public static final Field DEVICE     = L.bits("DeviceID",     15,  0);
  public static final Field PASID_LOW  = L.bits("PASID[15:0]",  31, 16);
  /// Page Request Group Index.
  public static final Field GROUP      = L.bits("PPRTag",       40, 32);
  /// Of its group, which alone is answered.
  public static final Field LAST       = L.bit ("Last",         41);
  public static final Field PASID_HIGH = L.bits("PASID[19:16]", 45, 42);
  public static final Field EXEC       = L.bit ("Exec",         49);
  public static final Field READ       = L.bit ("Read",         50);
  public static final Field WRITE      = L.bit ("Write",        53);
  public static final Field US         = L.bit ("US",           54);
  public static final Field RZ         = L.bit ("RZ",           55);
  public static final Field GN         = L.bit ("GN",           56);
  public static final Field CODE       = L.bits("PPRCode",      63, 60, ValueNames.of(PAGE_SERVICE_REQUEST, "page service request"));
  public static final Field ADDRESS    = A.address("Address",   63, 12);
  // spotless:on

  public static final Layout WORD_0 = L.res0(48, 46).res0(52, 51).res0(59, 57).seal();
  public static final Layout WORD_1 = A.res0(11, 0).seal();

  /// The PASID, with GN=1.
  public static final JoinedField PASID =
      new JoinedField(
          "PASID",
          List.of(
              new JoinedField.Piece(PASID_LOW, 0, 0), new JoinedField.Piece(PASID_HIGH, 0, 16)));

  private PageRequestLayout() {}
}
