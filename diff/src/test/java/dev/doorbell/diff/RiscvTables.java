package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.riscviommu.DirectoryLayout;
import dev.doorbell.hw.riscviommu.MsiPteLayout;
import dev.doorbell.hw.riscviommu.ProcessLayout;
import dev.doorbell.hw.riscviommu.SvPteLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Tables of one device and one access, without a flaw. Addresses of what was written are kept, so that flaws can be put in.
final class RiscvTables {
  static final int PAGE = 4096;

  /// Memory that nothing is at.
  static final long NOWHERE = 0x2_0000_0000L;

  /// What the second stage maps to itself: tables of the first, and process directories.
  static final long IDENTITY = RiscvPair.RAM;

  static final long MSI_TABLE = RiscvPair.RAM + 0x8_0000;
  static final long FILE = RiscvPair.RAM + 0x9_0000;
  static final long NOTICE = RiscvPair.RAM + 0x9_1000;

  private static final long POOL = RiscvPair.RAM + 0x10_0000;
  private static final int POOL_BYTES = 0x8_0000;
  private static final long ROOT = POOL;

  final PhysicalMemory memory;

  /// Entries of directories and page tables, by what they are, from the first level on.
  final Map<String, List<Long>> entries = new HashMap<>();

  private long next;

  RiscvTables(PhysicalMemory memory) {
    this.memory = memory;
  }

  /// Starts anew.
  void clear() {
    memory.fill(POOL, POOL_BYTES, (byte) 0);
    memory.fill(MSI_TABLE, 4L * PAGE, (byte) 0);
    memory.fill(FILE, 2L * PAGE, (byte) 0);
    entries.clear();
    next = ROOT + PAGE;
  }

  /// {@return some pages, aligned to their size}
  long pages(int count) {
    long bytes = (long) count * PAGE;
    long at = next + bytes - 1 & -bytes;
    next = at + bytes;
    return at;
  }

  static long root() {
    return ROOT;
  }

  private void note(String what, long at) {
    entries.computeIfAbsent(what, _ -> new ArrayList<>()).add(at);
  }

  /// Writes a device context, with the directory that leads to it.
  ///
  /// @param words eight
  void device(int device, int levels, long[] words) {
    long table = ROOT;
    for (int level = levels - 1; level > 0; level--) {
      long at =
          table + (long) DirectoryLayout.index(device, level, true) * DirectoryLayout.POINTER_BYTES;
      long below = pages(1);
      memory.write64(
          at,
          DirectoryLayout.POINTER_V.mask()
              | DirectoryLayout.POINTER_PPN.place(DirectoryLayout.ppn(below)));
      note("ddt", at);
      table = below;
    }
    long at =
        table + (long) DirectoryLayout.index(device, 0, true) * DirectoryLayout.EXTENDED_BYTES;
    for (int i = 0; i < words.length; i++) {
      memory.write64(at + (long) i * Long.BYTES, words[i]);
    }
    note("dc", at);
  }

  /// Writes a process context of a directory of one level.
  void process(long directory, int process, long ta, long fsc) {
    long at = directory + ProcessLayout.offset(process, 0);
    memory.write64(at, ta);
    memory.write64(at + ProcessLayout.FSC_AT, fsc);
    note("pc", at);
  }

  /// Maps an address. Tables that are there already are used.
  ///
  /// @param what first or second, for the notes
  /// @param leafLevel 0 for a page of 4 KiB
  void map(String what, long root, int levels, long address, int leafLevel, long leaf) {
    boolean second = what.startsWith("g");
    long table = root;
    for (int level = levels - 1; level > leafLevel; level--) {
      long at = slot(table, second, levels, level, address);
      long entry = memory.read64(at);
      if (entry == 0) {
        entry = SvPteLayout.V.mask() | SvPteLayout.PPN.place(DirectoryLayout.ppn(pages(1)));
        memory.write64(at, entry);
      }
      note(what, at);
      table = DirectoryLayout.address(SvPteLayout.PPN.get(entry));
    }
    long at = slot(table, second, levels, leafLevel, address);
    memory.write64(at, leaf);
    note(what, at);
  }

  private static long slot(long table, boolean second, int levels, int level, long address) {
    int wider = second && level == levels - 1 ? SvPteLayout.WIDER_ROOT_BITS : 0;
    return table + SvPteLayout.index(address, level, wider) * SvPteLayout.BYTES;
  }

  /// Writes the MSI page table entry of an interrupt file.
  void message(int number, long first, long second) {
    long at = MSI_TABLE + (long) number * MsiPteLayout.BYTES;
    memory.write64(at, first);
    memory.write64(at + MsiPteLayout.SECOND_AT, second);
    note("msi", at);
  }

  /// {@return an entry that was written, the last one for -1}
  long entry(String what, int which) {
    List<Long> all = entries.get(what);
    return all.get(which < 0 ? all.size() + which : which % all.size());
  }

  boolean has(String what, int atLeast) {
    return entries.containsKey(what) && entries.get(what).size() >= atLeast;
  }
}
