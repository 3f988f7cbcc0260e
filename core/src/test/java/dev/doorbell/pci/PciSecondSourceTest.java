package dev.doorbell.pci;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("pci_regs.h: configuration space against other publications")
class PciSecondSourceTest {
  /// Newer than the revisions of PCI Express that the other publications know.
  private static final List<String> LATER =
      List.of(
          "@MSI, 32-bit.Extended Message Data",
          "@MSI, 64-bit.Extended Message Data",
          "ACS Capability.ACS Enhanced Capability",
          "ACS Control.ACS DSP Memory Target Access Control",
          "ACS Control.ACS I/O Request Blocking Enable",
          "ACS Control.ACS USP Memory Target Access Control",
          "ACS Control.ACS Unclaimed Request Redirect Control",
          "Device Capabilities.TEE-IO Supported",
          "Expansion ROM Base Address.Validation Details",
          "Expansion ROM Base Address.Validation Status",
          "Extended Message Data.Extended Message Data",
          "Message Control.Extended Message Data Capable",
          "Message Control.Extended Message Data Enable",
          "SR-IOV Capabilities.VF 10-Bit Tag Requester Supported",
          "SR-IOV Capabilities.VF 14-Bit Tag Requester Supported",
          "SR-IOV Control.VF 10-Bit Tag Requester Enable",
          "SR-IOV Control.VF 14-Bit Tag Requester Enable",
          "Vector Control.ST Lower",
          "Vector Control.ST Upper");

  /// All that a register has, whose place has a source.
  private static final List<String> WHOLE =
      List.of(
          "Capabilities Pointer.Capabilities Pointer",
          "Egress Control Vector.Egress Control Vector",
          "Message Address.Message Address",
          "Message Upper Address.Message Upper Address",
          "MsiLayout.Message Data.Message Data",
          "MsixLayout.Message Data.Message Data",
          "MsixTable.Message Data.Message Data",
          "Page Sizes.Page Sizes",
          "Pending Bits.Pending Bits",
          "Upper 32 bits.Address[63:32]",
          "Vectors.Vectors",
          "dword.value",
          "halfword.value");

  private static List<String> tables() {
    return List.of(
        "linux-pci-regs.txt",
        "linux-pci-regs-more.txt",
        "edk2-pciexpress21.txt",
        "cavium-pcie.txt");
  }

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(ConfigHeaderLayout.class);
  }

  @ParameterizedTest
  @MethodSource("tables")
  @DisplayName("each row of another publication's table is declared so")
  void agree(String table) throws IOException {
    declared().agree(table);
  }

  @Test
  @DisplayName(
      "each field and each register's offset has a second source, or is named as one without")
  void complete() throws IOException {
    Map<String, String> without = new HashMap<>();
    LATER.forEach(name -> without.put(name, "later revisions"));
    WHOLE.forEach(name -> without.put(name, "the whole register"));
    declared().complete(tables(), without);
  }
}
