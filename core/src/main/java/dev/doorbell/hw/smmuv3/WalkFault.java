package dev.doorbell.hw.smmuv3;

import dev.doorbell.bus.Translator;

/// Why a translation ended, in the words of its event record. One per thread in flight, reused.
final class WalkFault {
  int event;
  boolean stage2;
  int faultClass;

  /// Input of stage 2, of a stage 2 fault.
  long ipa;

  /// Of an aborted fetch.
  long fetchAddress;

  /// A permission fault of a walk that only read the table.
  boolean tableRead;

  /// Whether a record is to be queued.
  boolean recorded;

  /// {@return FAULT, with this record of a stage 1 fault}
  long stage1(int what) {
    return set(what, false, EventLayout.CLASS_IN);
  }

  /// {@return FAULT, with this record of a stage 2 fault}
  long stage2(int what, int inClass, long input) {
    set(what, true, inClass);
    ipa = input;
    tableRead = what == EventLayout.F_PERMISSION && inClass != EventLayout.CLASS_IN;
    return Translator.FAULT;
  }

  /// {@return FAULT, with this record of an aborted fetch of a descriptor of stage 1}
  long abort1(long address) {
    set(EventLayout.F_WALK_EABT, false, EventLayout.CLASS_TT);
    fetchAddress = address;
    return Translator.FAULT;
  }

  /// {@return FAULT, with this record of an aborted fetch of a descriptor of stage 2}
  long abort2(int inClass, long address) {
    set(EventLayout.F_WALK_EABT, true, inClass);
    fetchAddress = address;
    return Translator.FAULT;
  }

  /// {@return FAULT, with this record of a configuration fault}
  long configuration(int what, long address) {
    set(what, false, 0);
    fetchAddress = address;
    return Translator.FAULT;
  }

  /// {@return FAULT, with nothing to be recorded}
  long silent() {
    set(0, false, 0);
    recorded = false;
    return Translator.FAULT;
  }

  private long set(int what, boolean inStage2, int inClass) {
    event = what;
    stage2 = inStage2;
    faultClass = inClass;
    ipa = 0;
    fetchAddress = 0;
    tableRead = false;
    recorded = true;
    return Translator.FAULT;
  }
}
