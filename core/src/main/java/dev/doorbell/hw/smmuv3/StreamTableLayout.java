package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// Level-1 stream table descriptor: 8 bytes, little-endian. One descriptor covers 2^SPLIT StreamIDs.
///
/// Span 0: no level-2 array; 1 to 11: an array of 2^(Span-1) entries, aligned to its size; 12 and above are reserved and
/// behave as 0. A Span above SPLIT + 1 is out of bounds.
///
/// **Source** IHI 0070 G.b, 5.1 Level 1 Stream Table Descriptor.
public final class StreamTableLayout {
  /// Bytes of one level-1 descriptor.
  public static final int L1_BYTES = 8;

  /// Largest Span that is not reserved.
  public static final int SPAN_MAX = 11;

  private static final Layout L = Layout.lsb0("L1STD", 8);

  // spotless:off
  public static final Field SPAN   = L.bits   ("Span",   4, 0);
  public static final Field L2_PTR = L.address("L2Ptr", 55, 6);
  // spotless:on

  public static final Layout L1STD = L.res0(5, 5).res0(63, 56).seal();

  private StreamTableLayout() {}
}
