package dev.doorbell.hw.riscviommu;

/// Causes that depend on what an access wants, which is as {@link PageWalk} has it.
final class AccessFaults {
  private AccessFaults() {}

  static int page(int access) {
    return by(
        access,
        FaultLayout.INSTRUCTION_PAGE_FAULT,
        FaultLayout.READ_PAGE_FAULT,
        FaultLayout.WRITE_PAGE_FAULT);
  }

  static int guestPage(int access) {
    return by(
        access,
        FaultLayout.INSTRUCTION_GUEST_PAGE_FAULT,
        FaultLayout.READ_GUEST_PAGE_FAULT,
        FaultLayout.WRITE_GUEST_PAGE_FAULT);
  }

  static int access(int access) {
    return by(
        access,
        FaultLayout.INSTRUCTION_ACCESS_FAULT,
        FaultLayout.READ_ACCESS_FAULT,
        FaultLayout.WRITE_ACCESS_FAULT);
  }

  static int by(int access, int execute, int read, int write) {
    if ((access & PageWalk.EXECUTE) != 0) {
      return execute;
    }
    return (access & PageWalk.WRITABLE) != 0 ? write : read;
  }
}
