package dev.doorbell.qemu;

import dev.doorbell.bits.Register;

/// A command of an NVM Express queue, as far as the stimulus needs.
///
/// @param data PRP entry 1: an IOVA
record NvmeCommand(int opcode, long data, long cdw10, long cdw11) {
  /// Writes it as a submission queue entry.
  void writeTo(DmaArea entry, int id) {
    entry.clear();
    put(entry, NvmeLayout.CDW0, NvmeLayout.OPC.place(opcode) | NvmeLayout.CID.place(id));
    put(entry, NvmeLayout.PRP1, data);
    put(entry, NvmeLayout.CDW10, cdw10);
    put(entry, NvmeLayout.CDW11, cdw11);
  }

  private static void put(DmaArea entry, Register register, long value) {
    entry.write(register.offset(), value, register.bytes());
  }
}
