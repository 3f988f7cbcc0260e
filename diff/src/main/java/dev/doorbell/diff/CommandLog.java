package dev.doorbell.diff;

import static dev.doorbell.hw.smmuv3.CommandLayout.*;

import dev.doorbell.vmsa.DescriptorLayout;
import java.util.ArrayList;
import java.util.List;

/// The commands that an SMMU consumed, and since when something cannot be cached any more.
///
/// It answers late rather than early: where it is not certain that a command covers an entry, the older content counts as permitted.
///
/// **Source** IHI 0070 G.b, 4.3 (CMD_CFGI), 4.4 (CMD_TLBI).
final class CommandLog {
  /// Of a translation that no VMID tells from others.
  static final int NO_VMID = -1;

  /// Of translations that every ASID may use.
  static final int NO_ASID = -1;

  private static final int[] GRANULES = {0, 12, 14, 16};
  private static final int LAST_LEVEL = 3;

  private record Entry(int time, long word0, long word1) {
    int opcode() {
      return OPCODE.getInt(word0);
    }
  }

  /// A descriptor that a walk reads.
  ///
  /// @param vmid or {@link #NO_VMID}
  /// @param leaf whether no table can follow
  /// @param global whether its translation may have no ASID
  record Walked(
      long iova, int asid, int vmid, int granule, int level, boolean leaf, boolean global) {}

  private final List<Entry> entries = new ArrayList<>();
  private int present = Integer.MAX_VALUE;

  /// Answers from now on as at an earlier time.
  void goBack(int time) {
    present = time;
  }

  void add(int time, long word0, long word1) {
    entries.add(new Entry(time, word0, word1));
  }

  /// {@return the time of the last command that drops a stream's STE, or its level-1 descriptor}
  int streamDropped(int stream, boolean level1) {
    return last(e -> dropsStream(e, stream, level1));
  }

  /// {@return the time of the last command that drops a stream's CDs}
  int contextDropped(int stream) {
    return contextDropped(stream, Integer.MAX_VALUE);
  }

  /// {@return the same, of the commands up to a time}
  int contextDropped(int stream, int upTo) {
    return last(e -> e.time <= upTo && dropsContext(e, stream));
  }

  private static boolean dropsContext(Entry e, int stream) {
    return dropsStream(e, stream, false)
        || ((e.opcode() == CMD_CFGI_CD || e.opcode() == CMD_CFGI_CD_ALL)
            && CFGI_STREAM_ID.get(e.word0) == stream);
  }

  /// {@return the time of the last command that drops every translation of an ASID}
  ///
  /// @param asid or {@link #NO_ASID}
  /// @param vmid or {@link #NO_VMID}
  int asidDropped(int asid, int vmid) {
    return last(e ->
        e.opcode() == CMD_TLBI_NSNH_ALL
            || (isOf(e, vmid)
                && (e.opcode() == CMD_TLBI_NH_ALL
                    || (e.opcode() == CMD_TLBI_NH_ASID && TLBI_ASID.get(e.word0) == asid))));
  }

  private static boolean isOf(Entry e, int vmid) {
    return vmid == NO_VMID || TLBI_VMID.get(e.word0) == vmid;
  }

  /// {@return the time of the last command that drops every translation of stage 2 of a VMID}
  int secondDropped(int vmid) {
    return last(e ->
        e.opcode() == CMD_TLBI_NSNH_ALL
            || (e.opcode() == CMD_TLBI_S12_VMALL && TLBI_VMID.get(e.word0) == vmid));
  }

  /// {@return the time of the last command that drops a translation}
  int translationDropped(Walked walked) {
    return last(e -> dropsTranslation(e, walked));
  }

  private int last(java.util.function.Predicate<Entry> drops) {
    for (int i = entries.size() - 1; i >= 0; i--) {
      if (entries.get(i).time <= present && drops.test(entries.get(i))) {
        return entries.get(i).time;
      }
    }
    return 0;
  }

  private static boolean dropsStream(Entry e, int stream, boolean level1) {
    if (e.opcode() == CMD_CFGI_STE) {
      return CFGI_STREAM_ID.get(e.word0) == stream && !(level1 && CFGI_LEAF.isSet(e.word1));
    }
    if (e.opcode() != CMD_CFGI_STE_RANGE) {
      return false;
    }
    int range = CFGI_RANGE.getInt(e.word1);
    return range == CFGI_RANGE_ALL
        || CFGI_STREAM_ID.get(e.word0) >>> (range + 1)
            == Integer.toUnsignedLong(stream) >>> (range + 1);
  }

  private static boolean dropsTranslation(Entry e, Walked w) {
    if (e.opcode() == CMD_TLBI_NSNH_ALL) {
      return true;
    }
    boolean asid = TLBI_ASID.get(e.word0) == w.asid;
    return isOf(e, w.vmid)
        && switch (e.opcode()) {
          case CMD_TLBI_NH_ALL -> true;
          case CMD_TLBI_S12_VMALL -> w.vmid != NO_VMID;
          case CMD_TLBI_NH_ASID -> asid && !w.global;
          case CMD_TLBI_NH_VA -> asid && covers(e, w);
          case CMD_TLBI_NH_VAA -> covers(e, w);
          default -> false;
        };
  }

  private static boolean covers(Entry e, Walked w) {
    if (TLBI_LEAF.isSet(e.word1) && !w.leaf) {
      return false;
    }
    long first = TLBI_ADDRESS.get(e.word1);
    long page = DescriptorLayout.OUTPUT_ADDRESS.max() | -1L << 48;
    if (!TLBI_TG.isSet(e.word1)) {
      return (w.iova & page) == first;
    }
    int granule = GRANULES[TLBI_TG.getInt(e.word1)];
    int ttl = TLBI_TTL.getInt(e.word1);
    if (granule != w.granule || (ttl != 0 && (ttl != w.level || !w.leaf))) {
      return false;
    }
    long pages = (TLBI_NUM.get(e.word0) + 1) << TLBI_SCALE.getInt(e.word0);
    long at = (w.iova >>> granule) - (first >>> granule);
    return at >= 0 && at < pages;
  }

  static int lastLevel() {
    return LAST_LEVEL;
  }
}
