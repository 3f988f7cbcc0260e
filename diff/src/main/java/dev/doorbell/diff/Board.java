package dev.doorbell.diff;

import java.util.List;

/// Where things are: QEMU's `virt` machine, which the model's machine repeats, and the use that scenarios make of its RAM.
///
/// **Source** QEMU, `hw/arm/virt.c` (memory map); `info mtree` of 7.2 to 11.1.
final class Board {
  static final long RAM = 0x4000_0000L;
  static final int RAM_BYTES = 32 << 20;
  static final long GICD = 0x0800_0000L;
  static final long GICC = 0x0801_0000L;
  static final long V2M = 0x0802_0000L;
  static final long ITS = 0x0808_0000L;
  static final long GICR = 0x080a_0000L;
  static final long SMMU = 0x0905_0000L;
  static final long PCI_LOW = 0x1000_0000L;
  static final long PCI_LOW_END = 0x3eff_0000L;
  static final long PCI_HIGH = 0x80_0000_0000L;
  static final int GICV3_CPUS = 4;

  /// SPIs of the message frame.
  static final int V2M_FIRST = 80;

  static final int V2M_COUNT = 64;

  /// Requester ids of the devices that can write messages.
  static final List<Integer> REQUESTERS = List.of(0x08, 0x10, 0x18, 0x100, 0x200);

  /// The part of RAM that scenarios use.
  static final long ARENA = 0x4100_0000L;

  static final int ARENA_BYTES = 16 << 20;

  /// Of an SMMU scenario.
  static final long COMMANDS = ARENA;

  static final long EVENTS = ARENA + 0x1_0000;
  static final long EVENTS_BYTES = 0x1000;
  static final long STREAMS = ARENA + 0x2_0000;
  static final long STREAMS_2 = ARENA + 0x4_0000;
  static final long CONTEXTS = ARENA + 0x10_0000;
  static final long TABLES = ARENA + 0x20_0000;
  static final int TABLE_SLOT = 0x1_0000;
  static final int TABLE_SLOTS = 64;

  /// Tables of stage 2 below a stage 1.
  static final long OUTER_TABLES = ARENA + 0x60_0000;

  static final long TARGETS = ARENA + 0x80_0000;
  static final int TARGET_BYTES = 0x80_0000;
  static final int PAGE = 0x1000;

  private Board() {}
}
