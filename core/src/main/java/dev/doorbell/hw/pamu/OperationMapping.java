package dev.doorbell.hw.pamu;

/// What a LIODN's operations become on the interconnect, as its PAACEs say it.
///
/// @param mode OTM, one that a chip has
/// @param word word 7 of the PAACE, 32 bits: two pairs of operations, or the number of an entry of the OMT
/// @param cid the cache that operations which stash go to (`cache-stash-id`), 0 to 255
public record OperationMapping(int mode, long word, int cid) {
  /// Operations stay as they are.
  public static final OperationMapping NONE = new OperationMapping(PaaceLayout.OTM_NONE, 0, 0);

  /// Entries that the driver's table has (OMI). They are what Linux 6.12 `setup_omt` makes.
  public static final int QMAN = 0;

  public static final int FMAN = 1;
  public static final int QMAN_PRIVATE = 2;
  public static final int CAAM = 3;

  public OperationMapping {
    if (mode < PaaceLayout.OTM_NONE || mode > PaaceLayout.OTM_INDEXED) {
      throw new IllegalArgumentException(
          "operations are mapped by OTM %d to %d and not %d"
              .formatted(PaaceLayout.OTM_NONE, PaaceLayout.OTM_INDEXED, mode));
    }
    if (word >>> Integer.SIZE != 0) {
      throw new IllegalArgumentException(
          "word 7 of a PAACE has 32 bits and not 0x%x".formatted(word));
    }
    if (cid < 0 || cid > PaaceLayout.CID.max()) {
      throw new IllegalArgumentException(
          "a cache's number is 0 to %d and not %d".formatted(PaaceLayout.CID.max(), cid));
    }
  }

  /// {@return a mapping by an entry of the OMT}
  ///
  /// @throws IllegalArgumentException where the table has no such entry
  public static OperationMapping indexed(int omi) {
    if (omi < 0 || omi >= OmtLayout.ENTRIES) {
      throw new IllegalArgumentException(
          "the operation mapping table has entries 0 to %d and not %d"
              .formatted(OmtLayout.ENTRIES - 1, omi));
    }
    return new OperationMapping(PaaceLayout.OTM_INDEXED, OmtLayout.OMI.place(omi), 0);
  }

  /// {@return a mapping of reads and of writes, and of nothing else}
  ///
  /// @param read what a read becomes, an `EOE_` of {@link OmtLayout}
  /// @param write what a write becomes
  /// @throws IllegalArgumentException when one has more than seven bits
  public static OperationMapping immediate(int read, int write) {
    return new OperationMapping(
        PaaceLayout.OTM_IMMEDIATE,
        OmtLayout.IOEA.place(OmtLayout.ioe(OmtLayout.READ))
            | OmtLayout.MOEA.place(OmtLayout.moe(read))
            | OmtLayout.IOEB.place(OmtLayout.ioe(OmtLayout.WRITE))
            | OmtLayout.MOEB.place(OmtLayout.moe(write)),
        0);
  }

  /// {@return this mapping, with a cache that what is stashed goes to}
  ///
  /// @param cache 0 to 255
  /// @throws IllegalArgumentException when it is none of these
  public OperationMapping stashing(int cache) {
    return new OperationMapping(mode, word, cache);
  }
}
