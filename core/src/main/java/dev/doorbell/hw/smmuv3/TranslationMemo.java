package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Granule;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bus.Translator;

/// What the accesses of one slot of the gate were translated to last: whole outcomes, by stream, substream, page and kind of access.
///
/// An outcome counts while nothing was forgotten since its access began ({@link TranslationCaches#epoch}), so that it never outlives what it was
/// made of; one invalidation drops them all, and the caches that keep what was not named answer then. Used by one thread at a time, so
/// that a look-up is four plain reads of one cache line. Its room is made with the first outcome.
final class TranslationMemo {
  private static final int WORDS = 4;
  private static final int WHO = 0;
  private static final int WHAT = 1;
  private static final int OUTPUT = 2;
  private static final int EPOCH = 3;

  private static final Layout L_WHO = Layout.lsb0("who asked", 8);
  private static final Layout L_WHAT = Layout.lsb0("what was asked", 8);
  // spotless:off
  private static final Field STREAM    = L_WHO.bits   ("StreamID",          31,  0);
  private static final Field SUBSTREAM = L_WHO.bits   ("SubstreamID or -1", 63, 32);
  private static final Field ACCESS    = L_WHAT.bits   ("access",            1,  0);
  private static final Field VALID     = L_WHAT.bit    ("valid",             2);
  private static final Field PAGE      = L_WHAT.address("page",             63, 12);
  // spotless:on

  static {
    L_WHO.seal();
    L_WHAT.res0(11, 3).seal();
  }

  // The smallest granule: no translation covers less.
  private static final Granule PAGES = Granule.K4;
  private static final int FOLD = 10;

  private final int length;
  private long[] words = new long[WORDS];

  // Of the last look-up that found nothing.
  private long who;
  private long what;
  private int place;
  private long epoch;

  /// @param outcomes that it holds at most, a power of two
  TranslationMemo(int outcomes) {
    length = outcomes * WORDS;
  }

  /// {@return the physical address, or FAULT, which says that it is not known here}
  ///
  /// @param now the epoch at the access's beginning
  long find(int streamId, int substreamId, long iova, int access, long now) {
    long[] w = words;
    long by =
        STREAM.place(Integer.toUnsignedLong(streamId))
            | SUBSTREAM.place(Integer.toUnsignedLong(substreamId));
    long asked = PAGE.get(iova) | VALID.mask() | ACCESS.place(access);
    long page = iova >>> PAGES.shift();
    int fold = (int) (page ^ page >>> FOLD) + streamId;
    int index = fold * WORDS & w.length - WORDS;
    if (w[index + WHO] == by && w[index + WHAT] == asked && w[index + EPOCH] == now) {
      return w[index + OUTPUT] + PAGES.offset(iova);
    }
    who = by;
    what = asked;
    place = fold;
    epoch = now;
    return Translator.FAULT;
  }

  /// Keeps the outcome, which is not FAULT, of the access that the last look-up did not find.
  void keep(long pa) {
    if (words.length != length) {
      words = new long[length];
    }
    long[] w = words;
    int index = place * WORDS & w.length - WORDS;
    w[index + WHO] = who;
    w[index + WHAT] = what;
    w[index + OUTPUT] = PAGES.alignDown(pa);
    w[index + EPOCH] = epoch;
  }
}
