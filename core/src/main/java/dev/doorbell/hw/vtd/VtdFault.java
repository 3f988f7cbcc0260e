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
  LEGACY_WITH_PASID(0x31),
  SM_ROOT_ACCESS(0x38),
  SM_ROOT_NOT_PRESENT(0x39),
  SM_ROOT_RESERVED(0x3a),
  SM_CONTEXT_ACCESS(0x40),
  SM_CONTEXT_NOT_PRESENT(0x41),
  SM_CONTEXT_RESERVED(0x42),
  SM_CONTEXT_INVALID(0x43),
  SM_PASID_OFF(0x45),
  SM_PASID_BEYOND_DIRECTORY(0x46),
  SM_RID_PASID(0x48),
  SM_DIRECTORY_ACCESS(0x50),
  SM_DIRECTORY_NOT_PRESENT(0x51),
  SM_DIRECTORY_RESERVED(0x52),
  SM_PASID_ACCESS(0x58),
  SM_PASID_NOT_PRESENT(0x59),
  SM_PASID_RESERVED(0x5a),
  SM_PASID_INVALID(0x5b),
  SM_SUPERVISOR_OFF(0x5d),
  SM_FIRST_ACCESS(0x70),
  SM_FIRST_NOT_PRESENT(0x71),
  SM_FIRST_RESERVED(0x72),
  SM_FIRST_ROOT_ACCESS(0x73),
  SM_NESTED_BEYOND_WIDTH(0x74),
  SM_NESTED_ROOT_READ(0x75),
  SM_NESTED_READ(0x76),
  SM_NESTED_WRITE(0x77),
  SM_SECOND_ACCESS(0x78),
  SM_SECOND_PERMISSION(0x79),
  SM_SECOND_RESERVED(0x7a),
  SM_SECOND_ROOT_ACCESS(0x7b),
  SM_NOT_CANONICAL(0x80),
  SM_USER(0x81),
  SM_BEYOND_WIDTH(0x83),
  SM_SECOND_BEYOND_WIDTH(0x84),
  SM_WRITE(0x85),
  SM_READ(0x86),
  SM_INTERRUPT_ADDRESS(0x87),
  SM_FIRST_UPDATE(0x91);

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
