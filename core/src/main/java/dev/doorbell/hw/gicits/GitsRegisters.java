package dev.doorbell.hw.gicits;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.JoinedField;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;
import java.util.List;

/// An ITS's registers: the control frame and, 64 KiB above it, the translation frame. Source: IHI 0069 H, 12.18 and 12.19.
public final class GitsRegisters {
  /// Bytes of both frames.
  public static final long BYTES = 0x20000;

  /// Types of table in GITS_BASER.Type.
  public static final int TYPE_NONE = 0;

  public static final int TYPE_DEVICES = 1;
  public static final int TYPE_VPES = 2;
  public static final int TYPE_COLLECTIONS = 4;

  /// Bytes of an entry of a level-1 table.
  public static final int LEVEL1_ENTRY_BYTES = 8;

  /// Bytes that GITS_CBASER.Size counts.
  public static final int QUEUE_PAGE_BYTES = 4096;

  private static final Layout CTLR_L = Layout.lsb0("GITS_CTLR", 4);
  private static final Layout IIDR_L = Layout.lsb0("GITS_IIDR", 4);
  private static final Layout TYPER_L = Layout.lsb0("GITS_TYPER", 8);
  private static final Layout MPAMIDR_L = Layout.lsb0("GITS_MPAMIDR", 4);
  private static final Layout PARTIDR_L = Layout.lsb0("GITS_PARTIDR", 4);
  private static final Layout MPIDR_L = Layout.lsb0("GITS_MPIDR", 4);
  private static final Layout STATUSR_L = Layout.lsb0("GITS_STATUSR", 4);
  private static final Layout UMSIR_L = Layout.lsb0("GITS_UMSIR", 8);
  private static final Layout CBASER_L = Layout.lsb0("GITS_CBASER", 8);
  private static final Layout CWRITER_L = Layout.lsb0("GITS_CWRITER", 8);
  private static final Layout CREADR_L = Layout.lsb0("GITS_CREADR", 8);
  private static final Layout BASER_L = Layout.lsb0("GITS_BASER", 8);
  private static final Layout BASER_64K_L = Layout.lsb0("GITS_BASER (64 KiB pages)", 8);
  private static final Layout LEVEL1_L = Layout.lsb0("level-1 table entry", 8);
  private static final Layout PIDR2_L = Layout.lsb0("GITS_PIDR2", 4);
  private static final Layout TRANSLATER_L = Layout.lsb0("GITS_TRANSLATER", 4);

  private static final ValueNames TYPES =
      ValueNames.of(
          TYPE_NONE,
          "unimplemented",
          TYPE_DEVICES,
          "Devices",
          TYPE_VPES,
          "vPEs",
          TYPE_COLLECTIONS,
          "Interrupt collections");
  private static final ValueNames PAGE_SIZES = ValueNames.of(0, "4 KiB", 1, "16 KiB", 2, "64 KiB");
  private static final ValueNames ARCH = ValueNames.of(3, "GICv3", 4, "GICv4");

  // spotless:off
  public static final Field ENABLED     = CTLR_L.bit ("Enabled",    0);
  public static final Field IMDE        = CTLR_L.bit ("ImDe",       1);
  public static final Field ITS_NUMBER  = CTLR_L.bits("ITS_Number", 7, 4);
  public static final Field UMSI_IRQ_EN = CTLR_L.bit ("UMSIirq",    8);
  public static final Field QUIESCENT   = CTLR_L.bit ("Quiescent", 31);
  public static final Layout CTLR_LAYOUT = CTLR_L.res0(3, 2).res0(30, 9).seal();

  public static final Field IMPLEMENTER  = IIDR_L.bits("Implementer", 11,  0);
  public static final Field REVISION     = IIDR_L.bits("Revision",    15, 12);
  public static final Field VARIANT      = IIDR_L.bits("Variant",     19, 16);
  public static final Field PRODUCT_ID   = IIDR_L.bits("ProductID",   31, 24);
  public static final Layout IIDR_LAYOUT = IIDR_L.res0(23, 20).seal();

  public static final Field PHYSICAL       = TYPER_L.bit ("Physical",        0);
  public static final Field VIRTUAL        = TYPER_L.bit ("Virtual",         1);
  public static final Field CCT            = TYPER_L.bit ("CCT",             2);
  /// Bytes of an ITT entry, minus one.
  public static final Field ITT_ENTRY_SIZE = TYPER_L.bits("ITT_entry_size",  7,  4);
  /// Bits of an EventID, minus one.
  public static final Field ID_BITS        = TYPER_L.bits("ID_bits",        12,  8);
  /// Bits of a DeviceID, minus one.
  public static final Field DEVBITS        = TYPER_L.bits("Devbits",        17, 13);
  public static final Field SEIS           = TYPER_L.bit ("SEIS",           18);
  /// Whether a target is a Redistributor's address (1) or its processor number (0).
  public static final Field PTA            = TYPER_L.bit ("PTA",            19);
  /// Collections that the ITS holds itself, without memory.
  public static final Field HCC            = TYPER_L.bits("HCC",            31, 24);
  /// Bits of an ICID, minus one, when CIL is 1; else an ICID has 16.
  public static final Field CIDBITS        = TYPER_L.bits("CIDbits",        35, 32);
  public static final Field CIL            = TYPER_L.bit ("CIL",            36);
  public static final Field VMOVP          = TYPER_L.bit ("VMOVP",          37);
  public static final Field MPAM           = TYPER_L.bit ("MPAM",           38);
  public static final Field VSGI           = TYPER_L.bit ("VSGI",           39);
  public static final Field VMAPP          = TYPER_L.bit ("VMAPP",          40);
  public static final Field SVPET          = TYPER_L.bits("SVPET",          42, 41);
  public static final Field NID            = TYPER_L.bit ("nID",            43);
  public static final Field UMSI           = TYPER_L.bit ("UMSI",           44);
  public static final Field UMSI_IRQ       = TYPER_L.bit ("UMSIirq",        45);
  public static final Field INV            = TYPER_L.bit ("INV",            46);
  public static final Layout TYPER_LAYOUT  = TYPER_L.impdef(3, 3).res0(23, 20).res0(63, 47).seal();

  public static final Field PARTID_MAX      = MPAMIDR_L.bits("PARTIDmax", 15,  0);
  public static final Field PMG_MAX         = MPAMIDR_L.bits("PMGmax",    23, 16);
  public static final Layout MPAMIDR_LAYOUT = MPAMIDR_L.res0(31, 24).seal();

  public static final Field PARTID          = PARTIDR_L.bits("PARTID", 15,  0);
  public static final Field PMG             = PARTIDR_L.bits("PMG",    23, 16);
  public static final Layout PARTIDR_LAYOUT = PARTIDR_L.res0(31, 24).seal();

  public static final Field MPIDR_AFF1    = MPIDR_L.bits("Aff1", 15,  8);
  public static final Field MPIDR_AFF2    = MPIDR_L.bits("Aff2", 23, 16);
  public static final Field MPIDR_AFF3    = MPIDR_L.bits("Aff3", 31, 24);
  public static final Layout MPIDR_LAYOUT = MPIDR_L.res0(7, 0).seal();

  public static final Field RRD             = STATUSR_L.bit("RRD",        0);
  public static final Field WRD             = STATUSR_L.bit("WRD",        1);
  public static final Field RWOD            = STATUSR_L.bit("RWOD",       2);
  public static final Field WROD            = STATUSR_L.bit("WROD",       3);
  public static final Field UMSI_RECEIVED   = STATUSR_L.bit("UMSI",       4);
  public static final Field UMSI_OVERFLOW   = STATUSR_L.bit("Overflow",   5);
  public static final Field UMSI_SYNDROME   = STATUSR_L.bits("Syndrome",   9, 6);
  public static final Layout STATUSR_LAYOUT = STATUSR_L.res0(31, 10).seal();

  public static final Field UMSI_EVENT_ID   = UMSIR_L.bits("EventID",  31,  0);
  public static final Field UMSI_DEVICE_ID  = UMSIR_L.bits("DeviceID", 63, 32);
  public static final Layout UMSIR_LAYOUT   = UMSIR_L.seal();

  /// 4 KiB pages of the command queue, minus one.
  public static final Field CBASER_SIZE         = CBASER_L.bits   ("Size",              7,  0);
  public static final Field CBASER_SHAREABILITY = CBASER_L.bits   ("Shareability",     11, 10);
  public static final Field CBASER_ADDRESS      = CBASER_L.address("Physical_Address", 51, 12);
  public static final Field CBASER_OUTER_CACHE  = CBASER_L.bits   ("OuterCache",       55, 53);
  public static final Field CBASER_INNER_CACHE  = CBASER_L.bits   ("InnerCache",       61, 59);
  public static final Field CBASER_VALID        = CBASER_L.bit    ("Valid",            63);
  public static final Layout CBASER_LAYOUT      = CBASER_L.res0(9, 8).res0(52, 52).res0(58, 56).res0(62, 62).seal();

  public static final Field RETRY             = CWRITER_L.bit    ("Retry",   0);
  /// In place: values are byte offsets into the queue.
  public static final Field CWRITER_OFFSET    = CWRITER_L.address("Offset", 19, 5);
  public static final Layout CWRITER_LAYOUT   = CWRITER_L.res0(4, 1).res0(63, 20).seal();

  public static final Field STALLED           = CREADR_L.bit    ("Stalled", 0);
  public static final Field CREADR_OFFSET     = CREADR_L.address("Offset", 19, 5);
  public static final Layout CREADR_LAYOUT    = CREADR_L.res0(4, 1).res0(63, 20).seal();

  /// Pages of the table, minus one.
  public static final Field BASER_SIZE         = BASER_L.bits   ("Size",              7,  0);
  public static final Field BASER_PAGE_SIZE    = BASER_L.bits   ("Page_Size",         9,  8, PAGE_SIZES);
  public static final Field BASER_SHAREABILITY = BASER_L.bits   ("Shareability",     11, 10);
  /// Address bits 47:12 with 4 and 16 KiB pages. With 64 KiB pages see {@link #BASER_ADDRESS_64K}.
  public static final Field BASER_ADDRESS      = BASER_L.address("Physical_Address", 47, 12);
  /// Bytes of an entry, minus one.
  public static final Field BASER_ENTRY_SIZE   = BASER_L.bits   ("Entry_Size",       52, 48);
  public static final Field BASER_OUTER_CACHE  = BASER_L.bits   ("OuterCache",       55, 53);
  public static final Field BASER_TYPE         = BASER_L.bits   ("Type",             58, 56, TYPES);
  public static final Field BASER_INNER_CACHE  = BASER_L.bits   ("InnerCache",       61, 59);
  public static final Field BASER_INDIRECT     = BASER_L.bit    ("Indirect",         62);
  public static final Field BASER_VALID        = BASER_L.bit    ("Valid",            63);
  public static final Layout BASER_LAYOUT      = BASER_L.seal();

  private static final Field BASER_64K_LOW     = BASER_64K_L.bits("Physical_Address[47:16]", 47, 16);
  private static final Field BASER_64K_HIGH    = BASER_64K_L.bits("Physical_Address[51:48]", 15, 12);
  /// With 64 KiB pages the address is aligned to 64 KiB and bits 15:12 hold its bits 51:48.
  public static final JoinedField BASER_ADDRESS_64K = new JoinedField("Physical_Address", List.of(new JoinedField.Piece(BASER_64K_LOW, 0, 16), new JoinedField.Piece(BASER_64K_HIGH, 0, 48)));
  public static final Layout BASER_64K_LAYOUT  = BASER_64K_L.ignored(11, 0).ignored(63, 48).seal();

  /// An entry of a level-1 table: the address of a level-2 page, aligned to GITS_BASER's page size. (IHI 0069 H, 5.2.1)
  public static final Field LEVEL1_ADDRESS     = LEVEL1_L.address("Physical_Address", 51, 12);
  public static final Field LEVEL1_VALID       = LEVEL1_L.bit    ("Valid",            63);
  public static final Layout LEVEL1_LAYOUT     = LEVEL1_L.res0(11, 0).res0(62, 52).seal();

  public static final Field ARCH_REV         = PIDR2_L.bits("ArchRev", 7, 4, ARCH);
  public static final Layout PIDR2_LAYOUT    = PIDR2_L.impdef(3, 0).res0(31, 8).seal();

  public static final Field EVENT_ID          = TRANSLATER_L.bits("EventID", 31, 0);
  public static final Layout TRANSLATER_LAYOUT = TRANSLATER_L.seal();

  /// Tables that an ITS can ask for.
  public static final int BASERS = 8;

  private static final long CBASER_RW = CBASER_SIZE.mask() | CBASER_SHAREABILITY.mask() | CBASER_ADDRESS.mask() | CBASER_OUTER_CACHE.mask() | CBASER_INNER_CACHE.mask() | CBASER_VALID.mask();
  private static final long BASER_RW = BASER_SIZE.mask() | BASER_PAGE_SIZE.mask() | BASER_SHAREABILITY.mask() | BASER_ADDRESS.mask() | BASER_OUTER_CACHE.mask() | BASER_INNER_CACHE.mask() | BASER_INDIRECT.mask() | BASER_VALID.mask();

  private static final RegisterMap.Builder B = RegisterMap.named("GITS", BYTES);
  public static final Register CTLR       = B.register("GITS_CTLR",       0x0000, Access.rw(ENABLED.mask()), CTLR_LAYOUT, QUIESCENT.mask());
  public static final Register IIDR       = B.register("GITS_IIDR",       0x0004, Access.RO, IIDR_LAYOUT);
  public static final Register TYPER      = B.register("GITS_TYPER",      0x0008, Access.RO, TYPER_LAYOUT);
  public static final Register MPAMIDR    = B.register("GITS_MPAMIDR",    0x0010, Access.RO, MPAMIDR_LAYOUT);
  public static final Register PARTIDR    = B.register("GITS_PARTIDR",    0x0014, Access.RO, PARTIDR_LAYOUT);
  public static final Register MPIDR      = B.register("GITS_MPIDR",      0x0018, Access.RO, MPIDR_LAYOUT);
  public static final Register STATUSR    = B.register("GITS_STATUSR",    0x0040, Access.RO.andW1c(0x3f), STATUSR_LAYOUT);
  public static final Register UMSIR      = B.register("GITS_UMSIR",      0x0048, Access.RO, UMSIR_LAYOUT);
  public static final Register CBASER     = B.register("GITS_CBASER",     0x0080, Access.rw(CBASER_RW), CBASER_LAYOUT);
  public static final Register CWRITER    = B.register("GITS_CWRITER",    0x0088, Access.rw(RETRY.mask() | CWRITER_OFFSET.mask()), CWRITER_LAYOUT);
  public static final Register CREADR     = B.register("GITS_CREADR",     0x0090, Access.RO, CREADR_LAYOUT);
  public static final Register BASER      = B.array   ("GITS_BASER",      0x0100, BASERS, Access.rw(BASER_RW), BASER_LAYOUT);
  public static final Register PIDR2      = B.register("GITS_PIDR2",      0xffe8, Access.RO, PIDR2_LAYOUT);
  public static final Register TRANSLATER = B.register("GITS_TRANSLATER", 0x10040, Access.WO, TRANSLATER_LAYOUT);
  public static final RegisterMap MAP     = B.seal();
  // spotless:on

  private GitsRegisters() {}

  /// {@return bytes of a page, from the encoding in GITS_BASER.Page_Size; the reserved encoding is treated as 64 KiB}
  public static long pageBytes(long pageSize) {
    return pageSize == 0 ? 0x1000 : pageSize == 1 ? 0x4000 : 0x10000;
  }

  /// {@return the table's address, whatever its page size}
  public static long tableAddress(long baser) {
    return BASER_PAGE_SIZE.get(baser) < 2
        ? BASER_ADDRESS.get(baser)
        : BASER_64K_LOW.get(baser) << 16 | BASER_64K_HIGH.get(baser) << 48;
  }
}
