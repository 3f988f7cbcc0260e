package dev.doorbell.hw.papr;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// Interrupt sources of a guest, and who has them. How its processors are presented with them is what the guest has chosen. One lock: a message and a call
/// are each one step.
abstract sealed class PaprInterruptsModel permits PaprXicsModel, PaprXiveModel {
  /// Number of the first source that messages are given.
  static final int FIRST = 0x1300;

  /// Sources that messages can be given.
  static final int COUNT = 0x1000;

  /// As QEMU's hypervisor gives them.
  private static final int EVEN = 2;

  private static final long NOBODY = -1;
  final ReentrantLock lock = new ReentrantLock();
  private final int[] servers;
  private final long[] owners = new long[COUNT];

  /// @param servers numbers of processors as sources name them
  PaprInterruptsModel(List<Long> servers) {
    this.servers = servers.stream().mapToInt(Long::intValue).toArray();
    Arrays.fill(owners, NOBODY);
  }

  /// {@return the first of so many free sources: a multiple of their number where they are to be aligned, else an even one; -1 when there are none}
  final int take(int count, boolean aligned, long owner) {
    lock.lock();
    try {
      int step = aligned ? count : EVEN;
      for (int at = 0; at + count <= COUNT; at += step) {
        if (isFree(at, count)) {
          for (int i = at; i < at + count; i++) {
            owners[i] = owner;
            begin(i);
          }
          return FIRST + at;
        }
      }
      return -1;
    } finally {
      lock.unlock();
    }
  }

  private boolean isFree(int at, int count) {
    for (int i = at; i < at + count; i++) {
      if (owners[i] != NOBODY) {
        return false;
      }
    }
    return true;
  }

  /// Gives sources back; what they have presented and nobody took is gone.
  final void giveBack(int number, int count) {
    lock.lock();
    try {
      for (int at = number - FIRST; at < number - FIRST + count; at++) {
        owners[at] = NOBODY;
        end(at);
      }
    } finally {
      lock.unlock();
    }
  }

  /// A message came.
  ///
  /// {@return whether it is one of its sender's}
  final boolean fire(int number, long owner) {
    int at = number - FIRST;
    if (at < 0 || at >= COUNT) {
      return false;
    }
    lock.lock();
    try {
      if (owners[at] != owner) {
        return false;
      }
      trigger(at);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// {@return whether somebody has a source. The lock is held, as for all that follow}
  final boolean isTaken(int at) {
    return at >= 0 && at < COUNT && owners[at] != NOBODY;
  }

  /// {@return which processor a number names; -1 when it names none}
  final int index(long number) {
    for (int i = 0; i < servers.length; i++) {
      if (servers[i] == number) {
        return i;
      }
    }
    return -1;
  }

  final int server(int cpu) {
    return servers[cpu];
  }

  final int cpus() {
    return servers.length;
  }

  /// Makes a source what it is when somebody gets it: it tells nobody.
  abstract void begin(int at);

  /// Forgets what a source has told.
  abstract void end(int at);

  /// A source has something to tell.
  abstract void trigger(int at);

  /// Answers a call about interrupts, by whatever presentation. The lock is not held.
  ///
  /// {@return whether there is such a call}
  abstract boolean hcall(int cpu, long[] registers);

  /// {@return the status of a call of RTAS about the route of a source. The lock is not held}
  abstract int rtas(String call, int[] arguments, int[] results);
}
