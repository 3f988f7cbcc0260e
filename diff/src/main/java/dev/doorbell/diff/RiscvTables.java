package dev.doorbell.diff;

import dev.doorbell.address.AddressRange;
import dev.doorbell.hw.riscviommu.DirectoryLayout;
import dev.doorbell.hw.riscviommu.MsiPteLayout;
import dev.doorbell.hw.riscviommu.ProcessLayout;
import dev.doorbell.hw.riscviommu.SvPteLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Tables of one device and one access, without a flaw. Addresses of what was written are kept, so that flaws can be put in.
final class RiscvTables {
  static final int PAGE = 4096;

  /// What the second stage maps to itself: tables of the first, and process directories.
  static final long IDENTITY = RiscvIommu.RAM;

  private final IommuDraft draft;

  /// What is in memory.
  private final TreeMap<Long, Long> words = new TreeMap<>();

  /// Entries of directories and page tables, by what they are, from the first level on.
  private final Map<String, List<Long>> entries = new HashMap<>();

  private long nextDirectory;
  private long nextFirst;
  private long nextSecond;

  RiscvTables(IommuDraft draft) {
    this.draft = draft;
    start();
  }

  private void start() {
    entries.clear();
    nextDirectory = RiscvIommu.DIRECTORIES.start() + PAGE;
    nextFirst = RiscvIommu.FIRST_TABLES.start();
    nextSecond = RiscvIommu.SECOND_TABLES.start();
  }

  /// Starts anew: what was written is zero again.
  void clear() {
    while (!words.isEmpty()) {
      long first = words.firstKey();
      int count = 0;
      while (words.remove(first + (long) count * Long.BYTES) != null) {
        count++;
      }
      draft.store(first, Collections.nCopies(count, 0L));
    }
    start();
  }

  long read(long at) {
    return words.getOrDefault(at, 0L);
  }

  void write(long at, Long... values) {
    for (int i = 0; i < values.length; i++) {
      words.put(at + (long) i * Long.BYTES, values[i]);
    }
    draft.store(at, values);
  }

  static long root() {
    return RiscvIommu.DIRECTORIES.start();
  }

  /// {@return a page for a directory}
  long directory() {
    long at = aligned(RiscvIommu.DIRECTORIES, nextDirectory, 1);
    nextDirectory = at + PAGE;
    return at;
  }

  /// {@return a page for a table of the first stage}
  long first() {
    long at = aligned(RiscvIommu.FIRST_TABLES, nextFirst, 1);
    nextFirst = at + PAGE;
    return at;
  }

  /// {@return pages for a table of the second stage, aligned to their size}
  long second(int count) {
    long at = aligned(RiscvIommu.SECOND_TABLES, nextSecond, count);
    nextSecond = at + (long) count * PAGE;
    return at;
  }

  private static long aligned(AddressRange range, long next, int count) {
    long bytes = (long) count * PAGE;
    long at = next + bytes - 1 & -bytes;
    if (at + bytes - 1 > range.last()) {
      throw new IllegalStateException("no room for %d more pages in %s".formatted(count, range));
    }
    return at;
  }

  private void note(String what, long at) {
    entries.computeIfAbsent(what, _ -> new ArrayList<>()).add(at);
  }

  /// Writes a device context, with the directory that leads to it.
  ///
  /// @param context eight doublewords
  void device(int device, int levels, long[] context) {
    long table = root();
    for (int level = levels - 1; level > 0; level--) {
      long at =
          table + (long) DirectoryLayout.index(device, level, true) * DirectoryLayout.POINTER_BYTES;
      long below = directory();
      write(
          at,
          DirectoryLayout.POINTER_V.mask()
              | DirectoryLayout.POINTER_PPN.place(DirectoryLayout.ppn(below)));
      note("ddt", at);
      table = below;
    }
    long at =
        table + (long) DirectoryLayout.index(device, 0, true) * DirectoryLayout.EXTENDED_BYTES;
    Long[] all = new Long[context.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = context[i];
    }
    write(at, all);
    note("dc", at);
  }

  /// Writes a process context of a directory of one level.
  void process(long directory, int process, long ta, long fsc) {
    long at = directory + ProcessLayout.offset(process, 0);
    write(at, ta, fsc);
    note("pc", at);
  }

  /// Where a walk begins.
  record Root(long table, int levels) {}

  /// Maps an address. Tables that are there already are used.
  ///
  /// @param what first or second, for the notes
  /// @param leafLevel 0 for a page of 4 KiB
  void map(String what, Root root, long address, int leafLevel, long leaf) {
    boolean second = what.startsWith("g");
    long table = root.table();
    int levels = root.levels();
    for (int level = levels - 1; level > leafLevel; level--) {
      long at = slot(table, second, levels, level, address);
      long entry = read(at);
      if (entry == 0) {
        long below = second ? second(1) : first();
        entry = SvPteLayout.V.mask() | SvPteLayout.PPN.place(DirectoryLayout.ppn(below));
        write(at, entry);
      }
      note(what, at);
      table = DirectoryLayout.address(SvPteLayout.PPN.get(entry));
    }
    long at = slot(table, second, levels, leafLevel, address);
    write(at, leaf);
    note(what, at);
  }

  private static long slot(long table, boolean second, int levels, int level, long address) {
    int wider = second && level == levels - 1 ? SvPteLayout.WIDER_ROOT_BITS : 0;
    return table + SvPteLayout.index(address, level, wider) * SvPteLayout.BYTES;
  }

  /// Writes the MSI page table entry of an interrupt file.
  void message(int number, long first, long second) {
    write(RiscvIommu.MSI_TABLE + (long) number * MsiPteLayout.BYTES, first, second);
  }

  /// {@return an entry that was written, the last one for -1}
  long entry(String what, int which) {
    List<Long> all = entries.getOrDefault(what, List.of());
    return all.get(which < 0 ? all.size() + which : which % all.size());
  }

  boolean has(String what, int atLeast) {
    return entries.getOrDefault(what, List.of()).size() >= atLeast;
  }
}
