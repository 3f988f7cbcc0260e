package dev.doorbell.contract;

import java.util.List;

/// What a machine is, in plain numbers.
///
/// @param granules log2 of each granule
/// @param aperture the last IOVA
/// @param arena where canaries lie in memory
record Facts(
    List<Function> functions,
    int iommus,
    int cpus,
    List<Integer> granules,
    long aperture,
    long arena) {
  /// IOVAs that a group reserves.
  ///
  /// @param taken whether its owner cannot use them
  /// @param direct whether they lead to the memory of the same address
  record Region(long start, long last, boolean taken, boolean direct) {
    boolean meets(long first, long end) {
      return start <= end && first <= last;
    }
  }

  /// @param doorbell physical address of the register that its messages are written to
  /// @param isolated whether the controller tells functions apart
  record Function(
      String name,
      int requesterId,
      String controller,
      int deviceId,
      long doorbell,
      long frameStart,
      long frameLast,
      boolean isolated,
      int size,
      boolean msi,
      boolean maskable,
      boolean address64,
      List<Region> regions) {}

  /// 256 pages of 4 KiB.
  static final int PAGES = 256;

  /// Offset in each page of the word that is looked at; doorbells have the same.
  static final int WORD = 0x40;

  static final long BASE = 0x7fe_0000L;
  static final int UNITS = 8;
  static final long HIGH = 0x1_2345_0000L;

  /// Where regions that lead to memory lie, as an offset from the arena.
  static final long DIRECT = 0x3_0000;
}
