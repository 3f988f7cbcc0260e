package dev.doorbell.qemu;

import dev.doorbell.bits.Register;

/// A submission queue and the completion queue of its own, one command at a time.
///
/// **Source**: NVM Express Base Specification 2.0c, 3.3.1 (queues, Phase Tag).
final class NvmeQueue {
  /// Entries of either queue: the submission queue fills a page of 4 KiB.
  static final int ENTRIES = 64;

  /// Bytes of memory: a page each.
  static final long PAGE = (long) ENTRIES * NvmeLayout.SUBMISSION_BYTES;

  /// Looks at the completion queue before the controller counts as stuck; each is a command to QEMU, which works between commands.
  private static final int LOOKS = 100_000;

  private final DeviceRegisters registers;
  private final int number;
  private final DmaArea submissions;
  private final DmaArea completions;
  private int at;
  private long phase = 1;

  /// What the controller answered.
  record Done(int statusType, int status, long result) {
    boolean succeeded() {
      return statusType == 0 && status == 0;
    }
  }

  /// @param memory two pages
  NvmeQueue(DeviceRegisters registers, int number, DmaArea memory) {
    this.registers = registers;
    this.number = number;
    submissions = memory.slice(0, PAGE);
    completions = memory.slice(PAGE, PAGE);
    memory.clear();
  }

  int number() {
    return number;
  }

  long submissionsAt() {
    return submissions.iova().value();
  }

  long completionsAt() {
    return completions.iova().value();
  }

  /// Has a command carried out, and takes its completion.
  ///
  /// @throws DeviceStuck when none comes: its memory may not be mapped
  Done run(NvmeCommand command) {
    command.writeTo(
        submissions.slice((long) at * NvmeLayout.SUBMISSION_BYTES, NvmeLayout.SUBMISSION_BYTES),
        at);
    DmaArea completion =
        completions.slice((long) at * NvmeLayout.COMPLETION_BYTES, NvmeLayout.COMPLETION_BYTES);
    int next = (at + 1) % ENTRIES;
    submissions.memory().publish();
    ring(0, next);
    long status = await(completion);
    long result = completion.read(NvmeLayout.RESULT.offset(), NvmeLayout.RESULT.bytes());
    if (next == 0) {
      phase ^= 1;
    }
    at = next;
    ring(1, next);
    return new Done(NvmeLayout.SCT.getInt(status), NvmeLayout.SC.getInt(status), result);
  }

  private long await(DmaArea completion) {
    for (int i = 0; i < LOOKS; i++) {
      long status = completion.read(NvmeLayout.STATUS.offset(), NvmeLayout.STATUS.bytes());
      if (NvmeLayout.PHASE.get(status) == phase) {
        return status;
      }
      requireWorking();
    }
    throw new DeviceStuck(
        registers.device(),
        "a completion in queue %d at %s".formatted(number, completion.iova()),
        "its phase tag stays as it was");
  }

  private void requireWorking() {
    long csts = registers.read(NvmeLayout.CSTS);
    if (NvmeLayout.CFS.isSet(csts)) {
      throw new DeviceStuck(
          registers.device(),
          "a completion in queue %d".formatted(number),
          "CSTS is 0x%x: the controller has failed".formatted(csts));
    }
  }

  /// @param half 0 for the submission queue's tail, 1 for the completion queue's head
  private void ring(int half, int index) {
    Register doorbell = NvmeLayout.DOORBELL;
    registers.bus().write(doorbell.offset(2 * number + half), index, doorbell.bytes());
  }
}
