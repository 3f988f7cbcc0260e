package dev.doorbell.hw.smmuv3;

import static dev.doorbell.hw.smmuv3.CommandLayout.*;

import dev.doorbell.iommu.GuestRefused;
import java.util.List;

/// An invalidation as a guest put it into its own command queue. The host executes it with the stream's own number and the VMID of its stage 2, so
/// that it reaches nothing of others, whatever a guest writes there.
///
/// CMD_CFGI_CD, CMD_CFGI_CD_ALL, CMD_TLBI_NH_ALL, NH_ASID, NH_VA, NH_VAA and NSNH_ALL are taken. A range is widened to its ASID, or to all of the guest's.
/// A guest's CMD_CFGI_STE is a new {@link SmmuGuestEntry}; CMD_SYNC is the monitor's to complete when this is done.
///
/// @param words its two words
///
/// **Source** IHI 0070 G.b, 4.3.7, 4.4.2, 4.4.5.
public record SmmuGuestCommand(List<Long> words) {
  private static final GuestRefused.Rule RULE =
      new GuestRefused.Rule(
          "IHI 0070 4.3.7",
          "tell the guest CERROR_ILL where it is none of an SMMU's commands, else carry it out in the monitor");

  public SmmuGuestCommand {
    words = two(words);
  }

  static List<Long> two(List<Long> words) {
    if (words.size() != 2) {
      throw new IllegalArgumentException("two words are wanted, not " + words.size());
    }
    return List.copyOf(words);
  }

  /// {@return what the host issues}
  ///
  /// @throws GuestRefused when it is none of those
  SmmuCommand forHost(String smmu, int streamId, int vmid) {
    long w0 = words.getFirst();
    long w1 = words.getLast();
    int opcode = OPCODE.getInt(w0);
    int asid = TLBI_ASID.getInt(w0);
    boolean ranged = TLBI_TG.isSet(w1);
    return switch (opcode) {
      case CMD_CFGI_CD ->
          SmmuCommand.cfgiCd(streamId, CFGI_SUBSTREAM_ID.getInt(w0), CFGI_LEAF.isSet(w1));
      case CMD_CFGI_CD_ALL -> SmmuCommand.cfgiCdAll(streamId);
      case CMD_TLBI_NH_ALL, CMD_TLBI_NSNH_ALL -> SmmuCommand.tlbiNhAll(vmid);
      case CMD_TLBI_NH_ASID -> SmmuCommand.tlbiNhAsid(vmid, asid);
      case CMD_TLBI_NH_VA ->
          ranged
              ? SmmuCommand.tlbiNhAsid(vmid, asid)
              : SmmuCommand.tlbiNhVa(vmid, asid, w1 & TLBI_ADDRESS.mask(), TLBI_LEAF.isSet(w1));
      case CMD_TLBI_NH_VAA ->
          ranged
              ? SmmuCommand.tlbiNhAll(vmid)
              : SmmuCommand.tlbiNhVaa(vmid, w1 & TLBI_ADDRESS.mask(), TLBI_LEAF.isSet(w1));
      default ->
          throw new GuestRefused(
              smmu, "%s (0x%x 0x%x)".formatted(new SmmuCommand(w0, w1).name(), w0, w1), RULE);
    };
  }
}
