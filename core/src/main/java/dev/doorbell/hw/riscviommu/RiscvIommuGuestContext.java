package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.*;

import dev.doorbell.bits.BitKind;
import dev.doorbell.iommu.GuestRefused;
import java.util.List;

/// A device context as a guest wrote it for its own IOMMU: its first stage, or its process directory, whose tables the IOMMU reads by way of the host's second stage.
///
/// Of the guest's doublewords count what a guest may decide: V, DTF, PDTV, DPE, `ta.PSCID` and `fsc` (or `pdtp`), and SADE where the IOMMU sets A and D itself. A guest's IOMMU as it
/// is offered has no second stage and no MSI page tables of its own, and no ATS: all else must be zero. What is not valid blocks.
///
/// @param words its doublewords: four of the base format, or eight of the extended one
///
/// **Source**: RISC-V IOMMU Architecture 1.0, 2.1.3, 2.1.4.
public record RiscvIommuGuestContext(List<Long> words) {
  private static final GuestRefused.Rule RULE =
      new GuestRefused.Rule(
          "RISC-V IOMMU 1.0, 2.1.4",
          "tell the guest cause 259 (DDT entry misconfigured), and block the device");

  private static final long GUESTS = TC_V.mask() | TC_DTF.mask() | TC_PDTV.mask() | TC_DPE.mask();

  public RiscvIommuGuestContext {
    int bytes = words.size() * Long.BYTES;
    if (bytes != BASE_BYTES && bytes != EXTENDED_BYTES) {
      throw new IllegalArgumentException(
          "four doublewords or eight are wanted, not " + words.size());
    }
    words = List.copyOf(words);
  }

  /// {@return the whole context, with the guest's first stage above the host's second one}
  ///
  /// @param iommu whose context it becomes
  /// @param below one of the second stage alone
  /// @param capabilities the register
  /// @throws GuestRefused when the guest asks for what is not its own, or what the IOMMU has not
  long[] above(String iommu, long[] below, long capabilities) {
    long tc = word(TC_AT);
    if (!TC_V.isSet(tc)) {
      return new long[below.length];
    }
    long ta = word(TA_AT);
    long fsc = word(FSC_AT);
    boolean updates = RiscvIommuRegisters.AMO_HWAD.isSet(capabilities);
    refuse(iommu, "tc", tc, tc & ~GUESTS & ~(updates ? TC_SADE.mask() : 0));
    refuse(iommu, "iohgatp", word(IOHGATP_AT), word(IOHGATP_AT));
    refuse(iommu, "ta", ta, ta & ~TA_PSCID.mask());
    refuse(iommu, "fsc", fsc, fsc & FSC.mask(BitKind.RES0));
    for (int i = BASE_BYTES / Long.BYTES; i < words.size(); i++) {
      refuse(iommu, "doubleword " + i, words.get(i), words.get(i));
    }
    boolean processes = TC_PDTV.isSet(tc);
    refuse(iommu, "tc (DPE without PDTV)", tc, processes ? 0 : tc & TC_DPE.mask());
    int mode = FSC_MODE.getInt(fsc);
    boolean has =
        mode == BARE
            || (processes
                ? ProcessTable.offers(capabilities, mode)
                : RiscvIommuStart.offers(capabilities, mode, false));
    refuse(iommu, "fsc (a mode that the IOMMU has not)", fsc, has ? 0 : fsc & FSC_MODE.mask());
    long[] out = below.clone();
    out[TC_AT / Long.BYTES] = tc;
    out[TA_AT / Long.BYTES] = ta;
    out[FSC_AT / Long.BYTES] = fsc;
    return out;
  }

  private long word(int at) {
    return words.get(at / Long.BYTES);
  }

  private static void refuse(String iommu, String what, long word, long bits) {
    GuestRefused.ifAny(bits, iommu, "device context: " + what, word, RULE);
  }
}
