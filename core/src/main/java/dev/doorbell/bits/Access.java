package dev.doorbell.bits;

/// What a write and a read do to each bit of a register. A bit in none of the masks is read-only.
///
/// @param rw takes the written value
/// @param w1c cleared by writing one
/// @param w1s set by writing one
/// @param rc cleared by a read
/// @param wo written, but reads as zero
public record Access(long rw, long w1c, long w1s, long rc, long wo) {
  public static final Access RO = new Access(0, 0, 0, 0, 0);
  public static final Access RW = new Access(-1L, 0, 0, 0, 0);
  public static final Access WO = new Access(0, 0, 0, 0, -1L);
  public static final Access W1C = new Access(0, -1L, 0, 0, 0);
  public static final Access W1S = new Access(0, 0, -1L, 0, 0);

  public Access {
    if ((rw & w1c) != 0 || (rw & w1s) != 0 || (w1c & w1s) != 0 || (wo & (rw | w1c | w1s)) != 0) {
      throw new IllegalArgumentException("a bit has two write rules");
    }
  }

  /// {@return an access in which only the given bits can be written}
  public static Access rw(long mask) {
    return new Access(mask, 0, 0, 0, 0);
  }

  /// {@return this access with further bits cleared by writing one}
  public Access andW1c(long mask) {
    return new Access(rw & ~mask, w1c | mask, w1s & ~mask, rc, wo & ~mask);
  }

  /// {@return the register's next content after a write}
  public long legalize(long old, long written) {
    long kept = old & ~(rw | wo);
    return ((kept | (written & (rw | wo))) & ~(written & w1c)) | (written & w1s);
  }

  /// {@return what a read of the content answers}
  public long visible(long content) {
    return content & ~wo;
  }

  /// {@return the content after a read}
  public long afterRead(long content) {
    return content & ~rc;
  }
}
