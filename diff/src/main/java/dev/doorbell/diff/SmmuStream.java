package dev.doorbell.diff;

import dev.doorbell.hw.smmuv3.CdLayout;
import dev.doorbell.hw.smmuv3.SteLayout;

/// A stream of a scenario, with its table entries as they are in memory.
final class SmmuStream {
  final int id;
  final long ste;
  final long cd;
  final long[] steWords = new long[SteLayout.QUADWORDS];
  final long[] cdWords = new long[CdLayout.QUADWORDS];
  final StreamSpace space;
  final int asid;

  /// @param ste where its STE is
  /// @param cd where its CD is
  /// @param asid or VMID
  SmmuStream(int id, long ste, long cd, StreamSpace space, int asid) {
    this.id = id;
    this.ste = ste;
    this.cd = cd;
    this.space = space;
    this.asid = asid;
  }
}
