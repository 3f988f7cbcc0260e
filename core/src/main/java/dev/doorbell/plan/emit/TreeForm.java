package dev.doorbell.plan.emit;

import dev.doorbell.address.AddressRange;
import dev.doorbell.plan.Plan;
import dev.doorbell.plan.WindowPlan;
import java.util.List;
import java.util.Optional;

/// A device tree source: guest RAM, and a region of `/reserved-memory` whose IOVAs the functions must not use.
///
/// **Source**: Devicetree Specification 0.4, 3.4 and 3.5; dt-schema `reserved-memory/reserved-memory.yaml` (`iommu-addresses`);
/// IEEE Std 1275 PCI Bus Binding 2.1, 2.2.1.1.
final class TreeForm {
  /// Space code of 64-bit memory in the first of a PCI address's three cells.
  private static final int MEMORY64 = 0x0300_0000;

  private TreeForm() {}

  /// @throws NotExpressible when the plan's machine has no guests of this board
  static String emit(Plan plan) {
    VirtBoard.requireArm(plan, Form.DTS);
    List<VirtBoard.Placed> functions = VirtBoard.placed(plan);
    StringBuilder out = new StringBuilder(head(plan));
    for (AddressRange r : plan.ram()) {
      out.append(memory(r));
    }
    Optional<AddressRange> window = plan.window().map(WindowPlan::range);
    if (window.isPresent()) {
      out.append(region(window.get(), functions));
      out.append(bridge(functions));
    }
    return out.append("};\n").toString();
  }

  private static String head(Plan plan) {
    String note =
        plan.window().isPresent()
            ? """
            // Guest RAM, and the MSI window as IOVAs that the functions' DMA must not use (Linux from 6.3). The nodes pcie@10000000 and below it stand
            // for the guest's own: give its function nodes the property memory-region, and name them in iommu-addresses.
            """
            : "// Guest RAM. No MSI window is to be kept clear.\n";
    return "/dts-v1/;\n"
        + note
        + "\n/ {\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\tcompatible = \"linux,dummy-virt\";\n";
  }

  private static String memory(AddressRange r) {
    return """

    	memory@%x {
    		device_type = "memory";
    		reg = <%s %s>;
    	};
    """
        .formatted(r.start(), cells(r.start()), cells(r.bytes()));
  }

  private static String region(AddressRange w, List<VirtBoard.Placed> functions) {
    List<String> entries =
        functions.stream()
            .map(f ->
                "<&function%d 0x%x %s %s>"
                    .formatted(f.slot(), MEMORY64, cells(w.start()), cells(w.bytes())))
            .toList();
    return """

    	reserved-memory {
    		#address-cells = <2>;
    		#size-cells = <2>;
    		ranges;

    		msi_window: msi-window {
    			iommu-addresses = %s;
    		};
    	};
    """
        .formatted(String.join(",\n\t\t\t\t", entries));
  }

  private static String bridge(List<VirtBoard.Placed> functions) {
    StringBuilder out =
        new StringBuilder(
            """

            	pcie@10000000 {
            		compatible = "pci-host-ecam-generic";
            		device_type = "pci";
            		#address-cells = <3>;
            		#size-cells = <2>;
            		reg = <%s %s>;
            		bus-range = <0x0 0xff>;
            		linux,pci-domain = <0>;
            		ranges = <0x1000000 0x0 0x0 0x0 0x3eff0000 0x0 0x10000>,
            			<0x2000000 0x0 0x10000000 0x0 0x10000000 0x0 0x2eff0000>;
            """
                .formatted(cells(VirtBoard.ECAM_BASE), cells(VirtBoard.ECAM_BYTES)));
    for (VirtBoard.Placed f : functions) {
      out.append(
          """

          		// %s of the host
          		function%d: function@%x,0 {
          			reg = <0x%x 0x0 0x0 0x0 0x0>;
          			memory-region = <&msi_window>;
          		};
          """
              .formatted(f.host(), f.slot(), f.slot(), f.guestRequesterId() * 0x100));
    }
    return out.append("\t};\n").toString();
  }

  /// Two cells, high first.
  private static String cells(long value) {
    String digits = "%016x".formatted(value);
    return "0x%x 0x%x"
        .formatted(
            Long.parseLong(digits.substring(0, 8), 16), Long.parseLong(digits.substring(8), 16));
  }
}
