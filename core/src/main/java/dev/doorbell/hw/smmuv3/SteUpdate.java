package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;
import dev.doorbell.bus.PhysicalMemory;
import java.util.Arrays;

/// Replaces a stream table entry that hardware may read at any moment, one 64-bit write at a time.
///
/// Hardware reads an entry word by word and looks only at the bits that the rest of the entry makes it look at. So the bits that the old
/// entry does not use are written first; then, when all that is left to change lies in one word, that word makes the switch at once and
/// the bits that the new entry does not use are cleared afterwards. After every write and invalidation the used bits are those of the old or
/// of the new entry. Where more than one word must change together, the entry is made invalid in between.
///
/// **Source** IHI 0070 G.b, 3.21.3 (configuration structures and their caches), 5.2 (which fields are IGNORED when).
final class SteUpdate {
  private static final long ALL = -1L;

  private SteUpdate() {}

  /// Told after each group of writes: memory is to be published and cached copies of the entry dropped.
  @FunctionalInterface
  interface Sync {
    void run();
  }

  /// Changes the entry at an address.
  ///
  /// {@return whether no moment was seen by the device in which the entry was neither the old nor the new one}
  ///
  /// @param target the eight words that shall stand there
  static boolean write(PhysicalMemory memory, long at, long[] target, Sync sync) {
    long[] now = read(memory, at);
    long[] usedNow = used(now);
    long[] usedThen = used(target);
    long[] merged = new long[SteLayout.QUADWORDS];
    int critical = -1;
    int differing = 0;
    for (int i = 0; i < merged.length; i++) {
      // A word in which the new entry uses nothing new is left alone until the end: one write and
      // one invalidation less.
      boolean needed = ((now[i] ^ target[i]) & usedThen[i] & ~usedNow[i]) != 0;
      merged[i] = needed ? (now[i] & usedNow[i]) | (target[i] & ~usedNow[i]) : now[i];
      if (((merged[i] ^ target[i]) & usedThen[i]) != 0) {
        critical = i;
        differing++;
      }
    }
    if (differing > 1) {
      writeBroken(memory, at, target, sync);
      return false;
    }
    if (differing == 1) {
      // All of the critical word changes at once: one write less.
      merged[critical] = now[critical];
      writeWords(memory, at, merged, sync);
      merged[critical] = target[critical];
      writeWords(memory, at, merged, sync);
    }
    writeWords(memory, at, target, sync);
    return true;
  }

  /// {@return the bits of each word that hardware looks at}
  static long[] used(long[] entry) {
    long[] used = new long[SteLayout.QUADWORDS];
    used[0] = SteLayout.V.mask();
    if (!SteLayout.V.isSet(entry[0])) {
      return used;
    }
    used[0] |= SteLayout.CONFIG.mask();
    int config = SteLayout.CONFIG.getInt(entry[0]);
    if (config < SteLayout.CONFIG_BYPASS) {
      return used;
    }
    used[1] |= masks(SteLayout.CONT, SteLayout.DRE, SteLayout.DCP, SteLayout.PPAR, SteLayout.MEV);
    boolean stage1 = config == SteLayout.CONFIG_S1_TRANS || config == SteLayout.CONFIG_NESTED;
    boolean stage2 = config == SteLayout.CONFIG_S2_TRANS || config == SteLayout.CONFIG_NESTED;
    if (stage1) {
      useStage1(entry, used);
    } else {
      used[1] |=
          masks(
              SteLayout.MEM_ATTR,
              SteLayout.MTCFG,
              SteLayout.ALLOCCFG,
              SteLayout.SHCFG,
              SteLayout.NSCFG,
              SteLayout.PRIVCFG,
              SteLayout.INSTCFG);
    }
    if (stage2) {
      useStage2(used);
    }
    return used;
  }

  /// {@return the eight words at an address}
  static long[] read(PhysicalMemory memory, long at) {
    long[] words = new long[SteLayout.QUADWORDS];
    Arrays.setAll(words, i -> memory.read64(at + (long) i * Long.BYTES));
    return words;
  }

  private static void useStage1(long[] entry, long[] used) {
    used[0] |= masks(SteLayout.S1_FMT, SteLayout.S1_CONTEXT_PTR, SteLayout.S1_CD_MAX);
    used[1] |=
        masks(
            SteLayout.S1_CIR,
            SteLayout.S1_COR,
            SteLayout.S1_CSH,
            SteLayout.S1_PIE,
            SteLayout.S1_MPAM,
            SteLayout.S1_STALLD,
            SteLayout.EATS,
            SteLayout.STRW);
    if (SteLayout.S1_CD_MAX.isSet(entry[0])) {
      used[1] |= SteLayout.S1_DSS.mask() | SteLayout.SHCFG.mask();
    }
    // Where stage 2 is implemented, VMID 0 of a stage 1 stream tags its translations too.
    used[2] |= SteLayout.S2_VMID.mask();
  }

  private static void useStage2(long[] used) {
    used[1] |= masks(SteLayout.S2_FWB, SteLayout.EATS);
    used[1] |=
        masks(SteLayout.S2_HWU59, SteLayout.S2_HWU60, SteLayout.S2_HWU61, SteLayout.S2_HWU62);
    // Bits 31:16 are IMPLEMENTATION DEFINED; all others are stage 2's.
    used[2] = ALL;
    used[3] = ALL;
    used[5] |= masks(SteLayout.ASSURED_ONLY, SteLayout.TL0, SteLayout.TL1);
    used[7] = SteLayout.S2_POI.mask();
  }

  private static void writeBroken(PhysicalMemory memory, long at, long[] target, Sync sync) {
    long[] words = read(memory, at);
    words[0] = 0;
    writeWords(memory, at, words, sync);
    System.arraycopy(target, 1, words, 1, words.length - 1);
    writeWords(memory, at, words, sync);
    words[0] = target[0];
    writeWords(memory, at, words, sync);
  }

  /// Writes the words that differ from memory's, and syncs when there was one.
  private static void writeWords(PhysicalMemory memory, long at, long[] words, Sync sync) {
    boolean written = false;
    for (int i = words.length - 1; i >= 0; i--) {
      long slot = at + (long) i * Long.BYTES;
      if (memory.read64(slot) != words[i]) {
        memory.write64(slot, words[i]);
        written = true;
      }
    }
    if (written) {
      sync.run();
    }
  }

  private static long masks(Field... fields) {
    long mask = 0;
    for (Field field : fields) {
      mask |= field.mask();
    }
    return mask;
  }
}
