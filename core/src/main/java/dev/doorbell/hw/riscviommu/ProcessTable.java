package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.ProcessLayout.*;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.Field;
import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.IntConsumer;

/// The process directory of a device with processes, as the driver builds it: number 0 is for accesses without a process_id. Tables are made with the first process in
/// them and stay. For one thread at a time.
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.1.3 (`PDTV`, `DPE`, `pdtp`), 2.2, 7.3.2 (changes of process contexts).
final class ProcessTable {
  private static final Map<Integer, Field> OFFERED =
      Map.of(
          PD8,
          RiscvIommuRegisters.PD8,
          PD17,
          RiscvIommuRegisters.PD17,
          PD20,
          RiscvIommuRegisters.PD20);

  private static final long[] NONE = new long[CONTEXT_BYTES / Long.BYTES];

  private final PhysicalMemory memory;
  private final Frames frames;
  private final int mode;
  private final Pa root;

  /// Tables below the root, by level and the bits of process_id above it.
  private final Map<Long, Pa> below = new HashMap<>();

  /// Contexts that may be valid.
  private final SortedSet<Integer> written = new TreeSet<>();

  private ProcessTable(int mode, PhysicalMemory memory, Frames frames) {
    this.memory = memory;
    this.frames = frames;
    this.mode = mode;
    this.root = frames.allocate(DirectoryLayout.PAGE_BYTES, DirectoryLayout.PAGE_BYTES);
  }

  /// {@return an empty directory, the widest that the IOMMU has}
  ///
  /// @param capabilities the register, which offers one
  static ProcessTable create(long capabilities, PhysicalMemory memory, Frames frames) {
    return new ProcessTable(widest(capabilities), memory, frames);
  }

  /// {@return the width of a process_id; 0 where the IOMMU has no process directories}
  static int processIdBits(long capabilities) {
    int mode = widest(capabilities);
    return mode == BARE ? 0 : ProcessLayout.processIdBits(mode);
  }

  /// {@return whether an IOMMU has directories of a mode}
  static boolean offers(long capabilities, int mode) {
    Field field = OFFERED.get(mode);
    return field != null && field.isSet(capabilities);
  }

  private static int widest(long capabilities) {
    return List.of(PD20, PD17, PD8).stream()
        .filter(mode -> offers(capabilities, mode))
        .findFirst()
        .orElse(BARE);
  }

  /// Makes room for processes. What becomes visible to hardware holds none that is valid, so nothing has to be invalidated.
  ///
  /// @throws dev.doorbell.bus.OutOfFramesException when there is no memory
  void prepare(Collection<Integer> processes) {
    at(0);
    processes.forEach(this::at);
  }

  private long at(int process) {
    long table = root.value();
    for (int level = mode - 1; level > 0; level--) {
      long key = (long) (process >>> ProcessLayout.processIdBits(level)) * mode + level;
      Pa next = below.get(key);
      if (next == null) {
        next = frames.allocate(DirectoryLayout.PAGE_BYTES, DirectoryLayout.PAGE_BYTES);
        below.put(key, next);
      }
      long slot = table + offset(process, level);
      long link = POINTER_V.mask() | POINTER_PPN.place(DirectoryLayout.ppn(next.value()));
      if (memory.read64(slot) != link) {
        memory.publish();
        memory.write64(slot, link);
      }
      table = next.value();
    }
    return table + offset(process, 0);
  }

  /// Has these contexts stand in the directory, and no others. Room for them has been made.
  ///
  /// @param contexts two doublewords each
  /// @param forget has the IOMMU drop what it knows of one, and ends the accesses that use it
  void write(SortedMap<Integer, long[]> contexts, IntConsumer forget) {
    SortedSet<Integer> all = new TreeSet<>(written);
    all.addAll(contexts.keySet());
    written.addAll(all);
    for (int process : all) {
      replace(at(process), contexts.getOrDefault(process, NONE), () -> forget.accept(process));
    }
    written.retainAll(contexts.keySet());
  }

  /// Hardware may read one doubleword before a change and the other after it: a valid context is made invalid first.
  private void replace(long at, long[] next, Runnable forget) {
    long ta = memory.read64(at);
    if (ta == next[0] && memory.read64(at + FSC_AT) == next[1]) {
      return;
    }
    if (TA_V.isSet(ta)) {
      memory.write64(at, 0);
      memory.publish();
      forget.run();
    }
    memory.write64(at + FSC_AT, next[1]);
    memory.publish();
    memory.write64(at, next[0]);
    memory.publish();
  }

  /// {@return the context of a process with a first stage of its own}
  static long[] leadingTo(long pscid, long fsc) {
    return new long[] {TA_V.mask() | TA_PSCID.place(pscid), fsc};
  }

  /// {@return a device's context that leads here, and does with accesses that carry no process_id what another one does with all}
  ///
  /// @param context one that blocks, lets pass, or has a first stage alone, which is process 0's here
  long[] over(long[] context) {
    long[] out = context.clone();
    int tc = DirectoryLayout.TC_AT / Long.BYTES;
    int fsc = DirectoryLayout.FSC_AT / Long.BYTES;
    boolean passes =
        DirectoryLayout.TC_V.isSet(out[tc])
            && DirectoryLayout.FSC_MODE.get(out[fsc]) == DirectoryLayout.BARE;
    // Process 0 of what blocks is not valid.
    out[tc] =
        DirectoryLayout.TC_V.mask()
            | DirectoryLayout.TC_PDTV.mask()
            | (passes ? 0 : DirectoryLayout.TC_DPE.mask());
    out[DirectoryLayout.TA_AT / Long.BYTES] = 0;
    out[fsc] = PDTP_MODE.place(mode) | PDTP_PPN.place(DirectoryLayout.ppn(root.value()));
    return out;
  }

  /// Gives the directory's memory back. No context may lead here.
  void free() {
    below.values().forEach(t -> frames.free(t, DirectoryLayout.PAGE_BYTES));
    below.clear();
    frames.free(root, DirectoryLayout.PAGE_BYTES);
  }
}
