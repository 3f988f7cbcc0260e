package dev.doorbell.hw.xive;

import dev.doorbell.bits.Layout;

/// Which XIVE it is: how its descriptors (END) and targets look, and how its tables are numbered. Assignments (EAS), entries of queues, contexts of
/// threads, and the first word of a target are one for both.
///
/// **Source**: skiboot 7.1 `include/xive-p9-regs.h`, `include/xive2-regs.h`.
public enum XiveGeneration {
  /// POWER9's.
  FIRST(VsdLayout.EAT, NvtLayout.BYTES, EndLayout.W0_LAYOUT) {
    @Override
    boolean isValid(long w0) {
      return EndLayout.VALID.isSet(w0);
    }

    @Override
    boolean enqueues(long w0) {
      return EndLayout.ENQUEUE.isSet(w0);
    }

    @Override
    boolean notifies(long w0) {
      return EndLayout.UCOND_NOTIFY.isSet(w0);
    }

    @Override
    long queue(long w2, long w3) {
      return EndLayout.queue(w2, w3);
    }

    @Override
    long queueBytes(long w0, long w3) {
      return EndLayout.queueBytes(w0);
    }

    @Override
    int targetBlock(long w6) {
      return EndLayout.NVT_BLOCK.getInt(w6);
    }

    @Override
    int target(long w6) {
      return EndLayout.NVT_INDEX.getInt(w6);
    }

    @Override
    long[] descriptor(long queue, long bytes, int target, int priority) {
      long[] w = new long[WORDS];
      w[0] =
          EndLayout.VALID.place(1)
              | EndLayout.ENQUEUE.place(1)
              | EndLayout.UCOND_NOTIFY.place(1)
              | EndLayout.QSIZE.place(size(bytes));
      w[1] = EndLayout.ESE.place(1) | EndLayout.ESN.place(1) | EndLayout.GENERATION.place(1);
      w[2] = EndLayout.QUEUE_HIGH.place(EndLayout.high(queue));
      w[3] = EndLayout.QUEUE_LOW.place(EndLayout.low(queue));
      w[6] = EndLayout.NVT_INDEX.place(target);
      w[7] = EndLayout.F0_PRIORITY.place(priority);
      return w;
    }
  },

  /// POWER10's (XIVE2).
  SECOND(VsdLayout.EAT2, NvtLayout.BYTES2, End2Layout.W0_LAYOUT) {
    @Override
    boolean isValid(long w0) {
      return End2Layout.VALID.isSet(w0);
    }

    @Override
    boolean enqueues(long w0) {
      return End2Layout.ENQUEUE.isSet(w0);
    }

    @Override
    boolean notifies(long w0) {
      return End2Layout.UCOND_NOTIFY.isSet(w0);
    }

    @Override
    long queue(long w2, long w3) {
      return End2Layout.QUEUE_HIGH.get(w2) << Integer.SIZE | End2Layout.QUEUE_LOW.get(w3);
    }

    @Override
    long queueBytes(long w0, long w3) {
      return EndLayout.LEAST_QUEUE << End2Layout.QSIZE.getInt(w3);
    }

    @Override
    int targetBlock(long w6) {
      return End2Layout.VP_BLOCK.getInt(w6);
    }

    @Override
    int target(long w6) {
      return End2Layout.VP_OFFSET.getInt(w6);
    }

    @Override
    long[] descriptor(long queue, long bytes, int target, int priority) {
      long[] w = new long[WORDS];
      w[0] =
          End2Layout.VALID.place(1)
              | End2Layout.ENQUEUE.place(1)
              | End2Layout.UCOND_NOTIFY.place(1);
      w[1] = End2Layout.ESE.place(1) | End2Layout.ESN.place(1) | End2Layout.GENERATION.place(1);
      w[2] = End2Layout.QUEUE_HIGH.place(EndLayout.high(queue));
      w[3] = End2Layout.QUEUE_LOW.get(EndLayout.low(queue)) | End2Layout.QSIZE.place(size(bytes));
      w[6] = End2Layout.VP_OFFSET.place(target);
      w[7] = End2Layout.F0_PRIORITY.place(priority);
      return w;
    }
  };

  /// Words of a descriptor.
  static final int WORDS = 8;

  private final int assignments;
  private final int targetBytes;
  private final Layout head;

  XiveGeneration(int assignments, int targetBytes, Layout head) {
    this.assignments = assignments;
    this.targetBytes = targetBytes;
    this.head = head;
  }

  /// {@return the layout of a descriptor's first word}
  Layout head() {
    return head;
  }

  /// {@return the number of the table of assignments}
  int assignments() {
    return assignments;
  }

  int targetBytes() {
    return targetBytes;
  }

  abstract boolean isValid(long w0);

  abstract boolean enqueues(long w0);

  abstract boolean notifies(long w0);

  abstract long queue(long w2, long w3);

  abstract long queueBytes(long w0, long w3);

  abstract int targetBlock(long w6);

  abstract int target(long w6);

  /// {@return the words of a descriptor with an empty queue, none of its events escalated}
  ///
  /// @param bytes of the queue, a power of two, 4 KiB and above
  abstract long[] descriptor(long queue, long bytes, int target, int priority);

  private static long size(long bytes) {
    return Long.numberOfTrailingZeros(bytes / EndLayout.LEAST_QUEUE);
  }
}
