package dev.doorbell.hw.vtd;

/// The fault reasons that a walk or the model can come to, with their codes in a fault recording register (FR).
///
/// In scalable mode the same break has another code than in legacy mode.
///
/// **Source** Intel Virtualization Technology for Directed I/O, revision 4.1, 7.1.3 Fault Conditions and Remapping Hardware Behavior.
enum VtdFault {
  ROOT_NOT_PRESENT(0x1),
  CONTEXT_NOT_PRESENT(0x2),
  CONTEXT_INVALID(0x3),
  BEYOND_WIDTH(0x4),
  WRITE(0x5),
  READ(0x6),
  PAGING_ACCESS(0x7),
  ROOT_ACCESS(0x8),
  CONTEXT_ACCESS(0x9),
  ROOT_RESERVED(0xa),
  CONTEXT_RESERVED(0xb),
  PAGING_RESERVED(0xc),
  REQUEST_RESERVED(0x20),
  INDEX_BEYOND_TABLE(0x21),
  IRTE_NOT_PRESENT(0x22),
  IRTE_ACCESS(0x23),
  IRTE_RESERVED(0x24),
  COMPATIBILITY_BLOCKED(0x25),
  SOURCE_ID(0x26),
  DESCRIPTOR_ACCESS(0x27),
  DESCRIPTOR_RESERVED(0x28),
  SM_ROOT_NOT_PRESENT(0x39),
  SM_CONTEXT_NOT_PRESENT(0x41),
  SM_DIRECTORY_NOT_PRESENT(0x51),
  SM_PASID_NOT_PRESENT(0x59),
  SM_PASID_INVALID(0x5b),
  SM_FIRST_NOT_PRESENT(0x71),
  SM_SECOND_PERMISSION(0x79),
  SM_NOT_CANONICAL(0x80),
  SM_SECOND_BEYOND_WIDTH(0x84),
  SM_WRITE(0x85);

  private final int code;

  VtdFault(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  /// {@return the fault as a stopped walk tells it}
  String because(String why) {
    return "fault %xh: %s".formatted(code, why);
  }
}
