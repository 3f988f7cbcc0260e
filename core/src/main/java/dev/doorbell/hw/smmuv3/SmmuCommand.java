package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Pa;

/// One command of the command queue.
///
/// **Source** IHI 0070 G.b, 4.3 to 4.7.
///
/// @param w0 first word: opcode and operands
/// @param w1 second word
record SmmuCommand(long w0, long w1) {
  static SmmuCommand cfgiSte(int streamId, boolean leaf) {
    return new SmmuCommand(
        cfgi(CommandLayout.CMD_CFGI_STE, streamId), CommandLayout.CFGI_LEAF.place(leaf ? 1 : 0));
  }

  /// Drops every cached configuration.
  static SmmuCommand cfgiAll() {
    return new SmmuCommand(
        CommandLayout.CFGI_OPCODE.place(CommandLayout.CMD_CFGI_STE_RANGE),
        CommandLayout.CFGI_RANGE.place(CommandLayout.CFGI_RANGE_ALL));
  }

  /// Drops one context descriptor.
  ///
  /// @param leaf whether what is known of the way to it stays
  static SmmuCommand cfgiCd(int streamId, int substreamId, boolean leaf) {
    return new SmmuCommand(
        cfgi(CommandLayout.CMD_CFGI_CD, streamId)
            | CommandLayout.CFGI_SUBSTREAM_ID.place(substreamId),
        CommandLayout.CFGI_LEAF.place(leaf ? 1 : 0));
  }

  /// Drops all context descriptors of a stream.
  static SmmuCommand cfgiCdAll(int streamId) {
    return new SmmuCommand(cfgi(CommandLayout.CMD_CFGI_CD_ALL, streamId), 0);
  }

  static SmmuCommand tlbiAll(int opcode) {
    return new SmmuCommand(CommandLayout.TLBI_OPCODE.place(opcode), 0);
  }

  /// Drops stage 1 of a VMID, with what was made of both stages.
  static SmmuCommand tlbiNhAll(int vmid) {
    return new SmmuCommand(nh(CommandLayout.CMD_TLBI_NH_ALL, vmid, 0), 0);
  }

  /// @param vmid 0 for streams of stage 1 alone
  static SmmuCommand tlbiNhAsid(int vmid, int asid) {
    return new SmmuCommand(nh(CommandLayout.CMD_TLBI_NH_ASID, vmid, asid), 0);
  }

  static SmmuCommand tlbiNhVa(int vmid, int asid, long va, boolean leaf) {
    return new SmmuCommand(nh(CommandLayout.CMD_TLBI_NH_VA, vmid, asid), at(va, leaf));
  }

  /// Drops an address of all ASIDs.
  static SmmuCommand tlbiNhVaa(int vmid, long va, boolean leaf) {
    return new SmmuCommand(nh(CommandLayout.CMD_TLBI_NH_VAA, vmid, 0), at(va, leaf));
  }

  static SmmuCommand tlbiS12Vmall(int vmid) {
    return new SmmuCommand(
        CommandLayout.TLBI_OPCODE.place(CommandLayout.CMD_TLBI_S12_VMALL)
            | CommandLayout.TLBI_VMID.place(vmid),
        0);
  }

  static SmmuCommand tlbiS2Ipa(int vmid, long ipa, boolean leaf) {
    return new SmmuCommand(
        CommandLayout.TLBI_OPCODE.place(CommandLayout.CMD_TLBI_S2_IPA)
            | CommandLayout.TLBI_VMID.place(vmid),
        at(ipa, leaf));
  }

  /// Is consumed when all commands before it are complete; signals nobody, the driver polls.
  static SmmuCommand sync() {
    return new SmmuCommand(
        CommandLayout.SYNC_OPCODE.place(CommandLayout.CMD_SYNC)
            | CommandLayout.SYNC_CS.place(CommandLayout.SIG_NONE),
        0);
  }

  /// The same, and writes a datum to memory then.
  ///
  /// @param word where, aligned to 4 bytes
  static SmmuCommand sync(Pa word, int datum) {
    return new SmmuCommand(
        CommandLayout.SYNC_OPCODE.place(CommandLayout.CMD_SYNC)
            | CommandLayout.SYNC_CS.place(CommandLayout.SIG_IRQ)
            | CommandLayout.SYNC_MSH.place(CommandLayout.SYNC_MSH.max())
            | CommandLayout.SYNC_MSI_ATTR.place(CommandLayout.SYNC_MSI_ATTR.max())
            | CommandLayout.SYNC_MSI_DATA.place(Integer.toUnsignedLong(datum)),
        CommandLayout.SYNC_MSI_ADDRESS.place(word.value()));
  }

  /// {@return the manual's name, or the opcode where it has none}
  String name() {
    long opcode = CommandLayout.OPCODE.get(w0);
    String name = CommandLayout.OPCODE.names().nameOf(opcode);
    return name.isEmpty() ? "command 0x%x".formatted(opcode) : name;
  }

  private static long nh(int opcode, int vmid, int asid) {
    return CommandLayout.TLBI_OPCODE.place(opcode)
        | CommandLayout.TLBI_VMID.place(vmid)
        | CommandLayout.TLBI_ASID.place(asid);
  }

  private static long at(long address, boolean leaf) {
    return CommandLayout.TLBI_ADDRESS.place(address) | CommandLayout.TLBI_LEAF.place(leaf ? 1 : 0);
  }

  private static long cfgi(int opcode, int streamId) {
    return CommandLayout.CFGI_OPCODE.place(opcode)
        | CommandLayout.CFGI_STREAM_ID.place(Integer.toUnsignedLong(streamId));
  }
}
