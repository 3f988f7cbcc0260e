package dev.doorbell.plan.emit;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.WindowPlan;
import java.util.List;

/// An IORT whose reserved memory range (RMR) node holds the window, in the generic operators of iasl's data table language:
/// `iasl -G` compiles them in every version, while nodes of type 6 came only after the iasl of Debian 12 (20200925).
///
/// **Source**: DEN 0049 issue E.f, 3.1.1.1 to 3.1.1.5; a guest reads RMR nodes of IORT revision 5 or later.
final class IortForm {
  /// Where a range of an RMR node must start and end.
  private static final long ALIGN = 0x1_0000L;

  private static final int GROUP_AT = 48;
  private static final int SMMU_AT = GROUP_AT + 24;

  private final StringBuilder out = new StringBuilder();

  private IortForm() {}

  static String emit(Plan plan) {
    VirtBoard.requireArm(plan, Form.IORT_RMR);
    AddressRange w =
        plan.window()
            .map(WindowPlan::range)
            .orElseThrow(() ->
                NotExpressible.window(
                    "the plan has no MSI window, so there is nothing for an RMR node to hold",
                    List.of("MSI window"),
                    Source.rule("computed"),
                    "nothing is to be reserved for these functions"));
    if (Long.remainderUnsigned(w.start(), ALIGN) != 0
        || Long.remainderUnsigned(w.bytes(), ALIGN) != 0) {
      throw NotExpressible.window(
          "MSI window %s is not made of whole 64 KiB blocks, as a range of an RMR node must be"
              .formatted(w),
          List.of("MSI window " + w, "RMR node"),
          Source.rule("DEN 0049 E.f 3.1.1.5"),
          "plan for a window that starts and ends at multiples of 64 KiB");
    }
    List<VirtBoard.Placed> functions = VirtBoard.placed(plan);
    IortForm form = new IortForm();
    form.head(w);
    form.itsGroup();
    form.smmu();
    form.rootComplex();
    form.reservedMemory(w, functions);
    return form.out.toString();
  }

  private void head(AddressRange w) {
    out.append(
        """
        // The MSI window 0x%x-0x%x as a reserved memory range (RMR) of the guest. Compile with: iasl -G FILE
        // The ITS group, SMMUv3 and root complex are those of QEMU's virt board: a table of your own keeps its own and takes the
        // last node, with the output references of its mappings set to the offset of the SMMU there.

        [0004] Signature : "IORT"
        [0004] Table Length : 00000000
        [0001] Revision : 05
        [0001] Checksum : 00
        [0006] Oem ID : "DRBELL"
        [0008] Oem Table ID : "MSIWINDW"
        [0004] Oem Revision : 00000001
        [0004] Asl Compiler ID : "DRBL"
        [0004] Asl Compiler Revision : 00000001

        """
            .formatted(w.start(), w.last()));
    u32(4, "Node Count");
    u32(GROUP_AT, "Node Offset");
    u32(0, "Reserved");
  }

  private void itsGroup() {
    node(new Node("ITS group", 0, 24, 0, 1), 0, 0);
    u32(1, "ITS Count");
    u32(0, "Identifiers");
  }

  private void smmu() {
    node(new Node("SMMUv3", 4, 88, 4, 2), 1, 68);
    u64(VirtBoard.SMMU_BASE, "Base Address");
    u32(1, "Flags: COHACC override");
    u32(0, "Reserved");
    u64(0, "VATOS Address");
    u32(0, "Model: generic");
    u32(106, "Event GSIV");
    u32(107, "PRI GSIV");
    u32(109, "GERR GSIV");
    u32(108, "Sync GSIV");
    u32(0, "Proximity Domain");
    u32(0, "Device ID Mapping Index");
    mapping(0, 0xffff, 0, GROUP_AT);
  }

  private void rootComplex() {
    node(new Node("root complex", 2, 56, 1, 3), 1, 36);
    u32(1, "Cache Coherency");
    u8(0, "Hints");
    u16(0, "Reserved");
    u8(3, "Memory Flags: CPM, DACS");
    u32(0, "ATS Attribute");
    u32(0, "PCI Segment Number");
    u8(64, "Memory Size Limit");
    u8(0, "Reserved");
    u16(0, "Reserved");
    mapping(0, 0xffff, 0, SMMU_AT);
  }

  private void reservedMemory(AddressRange w, List<VirtBoard.Placed> functions) {
    int ranges = 28 + 20 * functions.size();
    node(new Node("RMR", 6, ranges + 20, 3, 4), functions.size(), 28);
    u32(0, "Flags: remapping not permitted, Device-nGnRnE");
    u32(1, "Number of Ranges");
    u32(ranges, "Range Offset");
    for (int i = 0; i < functions.size(); i++) {
      VirtBoard.Placed f = functions.get(i);
      out.append("\n// %s of the host, in slot %d of the guest\n".formatted(f.host(), f.slot()));
      mapping(i, 0, f.guestRequesterId(), SMMU_AT);
    }
    u64(w.start(), "Base Address");
    u64(w.bytes(), "Length");
    u32(0, "Reserved");
  }

  /// The head of a node.
  private record Node(String name, int type, int length, int revision, int id) {}

  private void node(Node n, int mappings, int mappingsAt) {
    out.append("\n// %s\n".formatted(n.name()));
    u8(n.type(), "Type");
    u16(n.length(), "Length");
    u8(n.revision(), "Revision");
    u32(n.id(), "Identifier");
    u32(mappings, "Mapping Count");
    u32(mappingsAt, "Mapping Offset");
  }

  private void mapping(int input, int count, int output, int reference) {
    u32(input, "Input Base");
    u32(count, "ID Count, less one");
    u32(output, "Output Base");
    u32(reference, "Output Reference");
    u32(0, "Flags");
  }

  private void u8(int value, String name) {
    out.append("UINT8  : %02x // %s\n".formatted(value, name));
  }

  private void u16(int value, String name) {
    out.append("UINT16 : %04x // %s\n".formatted(value, name));
  }

  private void u32(int value, String name) {
    out.append("UINT32 : %08x // %s\n".formatted(value, name));
  }

  private void u64(long value, String name) {
    out.append("UINT64 : %016x // %s\n".formatted(value, name));
  }
}
