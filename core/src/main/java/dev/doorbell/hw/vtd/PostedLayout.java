package dev.doorbell.hw.vtd;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Posted interrupt descriptor: 64 bytes, aligned to as many. Four quadwords of PIR, one bit a vector of the guest; one that says whether and
/// where its processor is notified; three that are reserved.
///
/// **Source** Intel Virtualization Technology for Directed I/O, revision 4.1, 5.2.2 Interrupt Posting Hardware Support, 9.12 Posted Interrupt
/// Descriptor.
public final class PostedLayout {
  /// Bytes of a descriptor, and its alignment.
  public static final int BYTES = 64;

  /// Quadwords of PIR, the first one those of vectors 0 to 63.
  public static final int PIR_WORDS = 4;

  /// Vectors of a guest's processor.
  public static final int VECTORS = PIR_WORDS * Long.SIZE;

  /// Offset of the quadword that has ON, SN, NV and NDST.
  public static final int CONTROL_AT = PIR_WORDS * Long.BYTES;

  private static final Layout C = Layout.lsb0("posted interrupt descriptor[4]", 8);

  // spotless:off
  public static final Field ON   = C.bit ("ON",    0);
  public static final Field SN   = C.bit ("SN",    1);
  public static final Field NV   = C.bits("NV",   23, 16);
  public static final Field NDST = C.bits("NDST", 63, 32);
  // spotless:on

  public static final Layout CONTROL = C.res0(15, 2).res0(31, 24).seal();

  private PostedLayout() {}

  /// {@return the offset of the quadword of PIR that has a vector's bit}
  static long pir(int vector) {
    return vector / Long.SIZE * (long) Long.BYTES;
  }

  /// {@return a vector's bit in its quadword of PIR}
  static long bit(int vector) {
    return 1L << vector % Long.SIZE;
  }

  /// {@return a destination as NDST has it}
  ///
  /// @param extended whether it has 32 bits, as x2APIC has it, and not 8
  static long ndst(long apicId, boolean extended) {
    return NDST.place(extended ? apicId : apicId << IrteLayout.XAPIC_SHIFT);
  }

  /// {@return the APIC id that a control quadword names}
  static long destination(long control, boolean extended) {
    long ndst = NDST.get(control);
    return extended ? ndst : ndst >>> IrteLayout.XAPIC_SHIFT & 0xff;
  }
}
